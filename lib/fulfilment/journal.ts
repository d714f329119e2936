import { and, asc, eq, inArray, ne, sql } from "drizzle-orm";
import { externalObjects } from "../ad-servers/schema";
import { type AdServerError, type AppliedObject, type AppliedOrder, type Operation } from "../ad-servers/types";
import { type Ctx } from "../context";
import { sha256 } from "../crypto";
import { invariant } from "../errors";
import { newId } from "../ids";
import { MAX_ATTEMPTS } from "./policy";
import { fulfilmentOperations, fulfilments } from "./schema";

/**
 * The journal of remote effects. States of an operation:
 *   planned → started → done
 *                     → planned   no effect happened (refused for now, not ready): it may run again
 *                     → unknown   the effect may have happened: a creation is run again, look-up first, before anything is planned
 *                     → failed    refused for good
 *   planned, unknown, failed → superseded   when a newer plan no longer contains it
 */
export type OperationRow = typeof fulfilmentOperations.$inferSelect;

const own = (ctx: Ctx, fulfilmentId: string) => and(eq(fulfilmentOperations.tenantId, ctx.tenantId), eq(fulfilmentOperations.fulfilmentId, fulfilmentId));
const one = (ctx: Ctx, id: string) => and(eq(fulfilmentOperations.tenantId, ctx.tenantId), eq(fulfilmentOperations.id, id));

/** How long ago an operation was started, by the database's clock. */
const runningMs = sql<number | null>`extract(epoch from (clock_timestamp() - ${fulfilmentOperations.startedAt}))::float8 * 1000`;

export type OpenOperation = OperationRow & { runningMs: number | null };

/** Operations that are not done or put aside, oldest first. */
export async function listOpenOperations(ctx: Ctx, fulfilmentId: string): Promise<OpenOperation[]> {
  const rows = await ctx.db.select({ operation: fulfilmentOperations, runningMs }).from(fulfilmentOperations)
    .where(and(own(ctx, fulfilmentId), inArray(fulfilmentOperations.state, ["planned", "started", "unknown", "failed"])))
    .orderBy(asc(fulfilmentOperations.desiredVersion), asc(fulfilmentOperations.position));
  return rows.map((row) => ({ ...row.operation, runningMs: row.runningMs }));
}

/** How long somebody may still be at one of these operations, if none takes longer than `deadlineMs`; 0: nobody is. */
export function underWayMs(operations: OpenOperation[], deadlineMs: number): number {
  const started = operations.filter(({ state }) => state === "started");
  return Math.ceil(Math.max(0, ...started.map((operation) => deadlineMs - (operation.runningMs ?? 0))));
}

/**
 * Once nobody is at them any more, operations that were started and have no result are unknown; whoever was slow finds its fence closed.
 * Answers the creations whose outcome nobody knows. One that a person wants tried again after all attempts counts from one.
 */
export async function listUnknownCreations(ctx: Ctx, open: OpenOperation[]): Promise<OperationRow[]> {
  const abandoned = open.filter(({ state }) => state === "started" || state === "unknown");
  for (const operation of abandoned) {
    const again = operation.attempts >= MAX_ATTEMPTS ? { attempts: 1, createdAt: ctx.now } : {};
    if (operation.state === "started" || operation.attempts >= MAX_ATTEMPTS) {
      await ctx.db.update(fulfilmentOperations).set({ state: "unknown", finishedAt: operation.finishedAt ?? ctx.now, ...again }).where(one(ctx, operation.id));
    }
  }
  return abandoned.filter(({ operationKey }) => isCreation(operationKey));
}

const isCreation = (operationKey: string) => /^(create|associate)-/.test(operationKey);

/** Creations are resolved by themselves; approval and archival are never taken back, and do no harm twice. */
const isReversible = (operationKey: string) => !/^(create|associate|approve|archive)-/.test(operationKey);

/**
 * A change of an older version that was sent and never came to its end may have had its effect all the same. What its objects hold is
 * unknown from here on, so that this plan writes them again, above all when the order went back to what it was before. Answers what is known.
 */
