import { and, eq, exists, gt, inArray, isNotNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import { alias, type PgTable } from "drizzle-orm/pg-core";
import { rateBuckets, signatureNonces } from "./buyers/schema";
import { buyerCalls, OK } from "./call-log/schema";
import { creativePreviews } from "./creatives/schema";
import { withTenant, withWorkerRole } from "./db/client";
import { outbox } from "./events/schema";
import { idempotencyKeys } from "./media-buys/schema";
import { syncJobs } from "./sync-jobs/schema";
import { tenants } from "./tenants/schema";
import { DAY_MS } from "./time";
import { webhookDeliveries } from "./webhooks/schema";

/** What is kept for how long. Nothing of business is deleted. */
export const ENGINE_DAYS = 30;
const OUTBOX_DAYS = 30;
const WEBHOOK_BODY_DAYS = 90;
const FAILED_CALL_DAYS = 30;
const ANSWERED_CALL_DAYS = 14;
const SUCCEEDED_JOB_DAYS = 30;
const FAILED_JOB_DAYS = 90;

/** Rows of one statement, and statements of one hour: what is more waits for the next. No lock is held for long, and no statement writes without end. */
const BATCH = 2_000;
const BATCHES_MAX = 250;

/** Repeats what changes at most BATCH rows until there are no more; answers how many it changed. */
async function inBatches(change: () => Promise<{ count: number }>): Promise<number> {
  let changed = 0;
  for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
    const { count } = await change();
    changed += count;
    if (count < BATCH) break;
  }
  return changed;
}

/** At most BATCH rows of a table of which this is true, by their places in it. */
const some = (table: PgTable, where: SQL | undefined) => sql`${table}.ctid = any(array(select ctid from ${table} where ${where} limit ${BATCH}))`;

const daysBefore = (now: Date, days: number) => new Date(now.getTime() - days * DAY_MS);

/** Answers whose replay window is over; the tombstone that stays answers IDEMPOTENCY_EXPIRED. */
export async function expireIdempotencyAnswers(now: Date): Promise<number> {
  const isOver = and(lt(idempotencyKeys.expiresAt, now), isNotNull(idempotencyKeys.response));
  return inBatches(() => withWorkerRole((tx) => tx.update(idempotencyKeys).set({ response: sql`null` }).where(some(idempotencyKeys, isOver))));
}

/** Nonces whose signatures are too old by now to be accepted. By the database's clock, as they were noted. */
export async function expireSignatureNonces(): Promise<number> {
  return inBatches(() => withWorkerRole((tx) => tx.delete(signatureNonces).where(some(signatureNonces, lt(signatureNonces.expiresAt, sql`now()`)))));
}

/** Previews that nobody can open any more. By the database's clock, by which they end. */
export async function purgePreviews(): Promise<number> {
  return inBatches(() => withWorkerRole((tx) => tx.delete(creativePreviews).where(some(creativePreviews, lt(creativePreviews.expiresAt, sql`now()`)))));
}

/** Allowances that are full again anyway. */
export async function forgetRateBuckets(): Promise<number> {
  return inBatches(() => withWorkerRole((tx) => tx.delete(rateBuckets).where(some(rateBuckets, lt(rateBuckets.refilledAt, sql`now() - interval '1 day'`)))));
}

export async function purgeOutbox(now: Date): Promise<number> {
  return inBatches(() => withWorkerRole((tx) => tx.delete(outbox).where(some(outbox, lt(outbox.sentAt, daysBefore(now, OUTBOX_DAYS))))));
}

/** That a notification was sent, and when, is kept; what it said is not. */
export async function forgetWebhookBodies(now: Date): Promise<number> {
  return forEachPublisher((id) => inBatches(() => withTenant(id, (tx) => tx.update(webhookDeliveries).set({ body: {} })
    .where(some(webhookDeliveries, and(eq(webhookDeliveries.tenantId, id), ne(webhookDeliveries.state, "pending"), lt(webhookDeliveries.createdAt, daysBefore(now, WEBHOOK_BODY_DAYS)), sql`${webhookDeliveries.body} <> '{}'`))))));
}

export async function purgeBuyerCalls(now: Date): Promise<number> {
  const isOver = or(lt(buyerCalls.at, daysBefore(now, FAILED_CALL_DAYS)), and(eq(buyerCalls.outcome, OK), lt(buyerCalls.at, daysBefore(now, ANSWERED_CALL_DAYS))));
  return forEachPublisher((id) => inBatches(() => withTenant(id, (tx) => tx.delete(buyerCalls)
    .where(some(buyerCalls, and(eq(buyerCalls.tenantId, id), lt(buyerCalls.at, daysBefore(now, ANSWERED_CALL_DAYS)), isOver))))));
}

/** Tests and syncs, but for the last of each connection and kind, and the last that succeeded: by them it is known how things stand. */
export async function purgeSyncJobs(now: Date): Promise<number> {
  const newer = alias(syncJobs, "newer");
  return forEachPublisher((id) => inBatches(() => withTenant(id, (tx) => {
    const later = tx.select({ one: sql`1` }).from(newer).where(and(
      eq(newer.tenantId, id), eq(newer.adapterConfigId, syncJobs.adapterConfigId), eq(newer.kind, syncJobs.kind), eq(newer.state, "succeeded"), gt(newer.createdAt, syncJobs.createdAt),
    ));
    const isOver = or(lt(syncJobs.createdAt, daysBefore(now, FAILED_JOB_DAYS)), and(eq(syncJobs.state, "succeeded"), lt(syncJobs.createdAt, daysBefore(now, SUCCEEDED_JOB_DAYS))));
    return tx.delete(syncJobs).where(some(syncJobs, and(eq(syncJobs.tenantId, id), inArray(syncJobs.state, ["succeeded", "failed"]), isOver, exists(later))));
  })));
}

async function forEachPublisher(work: (tenantId: string) => Promise<number>): Promise<number> {
  const publishers = await withWorkerRole((tx) => tx.select({ id: tenants.id }).from(tenants));
  let changed = 0;
  for (const { id } of publishers) changed += await work(id);
  return changed;
}
