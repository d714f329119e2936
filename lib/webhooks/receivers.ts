import { and, asc, desc, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { pushNotificationConfigs, RECEIVER_PURPOSES, webhookDeliveries } from "./schema";
import { replayDelivery } from "./service";

/** What staff see of a buyer's webhook receivers. One receiver is one address with one way of proving itself, however often it was registered. */

export type ReceiverHealth = {
  url: string;
  authentication: "RFC 9421" | "Bearer" | "HMAC-SHA256";
  /** What it was registered for. */
  purposes: (typeof RECEIVER_PURPOSES)[number][];
  registrations: number;
  lastRegisteredAt: Date;
  /** The newest attempt of any notification; null: nothing was ever sent. */
  lastAttempt: { at: Date; status: number | null; error: string | null } | null;
  lastDeliveredAt: Date | null;
  /** Attempts that failed since the last delivery. */
  consecutiveFailures: number;
  pending: number;
  deadLetters: number;
  /** unused: nothing sent yet. failing: the last attempt failed. dead: notifications were given up. */
  state: "unused" | "healthy" | "failing" | "dead";
};

const receiverRow = z.object({
  url: z.string(), auth_scheme: z.enum(["Bearer", "HMAC-SHA256"]).nullable(), purposes: z.array(z.enum(RECEIVER_PURPOSES)), registrations: z.coerce.number(), last_registered_at: z.coerce.date(),
  last_attempt_at: z.coerce.date().nullable(), last_status: z.number().nullable(), last_error: z.string().nullable(), last_delivered_at: z.coerce.date().nullable(),
  consecutive_failures: z.coerce.number(), pending: z.coerce.number(), dead: z.coerce.number(),
});

/** Receivers shown at most; a buyer has a handful. */
const RECEIVERS_MAX = 200;

/** A buyer's receivers with their health, the last registered first. An unknown buyer has none. Throws PERMISSION_DENIED. */
export async function listReceivers(ctx: Ctx, principalId: string): Promise<ReceiverHealth[]> {
  requirePermission(ctx.actor, "buyer.read");
  if (!isUuid(principalId)) return [];
  const rows = await ctx.db.execute(sql`
    with configs as (
      select id, url, auth_scheme, purpose, created_at from push_notification_configs where tenant_id = ${ctx.tenantId}::uuid and principal_id = ${principalId}::uuid
    ), sent as (
      select c.url, c.auth_scheme, d.state, d.attempts, d.last_status, d.last_error, d.last_attempt_at, d.delivered_at
      from configs c join webhook_deliveries d on d.tenant_id = ${ctx.tenantId}::uuid and d.config_id = c.id
    ), health as (
      select url, auth_scheme, max(delivered_at) as last_delivered_at, count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'dead') as dead,
        (array_agg(last_attempt_at order by last_attempt_at desc nulls last))[1] as last_attempt_at,
        (array_agg(last_status order by last_attempt_at desc nulls last))[1] as last_status,
        (array_agg(last_error order by last_attempt_at desc nulls last))[1] as last_error
      from sent group by url, auth_scheme
    )
    select r.url, r.auth_scheme, r.purposes, r.registrations, r.last_registered_at, h.last_attempt_at, h.last_status, h.last_error, h.last_delivered_at,
      coalesce(h.pending, 0) as pending, coalesce(h.dead, 0) as dead,
      coalesce((select sum(s.attempts) from sent s where s.url = r.url and s.auth_scheme is not distinct from r.auth_scheme and s.last_error is not null and s.state <> 'delivered'
        and s.last_attempt_at > coalesce(h.last_delivered_at, '-infinity')), 0) as consecutive_failures
    from (select url, auth_scheme, array_agg(distinct purpose) as purposes, count(*) as registrations, max(created_at) as last_registered_at from configs group by url, auth_scheme) r
    left join health h on h.url = r.url and h.auth_scheme is not distinct from r.auth_scheme
    order by r.last_registered_at desc, r.url limit ${RECEIVERS_MAX}`);
  return receiverRow.array().parse([...rows]).map((row) => ({
    url: row.url, authentication: row.auth_scheme ?? "RFC 9421", purposes: row.purposes, registrations: row.registrations, lastRegisteredAt: row.last_registered_at,
    lastAttempt: row.last_attempt_at && { at: row.last_attempt_at, status: row.last_status, error: row.last_error },
    lastDeliveredAt: row.last_delivered_at, consecutiveFailures: row.consecutive_failures, pending: row.pending, deadLetters: row.dead,
    state: row.last_attempt_at === null ? "unused" : row.dead > 0 ? "dead" : row.last_error === null ? "healthy" : "failing",
  }));
}

export type DeadLetter = {
  deliveryId: string;
  url: string;
  eventKey: string;
  mediaBuyId: string | null;
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  lastAttemptAt: Date | null;
  createdAt: Date;
  /** Its content is kept for 90 days; without it nothing can be sent again. */
  canReplay: boolean;
};

const DEAD_LETTERS_MAX = 100;

/** A buyer's notifications that were given up, the newest first, at most a hundred. */
export async function listDeadLetters(ctx: Ctx, input: { principalId: string; url?: string }): Promise<DeadLetter[]> {
  requirePermission(ctx.actor, "buyer.read");
  if (!isUuid(input.principalId)) return [];
  return ctx.db.select({
    deliveryId: webhookDeliveries.id, url: pushNotificationConfigs.url, eventKey: webhookDeliveries.eventKey, mediaBuyId: webhookDeliveries.mediaBuyId, attempts: webhookDeliveries.attempts,
    lastStatus: webhookDeliveries.lastStatus, lastError: webhookDeliveries.lastError, lastAttemptAt: webhookDeliveries.lastAttemptAt, createdAt: webhookDeliveries.createdAt,
    canReplay: sql<boolean>`${webhookDeliveries.body} <> '{}'`,
  }).from(webhookDeliveries)
    .innerJoin(pushNotificationConfigs, and(eq(pushNotificationConfigs.tenantId, webhookDeliveries.tenantId), eq(pushNotificationConfigs.id, webhookDeliveries.configId)))
    .where(and(
      eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.state, "dead"), eq(pushNotificationConfigs.principalId, input.principalId),
      input.url === undefined ? undefined : eq(pushNotificationConfigs.url, input.url),
    )).orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id)).limit(DEAD_LETTERS_MAX);
}

