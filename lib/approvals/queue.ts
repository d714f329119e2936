import { and, asc, count, eq, inArray, sql } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { creatives } from "../creatives/schema";
import { invariant } from "../errors";
import { mediaBuys } from "../media-buys/schema";
import { WORKFLOW_STEP_KINDS, workflowSteps } from "./schema";

export type QueueKind = (typeof WORKFLOW_STEP_KINDS)[number];
export const QUEUE_PAGE_SIZES = [10, 25, 50, 100] as const;

export type QueueSubject =
  | { kind: "media_buy"; id: string; budgetMicros: bigint; currency: string; startsAt: Date; endsAt: Date }
  | { kind: "creative"; id: string; formatId: string; /** Packages of confirmed and waiting orders that it is assigned to. */ packageCount: number };

export type QueueItem = {
  stepId: string;
  kind: QueueKind;
  name: string;
  buyerName: string;
  accountName: string;
  isSandbox: boolean;
  subject: QueueSubject;
  waitingSince: Date;
  dueAt: Date | null;
  isOverdue: boolean;
  /** What is wrong with a stopped order; why a creative is looked at again. */
  reason: string | null;
};

/** What waits for a person, oldest first, with how many of each kind there are. `page` counts from 1. */
export async function listQueue(ctx: Ctx, input: { kind?: QueueKind; page: number; pageSize: (typeof QUEUE_PAGE_SIZES)[number] }): Promise<{ rows: QueueItem[]; total: number; counts: Record<QueueKind, number> }> {
  requirePermission(ctx.actor, "media_buy.read");
  const isOpen = and(eq(workflowSteps.tenantId, ctx.tenantId), inArray(workflowSteps.state, ["requires_approval", "pending"]));
  const counted = await ctx.db.select({ kind: workflowSteps.kind, count: count() }).from(workflowSteps).where(isOpen).groupBy(workflowSteps.kind);
  const counts = Object.fromEntries(WORKFLOW_STEP_KINDS.map((kind) => [kind, counted.find((row) => row.kind === kind)?.count ?? 0])) as Record<QueueKind, number>;
  const rows = await ctx.db
    .select({ step: workflowSteps, buy: mediaBuys, creative: creatives, buyerName: principals.name, accountName: accounts.name, isSandbox: accounts.isSandbox, packageCount }).from(workflowSteps)
    .leftJoin(mediaBuys, and(eq(mediaBuys.tenantId, workflowSteps.tenantId), eq(mediaBuys.id, workflowSteps.mediaBuyId)))
    .leftJoin(creatives, and(eq(creatives.tenantId, workflowSteps.tenantId), eq(creatives.id, workflowSteps.creativeId)))
    .innerJoin(accounts, and(eq(accounts.tenantId, workflowSteps.tenantId), eq(accounts.id, sql`coalesce(${mediaBuys.accountId}, ${creatives.accountId})`)))
    .innerJoin(principals, and(eq(principals.tenantId, accounts.tenantId), eq(principals.id, accounts.principalId)))
    .where(and(isOpen, input.kind ? eq(workflowSteps.kind, input.kind) : undefined))
    .orderBy(asc(workflowSteps.createdAt), asc(workflowSteps.id))
    .limit(input.pageSize).offset((input.page - 1) * input.pageSize);
  return {
    rows: rows.map(({ step, buy, creative, buyerName, accountName, isSandbox, packageCount: packages }) => ({
      stepId: step.id, kind: step.kind, name: buy?.name ?? creative?.name ?? "", buyerName, accountName, isSandbox, subject: subjectOf(buy, creative, packages), waitingSince: step.createdAt, dueAt: step.dueAt, isOverdue: step.dueAt !== null && step.dueAt < ctx.now, reason: step.payload.reason ?? null,
    })),
    total: input.kind ? counts[input.kind] : counted.reduce((sum, row) => sum + row.count, 0),
    counts,
  };
}

const packageCount = sql<number>`(select count(*)::int from creative_assignments a where a.tenant_id = ${workflowSteps.tenantId} and a.creative_id = ${workflowSteps.creativeId})`;

function subjectOf(buy: typeof mediaBuys.$inferSelect | null, creative: typeof creatives.$inferSelect | null, packages: number): QueueSubject {
  if (buy) return { kind: "media_buy", id: buy.id, budgetMicros: buy.budgetMicros, currency: buy.currency, startsAt: buy.startsAt, endsAt: buy.endsAt };
  invariant(creative, "a workflow step is about nothing");
  return { kind: "creative", id: creative.id, formatId: creative.formatId.id, packageCount: packages };
}
