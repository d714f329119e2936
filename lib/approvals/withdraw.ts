import { and, eq } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { closeQuestion } from "../governance/request";
import { announceChange } from "../live";
import { lockMediaBuy } from "../media-buys/queries";
import { endTask, loadTask, type TaskRow } from "../media-buys/tasks";
import { transitionMediaBuy } from "../media-buys/transitions";
import { queueTaskWebhook } from "../webhooks/service";
import { endUnsent } from "./outcome";
import { workflowSteps } from "./schema";
import { closeStep } from "./service";

/**
 * The buyer takes back an order that waits for its decision. One transaction, as with a decision of staff: the order's status, the step in
 * their queue, the task and its webhook. Throws REFERENCE_NOT_FOUND for a task that is not this buyer's, NOT_CANCELLABLE once it has
 * ended: a confirmed order is canceled by update_media_buy.
 */
export async function withdrawMediaBuy(ctx: Ctx, session: BuyerSession, input: { taskId: string }): Promise<TaskRow> {
  const task = await loadTask(ctx, session, input.taskId);
  const { mediaBuyId } = task;
  if (mediaBuyId === null || task.taskType !== "create_media_buy") throw new AppError("NOT_CANCELLABLE", "This task cannot be withdrawn.", { field: "id" });
  const { status } = await lockMediaBuy(ctx, mediaBuyId);
  if (status !== "pending_approval") throw new AppError("NOT_CANCELLABLE", "This order does not wait for a decision any more.", { field: "id", suggestion: "Read the task; a confirmed media buy is canceled with update_media_buy." });
  await transitionMediaBuy(ctx, { mediaBuyId, from: ["pending_approval"], to: "canceled", set: { canceledAt: ctx.now, canceledBy: "buyer" } });
  await endUnsent(ctx, mediaBuyId);
  const [step] = await ctx.db.select().from(workflowSteps)
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.mediaBuyId, mediaBuyId), eq(workflowSteps.kind, "media_buy_approval"), eq(workflowSteps.state, "requires_approval"))).for("update");
  if (step) await closeStep(ctx, step, { decision: "withdraw", reason: null });
  await closeQuestion(ctx, mediaBuyId, { decision: "withdraw", reason: null });
  const ended = await endTask(ctx, task.id, { status: "canceled", message: "You withdrew the order before it was decided." });
  await queueTaskWebhook(ctx, { taskId: task.id });
  await recordAudit(ctx, {
    action: "media_buy.withdrawn", objectKind: "media_buy", objectId: mediaBuyId, mediaBuyId, summary: "The buyer withdrew the order before it was decided",
    before: { status: "pending_approval" }, after: { status: "canceled" },
  });
  announceChange(ctx, "media_buy", mediaBuyId);
  return ended;
}
