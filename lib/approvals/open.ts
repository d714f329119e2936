import { type Ctx } from "../context";
import { newId } from "../ids";
import { announceChange } from "../live";
import { type MediaBuyRow } from "../media-buys/transitions";
import { formatMoney } from "../money";
import { addMs, MINUTE_MS } from "../time";
import { queueStaffNotice } from "../webhooks/service";
import { workflowSteps } from "./schema";

/** Puts an order before the publisher's staff, and tells them. One that is open already stays as it is. */
export async function openApproval(ctx: Ctx, input: { buy: MediaBuyRow; taskId: string; buyerName: string; publisher: { slug: string; decisionTimeMinutes: number } }): Promise<void> {
  const { buy, taskId, buyerName, publisher } = input;
  await ctx.db.insert(workflowSteps).values({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), kind: "media_buy_approval", state: "requires_approval", mediaBuyId: buy.id, taskId,
    dueAt: addMs(ctx.now, publisher.decisionTimeMinutes * MINUTE_MS), createdAt: ctx.now, updatedAt: ctx.now,
  }).onConflictDoNothing();
  await queueStaffNotice(ctx, {
    eventKey: `media_buy_approval:${buy.id}`, title: "An order waits for your decision",
    text: `${buy.name}: ${formatMoney(buy.budgetMicros, buy.currency)} from ${buyerName}`, path: `/p/${publisher.slug}/media-buys/${buy.id}`, mediaBuyId: buy.id,
  });
  announceChange(ctx, "media_buy", buy.id);
  announceChange(ctx, "queue", buy.id);
}
