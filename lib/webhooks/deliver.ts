import { and, eq, lte, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { decryptSecret } from "../crypto";
import { withTenant } from "../db/client";
import { AppError } from "../errors";
import { announceChange } from "../live";
import { type Log } from "../log";
import { tenants } from "../tenants/schema";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { checkReceiverUrl, pinAddress, RefusedAddress, type Resolver } from "./address";
import { postPinned } from "./post";
import { pushNotificationConfigs, webhookDeliveries } from "./schema";
import { receiverSecrets } from "./service";
import { signHeaders } from "./signing";

export type Delivering = { resolve: Resolver; now(): Date; log: Log };

/** After the first attempt, and after each that failed; then the delivery is dead. */
export const RETRY_DELAYS_MS = [10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS];
/** Whoever claimed a delivery and died holds it for this long. */
const CLAIM_MS = MINUTE_MS;
const RETRIED_STATUSES = [408, 425, 429];

export type DeliveryStep = { next: "stop"; state: "delivered" | "dead" | "gone" } | { next: "later"; delayMs: number };
type Delivery = typeof webhookDeliveries.$inferSelect;
type Config = typeof pushNotificationConfigs.$inferSelect;
/** Secrets stay sealed until they are used. */
type Receiver = { kind: "buyer"; config: Config } | { kind: "staff"; sealedUrl: string } | { kind: "none" };
type Target = { url: URL; body: Record<string, unknown>; headers(body: string): Promise<Record<string, string>> };
type Outcome = { status: number | null; error: string | null; isFinal: boolean };

/** One attempt: claimed and counted in the row first, sent outside any transaction, its result in the row. */
export async function attemptDelivery(delivering: Delivering, input: { tenantId: string; deliveryId: string }): Promise<DeliveryStep> {
  const inTenant = <T>(work: (ctx: Ctx) => Promise<T>) =>
    withTenant(input.tenantId, (db) => work({ db, tenantId: input.tenantId, actor: { kind: "system", label: "Greenlight" }, now: delivering.now(), log: delivering.log }));
  const claimed = await inTenant((ctx) => claim(ctx, input.deliveryId));
  if ("next" in claimed) return claimed;
  const outcome = await send(delivering, claimed.delivery, claimed.receiver);
  return inTenant((ctx) => conclude(ctx, claimed.delivery, outcome));
}

const its = (ctx: Ctx, id: string) => and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.id, id));

async function claim(ctx: Ctx, id: string): Promise<{ delivery: Delivery; receiver: Receiver } | DeliveryStep> {
  const [delivery] = await ctx.db.update(webhookDeliveries)
    .set({ attempts: sql`${webhookDeliveries.attempts} + 1`, lastAttemptAt: ctx.now, nextAttemptAt: new Date(ctx.now.getTime() + CLAIM_MS) })
    .where(and(its(ctx, id), eq(webhookDeliveries.state, "pending"), lte(webhookDeliveries.nextAttemptAt, ctx.now))).returning();
  if (delivery) return { delivery, receiver: await findReceiver(ctx, delivery) };
  const [row] = await ctx.db.select({ state: webhookDeliveries.state, nextAttemptAt: webhookDeliveries.nextAttemptAt }).from(webhookDeliveries).where(its(ctx, id));
  if (!row) return { next: "stop", state: "gone" };
  return row.state === "pending" ? { next: "later", delayMs: Math.max(SECOND_MS, row.nextAttemptAt.getTime() - ctx.now.getTime()) } : { next: "stop", state: row.state };
}

async function findReceiver(ctx: Ctx, delivery: Delivery): Promise<Receiver> {
  if (delivery.audience === "staff") {
    const [tenant] = await ctx.db.select({ webhook: tenants.staffWebhookEncrypted }).from(tenants).where(eq(tenants.id, ctx.tenantId));
    return tenant?.webhook ? { kind: "staff", sealedUrl: tenant.webhook } : { kind: "none" };
  }
  if (delivery.configId === null) return { kind: "none" };
  const [config] = await ctx.db.select().from(pushNotificationConfigs).where(and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.id, delivery.configId)));
  return config ? { kind: "buyer", config } : { kind: "none" };
}

