import { and, asc, count, desc, eq, ilike, like, or, type SQL } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { type TimelineEntry } from "../approvals/timeline";
import { workflowSteps } from "../approvals/schema";
import { auditLog } from "../audit/schema";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { findFormat, type FormatDefinition } from "./formats";
import { CREATIVE_STATUSES, creativeAssignments, creatives } from "./schema";
import { renderCreative, staffPreviewPath } from "./staff-preview";
import { type CreativeRow } from "./to-desired";
import { type CreativeStatus } from "./transitions";

/** What staff see of buyers' creatives. */

const SORT_COLUMNS = { updatedAt: creatives.updatedAt, name: creatives.name, buyer: principals.name };

export type LibraryInput = PageQuery & { search: string; /** current: all but what was archived. */ status: CreativeStatus | "current"; sort: keyof typeof SORT_COLUMNS; direction: "asc" | "desc" };
export type LibraryRow = Pick<CreativeRow, "id" | "creativeId" | "name" | "status" | "updatedAt"> & { formatId: string; buyerName: string; accountName: string; isSandbox: boolean; packageCount: number };

/** One page of all buyers' creatives, with how many there are in each status. Throws PERMISSION_DENIED. */
export async function listLibrary(ctx: Ctx, input: LibraryInput): Promise<{ rows: LibraryRow[]; total: number; counts: Record<CreativeStatus | "current", number> }> {
  requirePermission(ctx.actor, "creative.read");
  const pattern = containsPattern(input.search);
  const matches = and(
    eq(creatives.tenantId, ctx.tenantId),
    input.search === "" ? undefined : or(ilike(creatives.name, pattern), ilike(creatives.creativeId, pattern), ilike(principals.name, pattern), ilike(accounts.name, pattern)),
  );
  const isWanted: SQL | undefined = input.status === "current" ? or(...CREATIVE_STATUSES.filter((status) => status !== "archived").map((status) => eq(creatives.status, status))) : eq(creatives.status, input.status);
  const owners = { account: and(eq(accounts.tenantId, creatives.tenantId), eq(accounts.id, creatives.accountId)), buyer: and(eq(principals.tenantId, creatives.tenantId), eq(principals.id, creatives.principalId)) };
  const order = input.direction === "asc" ? asc : desc;
  const { limit, offset } = pageWindow(input);
  const packageCount = ctx.db.$count(creativeAssignments, and(eq(creativeAssignments.tenantId, creatives.tenantId), eq(creativeAssignments.creativeId, creatives.id)));
  const [rows, counted] = await Promise.all([
    ctx.db.select({ creative: creatives, buyerName: principals.name, accountName: accounts.name, isSandbox: accounts.isSandbox, packageCount }).from(creatives)
      .innerJoin(accounts, owners.account).innerJoin(principals, owners.buyer).where(and(matches, isWanted))
      .orderBy(order(SORT_COLUMNS[input.sort]), order(creatives.id)).limit(limit).offset(offset),
    ctx.db.select({ status: creatives.status, count: count() }).from(creatives).innerJoin(accounts, owners.account).innerJoin(principals, owners.buyer).where(matches).groupBy(creatives.status),
  ]);
  const counts = { current: 0, processing: 0, pending_review: 0, approved: 0, rejected: 0, archived: 0 };
  for (const row of counted) {
    counts[row.status] = row.count;
    if (row.status !== "archived") counts.current += row.count;
  }
  return {
    rows: rows.map(({ creative, ...row }) => ({ id: creative.id, creativeId: creative.creativeId, name: creative.name, status: creative.status, updatedAt: creative.updatedAt, formatId: creative.formatId.id, ...row })),
    total: counts[input.status], counts,
  };
}

export type CreativeView = Awaited<ReturnType<typeof loadCreative>>;