export async function forgetUncertain(ctx: Ctx, fulfilmentId: string, version: number, open: OperationRow[], applied: AppliedOrder): Promise<AppliedOrder> {
  const uncertain = open.filter(({ operationKey, startedAt, desiredVersion }) => startedAt !== null && desiredVersion < version && isReversible(operationKey));
  const named = new Set(uncertain.flatMap(({ payload }) => stringsOf(payload)));
  const forgotten = applied.objects.map(({ ourKey }) => ourKey).filter((ourKey) => named.has(ourKey));
  if (forgotten.length === 0) return applied;
  await ctx.db.update(externalObjects).set({ applied: {}, updatedAt: ctx.now })
    .where(and(eq(externalObjects.tenantId, ctx.tenantId), eq(externalObjects.fulfilmentId, fulfilmentId), inArray(externalObjects.ourKey, forgotten)));
  return { objects: applied.objects.map((object) => (named.has(object.ourKey) ? { ...object, applied: {} } : object)) };
}

function stringsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

/** True when nothing was ever sent for this fulfilment. */
export async function isUntouched(ctx: Ctx, fulfilmentId: string): Promise<boolean> {
  const [attempted] = await ctx.db.select({ id: fulfilmentOperations.id }).from(fulfilmentOperations)
    .where(and(own(ctx, fulfilmentId), sql`${fulfilmentOperations.startedAt} is not null`)).limit(1);
  return !attempted;
}

/**
 * Writes the plan's operations as `planned`, using a row again that says the same, and puts aside what the plan no longer contains.
 * An operation that is missing from the answer was done in this version already: doing it again would not bring the plan nearer to its end.
 */
export async function recordPlan(ctx: Ctx, fulfilmentId: string, version: number, operations: Operation[], open: OpenOperation[]): Promise<OperationRow[]> {
  const rows = operations.map((operation, position) => ({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), fulfilmentId, desiredVersion: version, position, createdAt: ctx.now,
    operationKey: operation.key, kind: operation.kind, summary: operation.summary, payload: operation.payload,
    intentHash: sha256(JSON.stringify([operation.kind, operation.payload])).toString("hex"),
  }));
  const { desiredVersion, operationKey, intentHash, state, attempts, createdAt } = fulfilmentOperations;
  const isFresh = sql`${state} in ('failed', 'superseded')`;
  const recorded = rows.length === 0 ? [] : await ctx.db.insert(fulfilmentOperations).values(rows)
    .onConflictDoUpdate({
      target: [fulfilmentOperations.tenantId, fulfilmentOperations.fulfilmentId, desiredVersion, operationKey, intentHash],
      set: {
        state: "planned", position: sql`excluded.position`, finishedAt: null,
        attempts: sql`case when ${isFresh} then least(${attempts}, 1) else ${attempts} end`, createdAt: sql`case when ${isFresh} then excluded.created_at else ${createdAt} end`,
      },
      setWhere: ne(state, "done"),
    })
    .returning();
  const kept = new Set(recorded.map(({ id }) => id));
  const dropped = open.filter(({ id }) => !kept.has(id));
  if (dropped.length > 0) await ctx.db.update(fulfilmentOperations).set({ state: "superseded" }).where(and(own(ctx, fulfilmentId), inArray(fulfilmentOperations.id, dropped.map(({ id }) => id))));
  return recorded.sort((a, b) => a.position - b.position);
}

export async function findOperation(ctx: Ctx, id: string): Promise<OpenOperation | undefined> {
  const [found] = await ctx.db.select({ operation: fulfilmentOperations, runningMs }).from(fulfilmentOperations).where(one(ctx, id));
  return found && { ...found.operation, runningMs: found.runningMs };
}

/** The intent: committed before the ad server hears of it. Time is counted from the first attempt: a row may have waited long behind others. */
export async function markStarted(ctx: Ctx, id: string): Promise<OperationRow> {
  const [row] = await ctx.db.update(fulfilmentOperations)
    .set({
      state: "started", attempts: sql`${fulfilmentOperations.attempts} + 1`, finishedAt: null, startedAt: sql`clock_timestamp()`,
      createdAt: sql`case when ${fulfilmentOperations.attempts} = 0 then ${ctx.now.toISOString()}::timestamptz else ${fulfilmentOperations.createdAt} end`,
    })
    .where(and(one(ctx, id), ne(fulfilmentOperations.state, "done"))).returning();
  invariant(row, `operation ${id} was done already`);
  return row;
}

