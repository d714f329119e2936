import { and, asc, desc, eq } from "drizzle-orm";
import { accountAdvertisers, accounts } from "../accounts/schema";
import { adapterConfigs } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { loadAvailability } from "../availability/service";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { type PlanPreview, previewPlans } from "../fulfilment/desired";
import { fulfilmentOperations, fulfilments } from "../fulfilment/schema";
import { type GovernanceState, loadGovernance } from "../governance/present";
import { groupBy } from "../group-by";
import { isUuid } from "../ids";
import { type ListView, loadListViews } from "../inventory-lists/status";
import { type AssignedCreative, loadAssigned, loadPackages, type PackageRow } from "../media-buys/queries";
import { mediaBuys } from "../media-buys/schema";
import { loadLimits } from "../media-buys/sellables";
import { type MediaBuyRow } from "../media-buys/transitions";
import { tenants } from "../tenants/schema";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { checkOrder, type ReviewCheck, type ReviewedConnection } from "./checks";
import { workflowSteps } from "./schema";
import { hashShown } from "./shown-hash";
import { loadTimeline, type TimelineEntry } from "./timeline";

export type WorkflowStep = typeof workflowSteps.$inferSelect;
export type ReviewedPackage = PackageRow & { creatives: { weight: number | null; creative: AssignedCreative["creative"] }[] };
export type ReviewedFulfilment = typeof fulfilments.$inferSelect & ReviewedConnection & { advertiserId: string | null; operations: (typeof fulfilmentOperations.$inferSelect)[] };
export type ReviewedDelivery = typeof webhookDeliveries.$inferSelect & { url: string | null };

/** Everything that the screen of one media buy shows. */
export type Review = {
  mediaBuy: MediaBuyRow;
  buyer: { id: string; name: string; isSandbox: boolean };
  account: typeof accounts.$inferSelect;
  packages: ReviewedPackage[];
  /** Lists of other agents that packages keep to. */
  lists: ListView[];
  checks: ReviewCheck[];
  canApprove: boolean;
  previews: PlanPreview[];
  /** The open question of this order, if there is one; an approval before a blocked connection. */
  openStep: WorkflowStep | null;
  /** All questions that this order asked, oldest first. */
  steps: WorkflowStep[];
  shownHash: string;
  /** null: no governance agent had to agree. */
  governance: GovernanceState | null;
  timeline: TimelineEntry[];
  fulfilments: ReviewedFulfilment[];
  deliveries: ReviewedDelivery[];
  rawRequest: Record<string, unknown>;
};

/** Throws MEDIA_BUY_NOT_FOUND, PERMISSION_DENIED. Reads only. */
export async function loadReview(ctx: Ctx, mediaBuyId: string): Promise<Review> {
  requirePermission(ctx.actor, "media_buy.read");
  const [found] = !isUuid(mediaBuyId) ? [] : await ctx.db
    .select({ buy: mediaBuys, account: accounts, buyer: { id: principals.id, name: principals.name, isSandbox: principals.isSandbox }, tenant: tenants })
    .from(mediaBuys)
    .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
    .innerJoin(principals, and(eq(principals.tenantId, mediaBuys.tenantId), eq(principals.id, mediaBuys.principalId)))
    .innerJoin(tenants, eq(tenants.id, mediaBuys.tenantId))
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, mediaBuyId)));
  if (!found) throw new AppError("MEDIA_BUY_NOT_FOUND", "There is no such media buy here.");
  const { buy, account, buyer, tenant } = found;

  const packages = await loadPackages(ctx, [buy.id]);
  const lists = await loadListViews(ctx, buy);
  const assigned = await loadAssigned(ctx, [buy.id]);
  const carried = await loadFulfilments(ctx, buy);
  const previews = await previewPlans(ctx, buy.id);
  const governance = await loadGovernance(ctx, buy.id);
  const steps = await ctx.db.select().from(workflowSteps).where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.mediaBuyId, buy.id))).orderBy(asc(workflowSteps.createdAt), asc(workflowSteps.id));
  const checks = checkOrder({
    now: ctx.now, timeZone: tenant.timeZone, isAdvertiserCreationAllowed: tenant.isAdvertiserCreationAllowed, buy, account, packages, assigned,
    limits: await loadLimits(ctx, buy.currency), connections: carried, previews, governance,
    availability: await loadAvailability(ctx.db, ctx.tenantId, packages.map(({ productId }) => productId)),
  });
  const creatives = groupBy(assigned, (item) => item.packageId);
  return {
    mediaBuy: buy, buyer, account,
    packages: packages.map((row) => ({ ...row, creatives: creatives.get(row.id) ?? [] })),
    lists,
    checks, canApprove: checks.every(({ outcome }) => outcome !== "block"), previews,
    openStep: steps.find(({ state }) => state === "requires_approval") ?? steps.find(({ state }) => state === "pending") ?? null,
    steps, shownHash: hashShown({ buy, packages, assigned, destinations: carried, isAdvertiserCreationAllowed: tenant.isAdvertiserCreationAllowed }),
    governance, timeline: await loadTimeline(ctx, buy.id), fulfilments: carried, deliveries: await loadDeliveries(ctx, buy.id), rawRequest: buy.rawRequest,
  };
}