function openReceiver(delivering: Delivering, delivery: Delivery, receiver: Exclude<Receiver, { kind: "none" }>): Target {
  if (receiver.kind === "staff") {
    const url = decryptSecret(receiver.sealedUrl, `tenants:${delivery.tenantId}:staff_webhook`);
    return { url: checkReceiverUrl(url, "url"), body: delivery.body, headers: async () => PLAIN_HEADERS };
  }
  const { id, tenantId, authScheme, credentialsEncrypted, tokenEncrypted } = receiver.config;
  const url = checkReceiverUrl(receiver.config.url, "url");
  const open = (sealed: string) => decryptSecret(sealed, receiverSecrets(tenantId, id));
  const authentication = authScheme && credentialsEncrypted ? { scheme: authScheme, credentials: open(credentialsEncrypted) } : null;
  const token = tokenEncrypted === null ? null : open(tokenEncrypted);
  // A2A's receivers find the token they gave in a header, AdCP's in the body.
  const isInHeader = receiver.config.form === "a2a";
  const body = token === null || isInHeader ? delivery.body : { ...delivery.body, token };
  return { url, body, headers: async (text) => ({ ...PLAIN_HEADERS, ...(token !== null && isInHeader ? { "x-a2a-notification-token": token } : {}), ...(await signHeaders(url, text, authentication, delivering.now())) }) };
}

const PLAIN_HEADERS = { "content-type": "application/json", "user-agent": "Greenlight" };

async function send(delivering: Delivering, delivery: Delivery, receiver: Receiver): Promise<Outcome> {
  if (receiver.kind === "none") return { status: null, error: "The receiver is not registered any more.", isFinal: true };
  try {
    const target = openReceiver(delivering, delivery, receiver);
    const address = await pinAddress(target.url, delivering.resolve);
    const body = JSON.stringify(target.body);
    return judge(await postPinned(target.url, address, await target.headers(body), body));
  } catch (error) {
    const isFinal = error instanceof RefusedAddress || error instanceof AppError;
    return { status: null, error: error instanceof Error ? error.message : String(error), isFinal };
  }
}

function judge(status: number): Outcome {
  if (status >= 200 && status < 300) return { status, error: null, isFinal: true };
  if (status >= 300 && status < 400) return { status, error: `The receiver answered ${status}; redirects are not followed.`, isFinal: true };
  return { status, error: `The receiver answered ${status}.`, isFinal: status >= 400 && status < 500 && !RETRIED_STATUSES.includes(status) };
}

async function conclude(ctx: Ctx, delivery: Delivery, { status, error, isFinal }: Outcome): Promise<DeliveryStep> {
  const delayMs = error === null || isFinal ? undefined : RETRY_DELAYS_MS[delivery.attempts - 1];
  const state = error === null ? "delivered" : delayMs === undefined ? "dead" : "pending";
  const set = { state, lastStatus: status, lastError: error, ...(error === null ? { deliveredAt: ctx.now } : {}), ...(delayMs === undefined ? {} : { nextAttemptAt: new Date(ctx.now.getTime() + delayMs) }) } as const;
  const [row] = await ctx.db.update(webhookDeliveries).set(set)
    .where(and(its(ctx, delivery.id), eq(webhookDeliveries.state, "pending"), eq(webhookDeliveries.attempts, delivery.attempts))).returning({ id: webhookDeliveries.id });
  if (delivery.mediaBuyId) announceChange(ctx, "media_buy", delivery.mediaBuyId);
  if (!row) return { next: "later", delayMs: CLAIM_MS };
  return state === "pending" ? { next: "later", delayMs: delayMs ?? CLAIM_MS } : { next: "stop", state };
}
