import { and, eq } from "drizzle-orm";
import { workflowSteps } from "../approvals/schema";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError, invariant } from "../errors";
import { isUuid } from "../ids";
import { lockMediaBuy } from "../media-buys/queries";
import { askAgain, closeQuestion } from "./request";
import { governanceReviews } from "./schema";
import { refuseUnanswered, STOPPED_CHOICES } from "./settle";

/** A person's answer to an order whose governance agents give no decision. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND, VALIDATION_ERROR, CONFLICT when it was answered meanwhile. */
export async function resolveGovernance(ctx: Ctx, input: { stepId: string; choiceId: string; note?: string }): Promise<void> {
  requirePermission(ctx.actor, "media_buy.decide");
  const its = and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.id, input.stepId), eq(workflowSteps.kind, "governance_stopped"));
  const [known] = isUuid(input.stepId) ? await ctx.db.select({ mediaBuyId: workflowSteps.mediaBuyId }).from(workflowSteps).where(its) : [];
  if (!known?.mediaBuyId) throw new AppError("REFERENCE_NOT_FOUND", "This task does not exist.");
  await lockMediaBuy(ctx, known.mediaBuyId);
  const [step] = await ctx.db.select().from(workflowSteps).where(its).for("update");
  invariant(step, "a workflow step vanished");
  if (step.state !== "pending") throw new AppError("CONFLICT", `${step.decidedByLabel ?? "Somebody"} has answered this meanwhile.`, { suggestion: "Reload to see where the order stands." });
  const choice = STOPPED_CHOICES.find(({ id }) => id === input.choiceId);
  if (!choice) throw new AppError("VALIDATION_ERROR", "This is not one of the choices.", { field: "choiceId" });
  const [review] = await ctx.db.select().from(governanceReviews).where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.mediaBuyId, known.mediaBuyId), eq(governanceReviews.state, "stopped"))).for("update");
  invariant(review, "a stopped order has no governance review");
  if (choice.id === "give_up") return refuseUnanswered(ctx, review, input.note);
  await closeQuestion(ctx, known.mediaBuyId, { decision: choice.id, reason: input.note ?? null });
  await recordAudit(ctx, { action: "media_buy.governance_asked_again", objectKind: "media_buy", objectId: known.mediaBuyId, mediaBuyId: known.mediaBuyId, summary: `${choice.label}${input.note ? `: ${input.note}` : ""}` });
  await askAgain(ctx, review.id, ["stopped"]);
}