/** Everything that the screen of one creative shows. Throws PERMISSION_DENIED, CREATIVE_NOT_FOUND. */
export async function loadCreative(ctx: Ctx, id: string) {
  requirePermission(ctx.actor, "creative.read");
  const [found] = !isUuid(id) ? [] : await ctx.db.select({ creative: creatives, account: accounts, buyer: { id: principals.id, name: principals.name } }).from(creatives)
    .innerJoin(accounts, and(eq(accounts.tenantId, creatives.tenantId), eq(accounts.id, creatives.accountId)))
    .innerJoin(principals, and(eq(principals.tenantId, creatives.tenantId), eq(principals.id, creatives.principalId)))
    .where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.id, id)));
  if (!found) throw new AppError("CREATIVE_NOT_FOUND", "There is no such creative here.");
  const { creative } = found;
  const [assignments, steps, history, next] = await Promise.all([loadAssignments(ctx, id), loadSteps(ctx, id), loadHistory(ctx, creative), findNext(ctx, id)]);
  const format: FormatDefinition | undefined = findFormat(creative.formatId.id);
  return {
    ...found, format: format ?? null, assignments, steps, history, nextWaitingId: next,
    /** null: nothing of it can be shown. */
    previewPath: renderCreative(creative) === undefined ? null : staffPreviewPath(creative, ctx.now),
  };
}

/** Packages that it is assigned to, those of orders that wait for their approval too. */
async function loadAssignments(ctx: Ctx, id: string) {
  return ctx.db.select({ package: mediaPackages, buy: mediaBuys, weight: creativeAssignments.weight, assignedAt: creativeAssignments.createdAt }).from(creativeAssignments)
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId)))
    .where(and(eq(creativeAssignments.tenantId, ctx.tenantId), eq(creativeAssignments.creativeId, id)))
    .orderBy(desc(mediaBuys.createdAt), asc(mediaPackages.position));
}

async function loadSteps(ctx: Ctx, id: string) {
  return ctx.db.select().from(workflowSteps).where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.creativeId, id))).orderBy(asc(workflowSteps.createdAt), asc(workflowSteps.id));
}

const OUTCOMES = { pending: "waiting", delivered: "done", dead: "failed" } as const;

/** What people and buyers did to it, and who was told, oldest first. */
async function loadHistory(ctx: Ctx, { id, principalId, accountId }: CreativeRow): Promise<TimelineEntry[]> {
  const [changes, told] = await Promise.all([
    ctx.db.select().from(auditLog).where(and(eq(auditLog.tenantId, ctx.tenantId), eq(auditLog.objectKind, "creative"), eq(auditLog.objectId, id))).orderBy(asc(auditLog.id)),
    ctx.db.select({ row: webhookDeliveries }).from(pushNotificationConfigs)
      .innerJoin(webhookDeliveries, and(eq(webhookDeliveries.tenantId, pushNotificationConfigs.tenantId), eq(webhookDeliveries.configId, pushNotificationConfigs.id), like(webhookDeliveries.eventKey, `creative:${id}:%`)))
      .where(and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.principalId, principalId), eq(pushNotificationConfigs.accountId, accountId), eq(pushNotificationConfigs.purpose, "creative")))
      .orderBy(asc(webhookDeliveries.createdAt), asc(webhookDeliveries.id)),
  ]);
  const entries: TimelineEntry[] = [
    ...changes.map((row) => ({ key: `audit:${row.id}`, at: row.createdAt, kind: "change" as const, actor: row.actorLabel, title: row.summary, outcome: null, details: [row.action], before: row.before, after: row.after })),
    ...told.map(({ row }) => ({
      key: `notification:${row.id}`, at: row.deliveredAt ?? row.createdAt, kind: "notification" as const, actor: "Greenlight", title: "Notified the buyer", outcome: OUTCOMES[row.state],
      details: [...(row.attempts > 1 ? [`${row.attempts} attempts`] : []), ...(row.lastStatus === null ? [] : [`HTTP ${row.lastStatus}`]), ...(row.lastError === null ? [] : [row.lastError])], before: null, after: null,
    })),
  ];
  return entries.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** The creative that has waited longest beside this one. */
async function findNext(ctx: Ctx, id: string): Promise<string | null> {
  const rows = await ctx.db.select({ creativeId: workflowSteps.creativeId }).from(workflowSteps)
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.kind, "creative_review"), eq(workflowSteps.state, "requires_approval")))
    .orderBy(asc(workflowSteps.createdAt), asc(workflowSteps.id)).limit(2);
  return rows.find(({ creativeId }) => creativeId !== id)?.creativeId ?? null;
}
