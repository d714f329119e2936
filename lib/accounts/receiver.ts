import { and, eq, isNull } from "drizzle-orm";
import { type Ctx } from "../context";
import { toWireId } from "../ids";
import { checkReceiverUrl } from "../webhooks/address";
import { pushNotificationConfigs } from "../webhooks/schema";
import { queueWebhook, registerReceiver } from "../webhooks/service";
import { type AccountRow, presentAccount } from "./present";

const ofAccount = (ctx: Ctx, accountId: string) => and(
  eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.accountId, accountId), eq(pushNotificationConfigs.purpose, "account"), isNull(pushNotificationConfigs.archivedAt),
);

/** Notes where the buyer wants to hear when these accounts' status changes, in place of what was noted before. Throws VALIDATION_ERROR. */
export async function setAccountReceiver(ctx: Ctx, input: { principalId: string; accountIds: string[]; config: Record<string, unknown>; isDryRun: boolean }): Promise<void> {
  checkReceiverUrl(String(input.config.url), "push_notification_config.url");
  if (input.isDryRun) return;
  for (const accountId of new Set(input.accountIds)) {
    await ctx.db.update(pushNotificationConfigs).set({ archivedAt: ctx.now }).where(ofAccount(ctx, accountId));
    await registerReceiver(ctx, { principalId: input.principalId, accountId, purpose: "account", config: input.config });
  }
}

/** Tells the buyer that somebody else changed an account's status, as a late result of its sync_accounts. In the transaction of the change. */
export async function tellAccountReceiver(ctx: Ctx, account: AccountRow): Promise<void> {
  const [receiver] = await ctx.db.select({ id: pushNotificationConfigs.id }).from(pushNotificationConfigs).where(ofAccount(ctx, account.id));
  if (!receiver) return;
  await queueWebhook(ctx, {
    configId: receiver.id, mediaBuyId: null, eventKey: `account:${account.id}:${account.status}:${ctx.now.getTime()}`, taskId: toWireId("webhook", receiver.id), taskType: "sync_accounts",
    result: { accounts: [{ ...presentAccount(account), action: "updated" }] },
  });
}
