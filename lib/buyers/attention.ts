import { and, eq, gt, gte, inArray, isNotNull, isNull, lte, min, or, sql } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { type CallSummary, summariseCalls } from "../call-log/queries";
import { type Ctx } from "../context";
import { addMs, DAY_MS } from "../time";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { principalTokens } from "./schema";

/** What of a buyer wants somebody's attention. */
export type Attention = {
  /** The next end of a working token that nothing has replaced, when it is near. */
  tokenEndsAt: Date | null;
  /** Notifications of the last 30 days that were given up, and those that fail at present. */
  deadLetters: number;
  failingDeliveries: number;
  calls: Omit<CallSummary, "principalId">;
};

/** A token that ends within this many days is said to. */
export const EXPIRY_NOTICE_DAYS = 14;
const DELIVERY_DAYS = 30;

export async function loadAttention(ctx: Ctx, principalIds: string[]): Promise<Map<string, Attention>> {
  requirePermission(ctx.actor, "buyer.read");
  if (principalIds.length === 0) return new Map();
  const [calls, endings, deliveries] = await Promise.all([
    summariseCalls(ctx, principalIds),
    ctx.db.select({ principalId: principalTokens.principalId, endsAt: min(principalTokens.expiresAt) }).from(principalTokens)
      .where(and(
        eq(principalTokens.tenantId, ctx.tenantId), inArray(principalTokens.principalId, principalIds), isNull(principalTokens.revokedAt), isNull(principalTokens.replacedById),
        gt(principalTokens.expiresAt, ctx.now), lte(principalTokens.expiresAt, addMs(ctx.now, EXPIRY_NOTICE_DAYS * DAY_MS)),
      )).groupBy(principalTokens.principalId),
    ctx.db.select({
      principalId: pushNotificationConfigs.principalId,
      dead: sql<number>`count(*) filter (where ${webhookDeliveries.state} = 'dead')::int`, failing: sql<number>`count(*) filter (where ${webhookDeliveries.state} = 'pending')::int`,
    }).from(webhookDeliveries)
      .innerJoin(pushNotificationConfigs, and(eq(pushNotificationConfigs.tenantId, webhookDeliveries.tenantId), eq(pushNotificationConfigs.id, webhookDeliveries.configId)))
      .where(and(
        eq(webhookDeliveries.tenantId, ctx.tenantId), inArray(pushNotificationConfigs.principalId, principalIds), gte(webhookDeliveries.createdAt, addMs(ctx.now, -DELIVERY_DAYS * DAY_MS)),
        or(eq(webhookDeliveries.state, "dead"), and(eq(webhookDeliveries.state, "pending"), isNotNull(webhookDeliveries.lastError))),
      )).groupBy(pushNotificationConfigs.principalId),
  ]);
  return new Map(principalIds.map((id) => {
    const { principalId: _of, ...called } = calls.find(({ principalId }) => principalId === id) ?? { principalId: id, calls: 0, failed: 0, lastFailure: null };
    const sent = deliveries.find(({ principalId }) => principalId === id);
    return [id, { calls: called, tokenEndsAt: endings.find(({ principalId }) => principalId === id)?.endsAt ?? null, deadLetters: sent?.dead ?? 0, failingDeliveries: sent?.failing ?? 0 }];
  }));
}
