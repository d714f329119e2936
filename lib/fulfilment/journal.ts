import { and, asc, eq, gte, inArray, like, ne, notInArray, or, sql } from "drizzle-orm";
import { externalObjects } from "../ad-servers/schema";
import { type AdServerError, type AppliedObject, type Operation } from "../ad-servers/types";
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

/** Milliseconds until an operation that was started may be taken for dead; negative when it may. By the database's clock. */
const inFlightMs = (deadlineMs: number) =>
  sql<number>`extract(epoch from (${fulfilmentOperations.startedAt} - clock_timestamp()))::float8 * 1000 + ${deadlineMs}`;

/**
 * Operations without a result belong to a process that died, or that is still at it. The second must be waited for: answers how long.
 * With 0 all of them are marked unknown, and whoever was slow finds its fence closed.
 */
export async function settleStarted(ctx: Ctx, fulfilmentId: string, deadlineMs: number): Promise<number> {
  const started = await ctx.db.select({ id: fulfilmentOperations.id, remainingMs: inFlightMs(deadlineMs) }).from(fulfilmentOperations)
    .where(and(own(ctx, fulfilmentId), eq(fulfilmentOperations.state, "started")));
  const remainingMs = Math.max(0, ...started.map((row) => row.remainingMs));
  if (started.length > 0 && remainingMs === 0) {
    await ctx.db.update(fulfilmentOperations).set({ state: "unknown", finishedAt: ctx.now }).where(inArray(fulfilmentOperations.id, started.map(({ id }) => id)));
  }
  return Math.ceil(remainingMs);
}

/** Creations whose outcome nobody knows, oldest first. One that a person wants tried again after all attempts counts from one. */
export async function listUnknownCreations(ctx: Ctx, fulfilmentId: string): Promise<OperationRow[]> {
  const isCreation = or(like(fulfilmentOperations.operationKey, "create-%"), like(fulfilmentOperations.operationKey, "associate-%"));
  const unknownCreations = and(own(ctx, fulfilmentId), eq(fulfilmentOperations.state, "unknown"), isCreation);
  await ctx.db.update(fulfilmentOperations).set({ attempts: 1, createdAt: ctx.now }).where(and(unknownCreations, gte(fulfilmentOperations.attempts, MAX_ATTEMPTS)));
  return ctx.db.select().from(fulfilmentOperations).where(unknownCreations).orderBy(asc(fulfilmentOperations.desiredVersion), asc(fulfilmentOperations.position));
}

/** True when nothing was ever sent for this fulfilment. */
export async function isUntouched(ctx: Ctx, fulfilmentId: string): Promise<boolean> {
  const [attempted] = await ctx.db.select({ id: fulfilmentOperations.id }).from(fulfilmentOperations)
    .where(and(own(ctx, fulfilmentId), sql`${fulfilmentOperations.startedAt} is not null`)).limit(1);
  return !attempted;
}

/** Writes the plan's operations as `planned`, using a row again that says the same, and puts aside what the plan no longer contains. */
export async function recordPlan(ctx: Ctx, fulfilmentId: string, version: number, operations: Operation[]): Promise<OperationRow[]> {
  const rows = operations.map((operation, position) => ({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), fulfilmentId, desiredVersion: version, position, createdAt: ctx.now,
    operationKey: operation.key, kind: operation.kind, summary: operation.summary, payload: operation.payload,
    intentHash: sha256(JSON.stringify([operation.kind, operation.payload])).toString("hex"),
  }));
  const { desiredVersion, operationKey, intentHash, state, attempts, createdAt } = fulfilmentOperations;
  const isFresh = sql`${state} in ('done', 'failed', 'superseded')`;
  const recorded = rows.length === 0 ? [] : await ctx.db.insert(fulfilmentOperations).values(rows)
    .onConflictDoUpdate({
      target: [fulfilmentOperations.tenantId, fulfilmentOperations.fulfilmentId, desiredVersion, operationKey, intentHash],
      set: {
        state: "planned", position: sql`excluded.position`, finishedAt: null,
        attempts: sql`case when ${isFresh} then 0 else ${attempts} end`, createdAt: sql`case when ${isFresh} then excluded.created_at else ${createdAt} end`,
      },
    })
    .returning();
  await ctx.db.update(fulfilmentOperations).set({ state: "superseded" })
    .where(and(
      own(ctx, fulfilmentId), inArray(state, ["planned", "unknown", "failed"]),
      recorded.length === 0 ? undefined : notInArray(fulfilmentOperations.id, recorded.map(({ id }) => id)),
    ));
  return recorded.sort((a, b) => a.position - b.position);
}

export async function findOperation(ctx: Ctx, id: string, deadlineMs: number): Promise<(OperationRow & { remainingMs: number | null }) | undefined> {
  const [found] = await ctx.db.select({ operation: fulfilmentOperations, remainingMs: inFlightMs(deadlineMs) }).from(fulfilmentOperations).where(one(ctx, id));
  return found && { ...found.operation, remainingMs: found.remainingMs };
}

/** The intent: committed before the ad server hears of it. */
export async function markStarted(ctx: Ctx, id: string): Promise<OperationRow> {
  const [row] = await ctx.db.update(fulfilmentOperations)
    .set({ state: "started", attempts: sql`${fulfilmentOperations.attempts} + 1`, startedAt: sql`clock_timestamp()`, finishedAt: null })
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

/** True while another order of the same account has an operation of this kind under way on the same connection. */
export async function isStartedElsewhere(ctx: Ctx, input: { fulfilmentId: string; adapterConfigId: string; accountId: string; kind: string; deadlineMs: number }): Promise<boolean> {
  const found = await ctx.db.execute(sql`
    select 1 from ${fulfilmentOperations} o
    join ${fulfilments} f on f.tenant_id = o.tenant_id and f.id = o.fulfilment_id
    join media_buys b on b.tenant_id = f.tenant_id and b.id = f.media_buy_id
    where o.tenant_id = ${ctx.tenantId} and o.kind = ${input.kind} and o.state = 'started' and o.fulfilment_id <> ${input.fulfilmentId}
      and f.adapter_config_id = ${input.adapterConfigId} and b.account_id = ${input.accountId}
      and o.started_at > clock_timestamp() - ${input.deadlineMs} * interval '1 millisecond' limit 1`);
  return found.length > 0;
}
