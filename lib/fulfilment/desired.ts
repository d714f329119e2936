import { and, asc, eq, isNull } from "drizzle-orm";
import { accountAdvertisers, accounts } from "../accounts/schema";
import { AD_SERVER_KINDS, adServerDeclaration } from "../ad-servers/registry";
import { adapterConfigs, externalObjects } from "../ad-servers/schema";
import { type AdServerDeclaration, type AppliedOrder, type DesiredCreative, type DesiredLine, type DesiredOrder, type Plan, type PlanProblem } from "../ad-servers/types";
import { type Ctx } from "../context";
import { findFormat } from "../creatives/formats";
import { creativeAssignments, creatives } from "../creatives/schema";
import { type CreativeRow, toDesiredCreative } from "../creatives/to-desired";
import { AppError, invariant } from "../errors";
import { toWireId } from "../ids";
import { effectiveStart } from "../media-buys/flight";
import { adServerTargeting } from "../inventory-lists/fields";
import { type MediaBuyStatus, mediaBuys, mediaPackages } from "../media-buys/schema";
import { tenants } from "../tenants/schema";
import { drawOrderNumber } from "./order-number";
import { DEFAULT_CHOICES } from "./policy";
import { fulfilments } from "./schema";

/** What an ad server should hold, from Postgres alone. Nothing here reaches a driver: the review screen's preview is the plan that will run. */

const ENDED: readonly MediaBuyStatus[] = ["canceled", "rejected", "completed"];
const NAME_LENGTH_MAX = 255;

export type OrderParts = Awaited<ReturnType<typeof loadOrderParts>>;

/** The rows that an order of one connection is made of. */
export async function loadOrderParts(ctx: Ctx, fulfilmentId: string) {
  const [parts] = await ctx.db
    .select({ fulfilment: fulfilments, buy: mediaBuys, account: accounts, connection: adapterConfigs, tenant: tenants, advertiserExternalId: accountAdvertisers.externalAdvertiserId })
    .from(fulfilments)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, fulfilments.tenantId), eq(mediaBuys.id, fulfilments.mediaBuyId)))
    .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, fulfilments.tenantId), eq(adapterConfigs.id, fulfilments.adapterConfigId)))
    .innerJoin(tenants, eq(tenants.id, fulfilments.tenantId))
    .leftJoin(accountAdvertisers, and(
      eq(accountAdvertisers.tenantId, accounts.tenantId), eq(accountAdvertisers.accountId, accounts.id), eq(accountAdvertisers.adapterConfigId, adapterConfigs.id),
    ))
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, fulfilmentId)));
  invariant(parts, `no fulfilment ${fulfilmentId}`);
  invariant(!parts.buy.isSandbox || parts.connection.mode === "simulated", `the sandbox media buy ${parts.buy.id} is on the live connection ${parts.connection.id}`);
  return parts;
}

/** Draws the external order number on the first call. */
export async function loadDesiredOrder(ctx: Ctx, fulfilmentId: string): Promise<DesiredOrder> {
  const parts = await loadOrderParts(ctx, fulfilmentId);
  return (await buildDesiredOrder(ctx, parts, await drawOrderNumber(ctx, parts.fulfilment))).desired;
}

/**
 * Reads only. `problems` names creatives that are left out, because nothing of them can be served.
 * @param orderNumber 0 in a preview of an order that has none yet
 */
export async function buildDesiredOrder(ctx: Ctx, parts: OrderParts, orderNumber: number): Promise<{ desired: DesiredOrder; problems: PlanProblem[] }> {
  const { fulfilment, buy, account, connection, tenant, advertiserExternalId } = parts;
  const suffix = `[${toWireId("mediaBuy", buy.id)}]`;
  const { lines, problems } = await loadLines(ctx, parts);
  const desired: DesiredOrder = {
    tenantId: ctx.tenantId,
    mediaBuyId: buy.id,
    fulfilmentId: fulfilment.id,
    adapterConfigId: connection.id,
    version: fulfilment.desiredVersion,
    name: nameWithSuffix(buy.name, suffix),
    suffix,
    poNumber: buy.poNumber,
    currency: buy.currency,
    timeZone: connection.timeZone,
    externalOrderNumber: orderNumber,
    advertiserExternalId,
    advertiserToCreate: advertiserExternalId === null && tenant.isAdvertiserCreationAllowed ? account.name : null,
    isEnded: ENDED.includes(buy.status),
    isPaused: buy.status === "paused",
    isOverbookingAllowed: tenant.isOverbookingAllowed || fulfilment.inventoryOverride === "overbook",
    isInventoryCheckSkipped: fulfilment.inventoryOverride === "skip_inventory_check",
    lines,
  };
  return { desired, problems };
}

