import { and, eq, inArray } from "drizzle-orm";
import { type AccountRow } from "../accounts/present";
import { type Ctx } from "../context";
import { toWireId } from "../ids";
import { queueWebhook, registerReceiver } from "../webhooks/service";
import { creatives } from "./schema";
import { type CreativeRow } from "./to-desired";

/** Notes where the buyer wants to hear of the review of these creatives, in place of what was noted before. Throws VALIDATION_ERROR. */
export async function setCreativeReceiver(ctx: Ctx, { account, creativeIds, config }: { account: AccountRow; creativeIds: string[]; config: unknown }): Promise<void> {
  if (creativeIds.length === 0) return;
  const { id } = await registerReceiver(ctx, { principalId: account.principalId, accountId: account.id, purpose: "creative", config });
  await ctx.db.update(creatives).set({ receiverId: id }).where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.accountId, account.id), inArray(creatives.creativeId, creativeIds)));
}

/** Tells the buyer that somebody else changed a creative's status, as a late result of its sync_creatives. In the transaction of the change. */
export async function tellCreativeReceiver(ctx: Ctx, creative: CreativeRow): Promise<void> {
  if (creative.receiverId === null) return;
  const isRejected = creative.status === "rejected" && creative.rejectionReason !== null;
  await queueWebhook(ctx, {
    configId: creative.receiverId, mediaBuyId: null, eventKey: `creative:${creative.id}:${creative.version}`, taskId: toWireId("webhook", creative.receiverId), taskType: "sync_creatives",
    result: {
      creatives: [{
        creative_id: creative.creativeId, action: "updated", status: creative.status, platform_id: toWireId("creative", creative.id), changes: ["status"],
        // The protocol has no field of its own for the reason in this answer; clients show warnings.
        ...(isRejected ? { rejection_reason: creative.rejectionReason, warnings: [creative.rejectionReason] } : {}),
      }],
    },
  });
}
