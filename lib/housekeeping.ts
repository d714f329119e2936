import { and, eq, isNotNull, lt, ne, or, sql } from "drizzle-orm";
import { rateBuckets, signatureNonces } from "./buyers/schema";
import { buyerCalls, OK } from "./call-log/schema";
import { creativePreviews } from "./creatives/schema";
import { withTenant, withWorkerRole } from "./db/client";
import { outbox } from "./events/schema";
import { idempotencyKeys } from "./media-buys/schema";
import { tenants } from "./tenants/schema";
import { DAY_MS } from "./time";
import { webhookDeliveries } from "./webhooks/schema";

/** What is kept for how long. Nothing of business is deleted. */
export const ENGINE_DAYS = 30;
const OUTBOX_DAYS = 30;
const WEBHOOK_BODY_DAYS = 90;
const FAILED_CALL_DAYS = 30;
const ANSWERED_CALL_DAYS = 14;

const daysBefore = (now: Date, days: number) => new Date(now.getTime() - days * DAY_MS);

/** Answers whose replay window is over; the tombstone that stays answers IDEMPOTENCY_EXPIRED. */
export async function expireIdempotencyAnswers(now: Date): Promise<number> {
  const rows = await withWorkerRole((tx) => tx.update(idempotencyKeys).set({ response: sql`null` })
    .where(and(lt(idempotencyKeys.expiresAt, now), isNotNull(idempotencyKeys.response))).returning({ id: idempotencyKeys.id }));
  return rows.length;
}

/** Nonces whose signatures are too old by now to be accepted. By the database's clock, as they were noted. */
export async function expireSignatureNonces(): Promise<number> {
  const rows = await withWorkerRole((tx) => tx.delete(signatureNonces).where(lt(signatureNonces.expiresAt, sql`now()`)).returning({ keyId: signatureNonces.keyId }));
  return rows.length;
}

/** Previews that nobody can open any more. By the database's clock, by which they end. */
export async function purgePreviews(): Promise<number> {
  const rows = await withWorkerRole((tx) => tx.delete(creativePreviews).where(lt(creativePreviews.expiresAt, sql`now()`)).returning({ id: creativePreviews.id }));
  return rows.length;
}

/** Allowances that are full again anyway. */
export async function forgetRateBuckets(): Promise<number> {
  const rows = await withWorkerRole((tx) => tx.delete(rateBuckets).where(lt(rateBuckets.refilledAt, sql`now() - interval '1 day'`)).returning({ tool: rateBuckets.tool }));
  return rows.length;
}

export async function purgeOutbox(now: Date): Promise<number> {
  const rows = await withWorkerRole((tx) => tx.delete(outbox).where(lt(outbox.sentAt, daysBefore(now, OUTBOX_DAYS))).returning({ id: outbox.id }));
  return rows.length;
}

/** That a notification was sent, and when, is kept; what it said is not. */
export async function forgetWebhookBodies(now: Date): Promise<number> {
  const publishers = await withWorkerRole((tx) => tx.select({ id: tenants.id }).from(tenants));
  let forgotten = 0;
  for (const { id } of publishers) {
    const rows = await withTenant(id, (tx) => tx.update(webhookDeliveries).set({ body: {} })
      .where(and(eq(webhookDeliveries.tenantId, id), ne(webhookDeliveries.state, "pending"), lt(webhookDeliveries.createdAt, daysBefore(now, WEBHOOK_BODY_DAYS)), sql`${webhookDeliveries.body} <> '{}'`))
      .returning({ id: webhookDeliveries.id }));
    forgotten += rows.length;
  }
  return forgotten;
}

export async function purgeBuyerCalls(now: Date): Promise<number> {
  const publishers = await withWorkerRole((tx) => tx.select({ id: tenants.id }).from(tenants));
  let purged = 0;
  for (const { id } of publishers) {
    const isOver = or(lt(buyerCalls.at, daysBefore(now, FAILED_CALL_DAYS)), and(eq(buyerCalls.outcome, OK), lt(buyerCalls.at, daysBefore(now, ANSWERED_CALL_DAYS))));
    const gone = await withTenant(id, (tx) => tx.delete(buyerCalls).where(and(eq(buyerCalls.tenantId, id), lt(buyerCalls.at, daysBefore(now, ANSWERED_CALL_DAYS)), isOver)));
    purged += gone.count;
  }
  return purged;
}
