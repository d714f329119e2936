import { and, asc, eq, like, not } from "drizzle-orm";
import { auditLog } from "../audit/schema";
import { type Ctx } from "../context";
import { fulfilmentOperations, fulfilments } from "../fulfilment/schema";
import { loadGovernance } from "../governance/present";
import { webhookDeliveries } from "../webhooks/schema";

export type TimelineEntry = {
  /** Stable key for a list. */
  key: string;
  at: Date;
  kind: "change" | "operation" | "notification" | "governance";
  /** Who or what did it. */
  actor: string;
  title: string;
  outcome: "done" | "running" | "failed" | "waiting" | null;
  details: string[];
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
};

/** Everything that happened to a media buy, oldest first: what people and the system did, what ad servers were told, who was notified. */
export async function loadTimeline(ctx: Ctx, mediaBuyId: string): Promise<TimelineEntry[]> {
  const entries = [...(await loadChanges(ctx, mediaBuyId)), ...(await loadOperations(ctx, mediaBuyId)), ...(await loadNotifications(ctx, mediaBuyId)), ...(await loadGovernanceChecks(ctx, mediaBuyId))];
  return entries.sort((a, b) => a.at.getTime() - b.at.getTime());
}

async function loadChanges(ctx: Ctx, mediaBuyId: string): Promise<TimelineEntry[]> {
  const rows = await ctx.db.select().from(auditLog).where(and(eq(auditLog.tenantId, ctx.tenantId), eq(auditLog.mediaBuyId, mediaBuyId))).orderBy(asc(auditLog.id));
  return rows.map((row) => ({ key: `audit:${row.id}`, at: row.createdAt, kind: "change", actor: row.actorLabel, title: row.summary, outcome: null, details: [row.action], before: row.before, after: row.after }));
}

const OPERATION_OUTCOMES = { planned: "waiting", started: "running", done: "done", failed: "failed", unknown: "running", superseded: "done" } as const;

async function loadOperations(ctx: Ctx, mediaBuyId: string): Promise<TimelineEntry[]> {
  const rows = await ctx.db.select({ operation: fulfilmentOperations }).from(fulfilmentOperations)
    .innerJoin(fulfilments, and(eq(fulfilments.tenantId, fulfilmentOperations.tenantId), eq(fulfilments.id, fulfilmentOperations.fulfilmentId)))
    .where(and(eq(fulfilmentOperations.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, mediaBuyId)))
    .orderBy(asc(fulfilmentOperations.desiredVersion), asc(fulfilmentOperations.position));
  return rows.map(({ operation }) => ({
    key: `operation:${operation.id}`, at: operation.finishedAt ?? operation.startedAt ?? operation.createdAt, kind: "operation", actor: "Ad server",
    title: operation.summary, outcome: OPERATION_OUTCOMES[operation.state],
    details: [
      ...(operation.state === "superseded" ? ["superseded by a newer version"] : []),
      ...(operation.attempts > 1 ? [`${operation.attempts} attempts`] : []),
      ...(operation.error ? [operation.error.message] : []),
      ...Object.values(operation.externalIds ?? {}),
    ],
    before: null, after: null,
  }));
}

const DELIVERY_OUTCOMES = { pending: "waiting", delivered: "done", dead: "failed" } as const;

/** Delivery reports are not among them: there may be thousands. */
async function loadNotifications(ctx: Ctx, mediaBuyId: string): Promise<TimelineEntry[]> {
  const rows = await ctx.db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.mediaBuyId, mediaBuyId), not(like(webhookDeliveries.eventKey, "report:%")))).orderBy(asc(webhookDeliveries.createdAt), asc(webhookDeliveries.id));
  return rows.map((row) => ({
    key: `notification:${row.id}`, at: row.deliveredAt ?? row.createdAt, kind: "notification", actor: "Greenlight",
    title: row.audience === "buyer" ? "Notified the buyer" : "Notified staff", outcome: DELIVERY_OUTCOMES[row.state],
    details: [...(row.attempts > 1 ? [`${row.attempts} attempts`] : []), ...(row.lastStatus === null ? [] : [`HTTP ${row.lastStatus}`]), ...(row.lastError === null ? [] : [row.lastError])],
    before: null, after: null,
  }));
}

const CHECK_WORDS = { pending: "is asked", approved: "agreed", conditions: "agreed with conditions", denied: "refused", unanswered: "gave no decision", withdrawn: "is not asked any more" } as const;
const CHECK_OUTCOMES = { pending: "running", approved: "done", conditions: "done", denied: "failed", unanswered: "failed", withdrawn: "done" } as const;

async function loadGovernanceChecks(ctx: Ctx, mediaBuyId: string): Promise<TimelineEntry[]> {
  const state = await loadGovernance(ctx, mediaBuyId);
  return (state?.answers ?? []).map(({ check, url }) => ({
    key: `governance:${check.id}`, at: check.answeredAt ?? check.updatedAt, kind: "governance", actor: "Governance agent",
    title: `${new URL(url).host} ${CHECK_WORDS[check.state]}`, outcome: CHECK_OUTCOMES[check.state],
    details: [
      ...(check.checkId === null ? [] : [check.checkId]), ...(check.explanation === null ? [] : [check.explanation]), ...check.conditions.map(({ field, reason }) => `${field}: ${reason}`), ...check.findings.map(({ explanation }) => explanation),
      ...(check.attempts > 1 ? [`${check.attempts} attempts`] : []), ...(check.lastError === null ? [] : [check.lastError]),
    ],
    before: null, after: null,
  }));
}