type Done = { objects: AppliedObject[]; externalIds: Record<string, string>; correlationId?: string };

/** The result: what was made is known to us from here on. */
export async function markDone(ctx: Ctx, operation: OperationRow, adapterConfigId: string, done: Done): Promise<void> {
  for (const object of done.objects) await saveExternalObject(ctx, operation.fulfilmentId, adapterConfigId, object);
  await ctx.db.update(fulfilmentOperations)
    .set({ state: "done", externalIds: done.externalIds, correlationId: done.correlationId ?? null, error: null, finishedAt: ctx.now })
    .where(one(ctx, operation.id));
}

async function saveExternalObject(ctx: Ctx, fulfilmentId: string, adapterConfigId: string, object: AppliedObject): Promise<void> {
  const [saved] = await ctx.db.insert(externalObjects)
    .values({ tenantId: ctx.tenantId, adapterConfigId, fulfilmentId, createdAt: ctx.now, updatedAt: ctx.now, ...object })
    .onConflictDoUpdate({
      target: [externalObjects.tenantId, externalObjects.adapterConfigId, externalObjects.kind, externalObjects.ourKey],
      set: { externalId: object.externalId, applied: object.applied, updatedAt: ctx.now },
      // An order and a line item are one and the same thing for ever; only what hangs on them may be made anew.
      setWhere: sql`${externalObjects.kind} not in ('order', 'line_item') or ${externalObjects.externalId} = excluded.external_id`,
    })
    .returning({ externalId: externalObjects.externalId });
  invariant(saved, `${object.kind} ${object.ourKey} would become a second object ${object.externalId} in the ad server`);
}

/** No effect happened: the ad server refused for now, or is not ready. */
export async function markPlannedAgain(ctx: Ctx, id: string, why: { error?: AdServerError; correlationId?: string }): Promise<void> {
  const answered = why.error ? {} : { attempts: 0, createdAt: ctx.now };
  await ctx.db.update(fulfilmentOperations)
    .set({ state: "planned", ...describe(why.error), correlationId: why.correlationId ?? why.error?.options.correlationId ?? null, finishedAt: ctx.now, ...answered })
    .where(one(ctx, id));
}

export async function markUnknown(ctx: Ctx, id: string, error: AdServerError): Promise<void> {
  await ctx.db.update(fulfilmentOperations)
    .set({ state: "unknown", ...describe(error), correlationId: error.options.correlationId ?? null, finishedAt: ctx.now }).where(one(ctx, id));
}

export async function markFailed(ctx: Ctx, id: string, failure: { code: string; message: string; correlationId?: string }): Promise<void> {
  const { code, message, correlationId } = failure;
  await ctx.db.update(fulfilmentOperations)
    .set({ state: "failed", error: { code, message, isPermanent: true, correlationId }, correlationId: correlationId ?? null, finishedAt: ctx.now }).where(one(ctx, id));
}

function describe(error: AdServerError | undefined) {
  if (!error) return { error: null };
  return { error: { code: error.code, message: error.message, isPermanent: error.options.isPermanent, correlationId: error.options.correlationId } };
}

/**
 * True while another order of the same account has an operation of this kind under way on the same connection. One whose outcome is unknown
 * counts too: its call may still arrive at the ad server until its deadline has passed.
 */
export async function isUnderWayElsewhere(ctx: Ctx, input: { fulfilmentId: string; adapterConfigId: string; accountId: string; kind: string; deadlineMs: number }): Promise<boolean> {
  const found = await ctx.db.execute(sql`
    select 1 from ${fulfilmentOperations} o
    join ${fulfilments} f on f.tenant_id = o.tenant_id and f.id = o.fulfilment_id
    join media_buys b on b.tenant_id = f.tenant_id and b.id = f.media_buy_id
    where o.tenant_id = ${ctx.tenantId} and o.kind = ${input.kind} and o.state in ('started', 'unknown') and o.fulfilment_id <> ${input.fulfilmentId}
      and f.adapter_config_id = ${input.adapterConfigId} and b.account_id = ${input.accountId}
      and o.started_at > clock_timestamp() - ${input.deadlineMs} * interval '1 millisecond' limit 1`);
  return found.length > 0;
}