async function loadFulfilments(ctx: Ctx, buy: MediaBuyRow): Promise<ReviewedFulfilment[]> {
  const rows = await ctx.db.select({ fulfilment: fulfilments, connection: adapterConfigs, advertiserId: accountAdvertisers.externalAdvertiserId, advertiserName: accountAdvertisers.advertiserName }).from(fulfilments)
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, fulfilments.tenantId), eq(adapterConfigs.id, fulfilments.adapterConfigId)))
    .leftJoin(accountAdvertisers, and(eq(accountAdvertisers.tenantId, fulfilments.tenantId), eq(accountAdvertisers.adapterConfigId, fulfilments.adapterConfigId), eq(accountAdvertisers.accountId, buy.accountId)))
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, buy.id)))
    .orderBy(asc(fulfilments.createdAt), asc(fulfilments.id));
  const operations = await ctx.db.select({ operation: fulfilmentOperations }).from(fulfilmentOperations)
    .innerJoin(fulfilments, and(eq(fulfilments.tenantId, fulfilmentOperations.tenantId), eq(fulfilments.id, fulfilmentOperations.fulfilmentId)))
    .where(and(eq(fulfilmentOperations.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, buy.id)))
    .orderBy(asc(fulfilmentOperations.desiredVersion), asc(fulfilmentOperations.position), asc(fulfilmentOperations.id));
  const byFulfilment = groupBy(operations.map(({ operation }) => operation), (operation) => operation.fulfilmentId);
  return rows.map(({ fulfilment, connection, advertiserId, advertiserName }) => ({
    ...fulfilment,
    connection: { id: connection.id, kind: connection.kind, name: connection.name, mode: connection.mode, status: connection.status, currency: connection.currency, archivedAt: connection.archivedAt },
    advertiserId,
    advertiserName,
    operations: byFulfilment.get(fulfilment.id) ?? [],
  }));
}

/** The newest: an order with hourly reports has thousands. */
const SHOWN_DELIVERIES_MAX = 100;

async function loadDeliveries(ctx: Ctx, mediaBuyId: string): Promise<ReviewedDelivery[]> {
  const rows = await ctx.db.select({ delivery: webhookDeliveries, url: pushNotificationConfigs.url }).from(webhookDeliveries)
    .leftJoin(pushNotificationConfigs, and(eq(pushNotificationConfigs.tenantId, webhookDeliveries.tenantId), eq(pushNotificationConfigs.id, webhookDeliveries.configId)))
    .where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.mediaBuyId, mediaBuyId)))
    .orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id)).limit(SHOWN_DELIVERIES_MAX);
  return rows.map(({ delivery, url }) => ({ ...delivery, url }));
}
