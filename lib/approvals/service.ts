import { and, eq } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { lockLibrary } from "../creatives/serving";
import { AppError, invariant } from "../errors";
import { isUuid } from "../ids";
import { announceChange } from "../live";
import { type AssignedCreative, lockMediaBuy } from "../media-buys/queries";
import { type TaskError } from "../media-buys/tasks";
import { mediaBuys } from "../media-buys/schema";
import { tenants } from "../tenants/schema";
import { formatDateTime } from "../time";
import { queueTaskWebhook } from "../webhooks/service";
import { confirmOrder, refuseOrder } from "./outcome";
import { loadReview, type Review, type WorkflowStep } from "./review";
import { workflowSteps } from "./schema";

export const DECISIONS = ["approve", "reject", "ask_for_changes"] as const;
export type Decision = (typeof DECISIONS)[number];
export type DecideInput = { stepId: string; decision: Decision; reason?: string; shownHash: string };

/** A step about an order. */
type OrderStep = WorkflowStep & { mediaBuyId: string };

const REASON_LENGTH_MAX = 1_000;

/**
 * The one way by which an order that waits is decided, whoever decides and wherever from. One transaction: the decision, the order's
 * status, the buyer's task and its webhook, and the events that start execution. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND,
 * VALIDATION_ERROR without a reason, INVALID_STATE when a check blocks, CONFLICT when it was decided or changed meanwhile.
 */
export async function decideMediaBuy(ctx: Ctx, input: DecideInput): Promise<{ mediaBuyId: string }> {
  requirePermission(ctx.actor, "media_buy.decide");
  const reason = input.reason?.trim() ?? "";
  if (input.decision !== "approve" && reason === "") throw new AppError("VALIDATION_ERROR", "Give a reason: the buyer will read it.", { field: "reason" });
  if (reason.length > REASON_LENGTH_MAX) throw new AppError("VALIDATION_ERROR", `A reason has at most ${REASON_LENGTH_MAX} characters.`, { field: "reason" });

  const step = await lockOpenStep(ctx, input.stepId, input.decision);
  const review = await loadReview(ctx, step.mediaBuyId);
  if (review.shownHash !== input.shownHash) {
    throw new AppError("CONFLICT", "The order has changed since you looked at it.", { suggestion: "Reload to see it as it is now, then decide." });
  }
  if (input.decision === "approve") await approve(ctx, step, review);
  else await refuse(ctx, step, input.decision, reason);

  await closeStep(ctx, step, { decision: input.decision, reason: reason === "" ? null : reason });
  if (step.taskId) await queueTaskWebhook(ctx, { taskId: step.taskId });
  announceChange(ctx, "media_buy", step.mediaBuyId);
  return { mediaBuyId: step.mediaBuyId };
}

/** Notes who decided what, once the order has moved. `withdraw` is the buyer's. */
export async function closeStep(ctx: Ctx, step: WorkflowStep, { decision, reason }: { decision: Decision | "withdraw"; reason: string | null }): Promise<void> {
  await ctx.db.update(workflowSteps)
    .set({
      state: decision === "approve" ? "approved" : "rejected", decision, reason,
      decidedBy: ctx.actor.kind === "user" ? ctx.actor.userId : null, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now,
    })
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.id, step.id)));
  announceChange(ctx, "queue", step.id);
}

const DECIDED: Record<string, string> = { approve: "approved", reject: "rejected", ask_for_changes: "asked for changes to", withdraw: "withdrew" };

/** Locks the library for an approval, the order, then the step: every path takes them in this order. Of two people, the second waits here and learns who was first. */
async function lockOpenStep(ctx: Ctx, stepId: string, decision: Decision): Promise<OrderStep> {
  const its = and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.id, stepId), eq(workflowSteps.kind, "media_buy_approval"));
  const [known] = isUuid(stepId) ? await ctx.db.select({ mediaBuyId: mediaBuys.id, accountId: mediaBuys.accountId }).from(workflowSteps)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, workflowSteps.tenantId), eq(mediaBuys.id, workflowSteps.mediaBuyId))).where(its) : [];
  if (!known) throw new AppError("REFERENCE_NOT_FOUND", "There is no such approval here.");
  if (decision === "approve") await lockLibrary(ctx, known.accountId);
  await lockMediaBuy(ctx, known.mediaBuyId);
  const [step] = await ctx.db.select().from(workflowSteps).where(its).for("update");
  invariant(step, "a workflow step vanished");
  if (step.state === "requires_approval") return { ...step, mediaBuyId: known.mediaBuyId };
  const [tenant] = await ctx.db.select({ timeZone: tenants.timeZone }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  const decided = DECIDED[step.decision ?? ""] ?? "decided";
  const when = step.decidedAt && tenant ? ` on ${formatDateTime(step.decidedAt, tenant.timeZone)}` : "";
  throw new AppError("CONFLICT", `${step.decidedByLabel ?? "Somebody"} ${decided} this order${when}.`, {
    suggestion: "Reload to see where it stands.", details: { decision: step.decision, decided_by: step.decidedByLabel, decided_at: step.decidedAt?.toISOString() },
  });
}

async function approve(ctx: Ctx, step: OrderStep, review: Review): Promise<void> {
  const blocks = review.checks.filter(({ outcome }) => outcome === "block");
  if (blocks.length > 0) throw new AppError("INVALID_STATE", `This order cannot be approved. ${blocks.map(({ message }) => message).join(" ")}`, { details: { checks: blocks } });
  const assigned = review.packages.flatMap((row) => row.creatives.map((item): AssignedCreative => ({ packageId: row.id, ...item })));
  await confirmOrder(ctx, { buy: review.mediaBuy, account: review.account, packages: review.packages, assigned, taskId: step.taskId }, {
    message: "The publisher approved the order.", action: "media_buy.approved", summary: "The publisher approved the order",
  });
}

/** The words of staff reach the buyer as they are. Asking for changes ends the task too: the buyer corrects the order and places it again. */
const REFUSALS = {
  reject: { code: "ORDER_REJECTED", recovery: "terminal", message: "The publisher rejected the order.", action: "media_buy.rejected", summary: "The publisher rejected the order" },
  ask_for_changes: { code: "CHANGES_REQUESTED", recovery: "correctable", message: "The publisher asks for changes.", action: "media_buy.changes_requested", summary: "The publisher asked for changes" },
} as const;

async function refuse(ctx: Ctx, step: OrderStep, decision: keyof typeof REFUSALS, reason: string): Promise<void> {
  const { code, recovery, message, action, summary } = REFUSALS[decision];
  const error: TaskError = { code, message: reason, recovery, ...(decision === "ask_for_changes" ? { suggestion: "Correct the order and place it again with a new idempotency_key." } : {}) };
  await refuseOrder(ctx, { mediaBuyId: step.mediaBuyId, taskId: step.taskId }, { error, message, action, summary });
}
