import { and, asc, count, eq, inArray } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { mediaBuys } from "../media-buys/schema";
import { type WORKFLOW_STEP_KINDS, workflowSteps } from "./schema";

export type QueueKind = (typeof WORKFLOW_STEP_KINDS)[number];
export const QUEUE_PAGE_SIZES = [10, 25, 50, 100] as const;

export type QueueItem = {
  stepId: string;
  kind: QueueKind;
  mediaBuyId: string;
  name: string;
  buyerName: string;
  accountName: string;
  isSandbox: boolean;
  budgetMicros: bigint;
  currency: string;
  startsAt: Date;
  endsAt: Date;
  waitingSince: Date;
  dueAt: Date | null;
  isOverdue: boolean;
  /** What is wrong, for a stopped order. */
  reason: string | null;
};

/** What waits for a person, oldest first, with how many of each kind there are. `page` counts from 1. */
export async function listQueue(ctx: Ctx, input: { kind?: QueueKind; page: number; pageSize: (typeof QUEUE_PAGE_SIZES)[number] }): Promise<{ rows: QueueItem[]; total: number; counts: Record<QueueKind, number> }> {
  requirePermission(ctx.actor, "media_buy.read");
  const isOpen = and(eq(workflowSteps.tenantId, ctx.tenantId), inArray(workflowSteps.state, ["requires_approval", "pending"]));
  const counted = await ctx.db.select({ kind: workflowSteps.kind, count: count() }).from(workflowSteps).where(isOpen).groupBy(workflowSteps.kind);
  const counts = { media_buy_approval: 0, fulfilment_blocked: 0, governance_stopped: 0, ...Object.fromEntries(counted.map((row) => [row.kind, row.count])) };
  const rows = await ctx.db
    .select({ step: workflowSteps, buy: mediaBuys, buyerName: principals.name, accountName: accounts.name }).from(workflowSteps)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, workflowSteps.tenantId), eq(mediaBuys.id, workflowSteps.mediaBuyId)))
    .innerJoin(principals, and(eq(principals.tenantId, mediaBuys.tenantId), eq(principals.id, mediaBuys.principalId)))
    .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
    .where(and(isOpen, input.kind ? eq(workflowSteps.kind, input.kind) : undefined))
    .orderBy(asc(workflowSteps.createdAt), asc(workflowSteps.id))
    .limit(input.pageSize).offset((input.page - 1) * input.pageSize);
  return {
    rows: rows.map(({ step, buy, buyerName, accountName }) => ({
      stepId: step.id, kind: step.kind, mediaBuyId: buy.id, name: buy.name, buyerName, accountName, isSandbox: buy.isSandbox, budgetMicros: buy.budgetMicros, currency: buy.currency,
      startsAt: buy.startsAt, endsAt: buy.endsAt, waitingSince: step.createdAt, dueAt: step.dueAt, isOverdue: step.dueAt !== null && step.dueAt < ctx.now, reason: step.payload.reason ?? null,
    })),
    total: input.kind ? counts[input.kind] : counts.media_buy_approval + counts.fulfilment_blocked + counts.governance_stopped,
    counts,
  };
}