async function loadLines(ctx: Ctx, { buy, connection }: OrderParts): Promise<{ lines: DesiredLine[]; problems: PlanProblem[] }> {
  const ofThisBuy = and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.mediaBuyId, buy.id));
  const selling = ctx.db.select().from(mediaPackages).where(ofThisBuy).orderBy(asc(mediaPackages.position));
  const assigning = ctx.db
    .select({ packageId: creativeAssignments.packageId, weight: creativeAssignments.weight, creative: creatives })
    .from(creativeAssignments)
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
    .innerJoin(creatives, and(eq(creatives.tenantId, creativeAssignments.tenantId), eq(creatives.id, creativeAssignments.creativeId)))
    .where(and(ofThisBuy, eq(creatives.status, "approved"), isNull(creatives.archivedAt)))
    .orderBy(asc(creatives.id));
  const [packages, assigned] = await Promise.all([selling, assigning]);
  const earliest = buy.effectiveStartsAt ?? effectiveStart(buy.startsAt, ctx.now);

  const problems: PlanProblem[] = [];
  const lines = packages.flatMap((row): DesiredLine[] => {
    const target = row.sold.targets.find(({ adapterConfigId }) => adapterConfigId === connection.id);
    if (!target) return [];
    return [{
      packageId: row.id,
      name: nameWithSuffix(row.sold.productName, `[${toWireId("package", row.id)}]`),
      productName: row.sold.productName,
      target: target.config,
      deliveryType: row.sold.deliveryType,
      pricingModel: row.pricingModel,
      rateMicros: row.rateMicros.toString(),
      budgetMicros: row.budgetMicros.toString(),
      currency: row.currency,
      units: row.units.toString(),
      startsAt: (row.startsAt > earliest ? row.startsAt : earliest).toISOString(),
      endsAt: row.endsAt.toISOString(),
      pacing: row.pacing,
      isPaused: row.isPaused,
      isHeld: row.hold !== null,
      isCanceled: row.canceledAt !== null,
      targeting: adServerTargeting(row.targeting),
      placeholders: row.sold.formatIds.flatMap((formatId) => {
        const format = findFormat(formatId);
        return format ? [{ width: format.width, height: format.height, kind: format.kind }] : [];
      }),
      creatives: assigned.filter(({ packageId }) => packageId === row.id).flatMap(({ creative, weight }) => {
        const desired = tryToServe(creative, weight);
        if (!(desired instanceof AppError)) return [desired];
        problems.push({ code: desired.code.toLowerCase(), message: desired.userMessage, packageId: row.id });
        return [];
      }),
    }];
  });
  return { lines, problems };
}

function tryToServe(creative: CreativeRow, weight: number | null): DesiredCreative | AppError {
  try {
    return toDesiredCreative(creative, weight);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function nameWithSuffix(name: string, suffix: string): string {
  return `${name.slice(0, NAME_LENGTH_MAX - suffix.length - 1)} ${suffix}`;
}

/** What has been written successfully so far. */
export async function loadAppliedOrder(ctx: Ctx, fulfilmentId: string): Promise<AppliedOrder> {
  const objects = await ctx.db
    .select({ kind: externalObjects.kind, ourKey: externalObjects.ourKey, externalId: externalObjects.externalId, applied: externalObjects.applied })
    .from(externalObjects)
    .where(and(eq(externalObjects.tenantId, ctx.tenantId), eq(externalObjects.fulfilmentId, fulfilmentId)))
    .orderBy(asc(externalObjects.kind), asc(externalObjects.ourKey));
  return { objects };
}

/** The plan, where an ad server that this release does not know is a block and not an exception. */
export function planOrder(declaration: () => AdServerDeclaration, desired: DesiredOrder, applied: AppliedOrder, now: Date): Plan {
  try {
    return declaration().plan(desired, applied, now);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: "blocked", code: error.code.toLowerCase(), reason: error.userMessage, choices: DEFAULT_CHOICES };
  }
}

export type PlanPreview = { adapterConfigId: string; connectionName: string; kind: string; mode: "live" | "simulated"; plan: Plan; problems: PlanProblem[] };

/** Per connection, what would be written to it now. Changes nothing. */
export async function previewPlans(ctx: Ctx, mediaBuyId: string): Promise<PlanPreview[]> {
  const rows = await ctx.db.select({ id: fulfilments.id }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, mediaBuyId))).orderBy(asc(fulfilments.createdAt), asc(fulfilments.id));
  const previews: PlanPreview[] = [];
  for (const { id } of rows) previews.push(await previewPlan(ctx, id));
  return previews;
}

async function previewPlan(ctx: Ctx, fulfilmentId: string): Promise<PlanPreview> {
  const [parts, applied] = await Promise.all([loadOrderParts(ctx, fulfilmentId), loadAppliedOrder(ctx, fulfilmentId)]);
  const { connection } = parts;
  const { desired, problems } = await buildDesiredOrder(ctx, parts, parts.fulfilment.externalOrderNumber ?? 0);
  const plan = planOrder(() => adServerDeclaration(connection.kind), desired, applied, ctx.now);
  const isKnown = AD_SERVER_KINDS.includes(connection.kind);
  const unsellable = desired.lines.flatMap((line) => (isKnown ? adServerDeclaration(connection.kind).checkLine(line).map((problem) => ({ packageId: line.packageId, ...problem })) : []));
  return { adapterConfigId: connection.id, connectionName: connection.name, kind: connection.kind, mode: connection.mode, plan, problems: [...problems, ...unsellable] };
}