/** Sends a notification that was given up again, with the body and idempotency key it always had. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND, CONFLICT. */
export async function replayDeadLetter(ctx: Ctx, input: { deliveryId: string }): Promise<void> {
  requirePermission(ctx.actor, "webhook.replay");
  const [row] = isUuid(input.deliveryId) ? await ctx.db.select({ state: webhookDeliveries.state }).from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.id, input.deliveryId))).for("update") : [];
  if (row?.state === "delivered") throw new AppError("CONFLICT", "This notification has arrived meanwhile.");
  await replayDelivery(ctx, input);
}

/** All that was given up for one receiver of a buyer, oldest first, at most a hundred at once; answers how many are sent again. What is no longer kept stays as it is. */
export async function replayDeadLetters(ctx: Ctx, input: { principalId: string; url: string }): Promise<number> {
  requirePermission(ctx.actor, "webhook.replay");
  if (!isUuid(input.principalId)) return 0;
  const rows = await ctx.db.select({ deliveryId: webhookDeliveries.id }).from(webhookDeliveries)
    .innerJoin(pushNotificationConfigs, and(eq(pushNotificationConfigs.tenantId, webhookDeliveries.tenantId), eq(pushNotificationConfigs.id, webhookDeliveries.configId)))
    .where(and(
      eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.state, "dead"), sql`${webhookDeliveries.body} <> '{}'`,
      eq(pushNotificationConfigs.principalId, input.principalId), eq(pushNotificationConfigs.url, input.url),
    )).orderBy(asc(webhookDeliveries.createdAt), asc(webhookDeliveries.id)).limit(DEAD_LETTERS_MAX).for("update", { of: webhookDeliveries });
  for (const row of rows) await replayDelivery(ctx, row);
  return rows.length;
}
