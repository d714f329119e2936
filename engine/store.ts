import postgres from "postgres";
import { z } from "zod";
import { withoutTypeQuery } from "./connection";
import { type InngestEvent, type StepState, storedEventSchema } from "./wire";

/** The pool, or one transaction of it. */
type Query = postgres.ISql;

export type WaitKey = { runId: string; stepId: string };
/** An event on its way into the store. `target` names the one function that it starts; `parent` the step that awaits that run's result. */
export type NewEvent = { event: InngestEvent; target?: string; parent?: WaitKey };
export type StoredEvent = { event: InngestEvent; target: string | null; parent: WaitKey | null; receivedMs: number };
/** A wait for an event, or a rule by which one cancels the run. */
export type OpenWait = WaitKey & { kind: "event" | "cancel"; eventName: string; expression: string | null; runEvent: InngestEvent; expiresMs: number | null };
/** A wait for the run that a step invoked. */
export type InvokeWait = WaitKey & { kind: "invoke"; runEvent: InngestEvent; expiresMs: number | null };
export type NewWait = OpenWait | InvokeWait;
export type WaitState = { outcome: StepState | null; isLookedBack: boolean };

const outcomeSchema: z.ZodType<StepState | null> = z.union([z.strictObject({ data: z.unknown() }), z.strictObject({ error: z.unknown() }), storedEventSchema, z.null()]);
const eventRowSchema = z
  .object({ payload: storedEventSchema, target: z.string().nullable(), parent_run_id: z.string().nullable(), parent_step_id: z.string().nullable(), received_at: z.date() })
  .transform((row): StoredEvent => ({
    event: row.payload,
    target: row.target,
    parent: row.parent_run_id !== null && row.parent_step_id !== null ? { runId: row.parent_run_id, stepId: row.parent_step_id } : null,
    receivedMs: row.received_at.getTime(),
  }));
const openWaitRowSchema = z
  .object({ run_id: z.string(), step_id: z.string(), kind: z.enum(["event", "cancel"]), event_name: z.string(), expression: z.string().nullable(), run_event: storedEventSchema, expires_at: z.date().nullable() })
  .transform((row): OpenWait => ({
    runId: row.run_id,
    stepId: row.step_id,
    kind: row.kind,
    eventName: row.event_name,
    expression: row.expression,
    runEvent: row.run_event,
    expiresMs: row.expires_at?.getTime() ?? null,
  }));

/** Idempotency keys of functions hold for as long as on the real server. */
const IDEMPOTENCY_HOURS = 24;
const POOL_SIZE = 5;

/** What the executor keeps beside the workflow library's own tables: events, open waits, idempotency keys, cron ticks. */
export class Store {
  readonly sql: postgres.Sql;

  constructor(databaseUrl: string, schema: string) {
    this.sql = postgres(databaseUrl, { ...withoutTypeQuery, max: POOL_SIZE, onnotice: () => undefined, connection: { search_path: `"${schema}"`, application_name: "executor" } });
  }

  async close(): Promise<void> {
    await this.sql.end({ timeout: 1 });
  }

  /** Stores events; resolves to the ids of those that were not known yet. */
  async insertEvents(events: NewEvent[], nowMs: number, sql: Query = this.sql): Promise<Set<string>> {
    if (events.length === 0) return new Set();
    const rows = events.map(({ event, target, parent }) => ({
      id: event.id,
      name: event.name,
      payload: sql.json(toJson(event)),
      target: target ?? null,
      parent_run_id: parent?.runId ?? null,
      parent_step_id: parent?.stepId ?? null,
      received_at: new Date(nowMs),
    }));
    const inserted = await sql<{ id: string }[]>`insert into events ${sql(rows)} on conflict (id) do nothing returning id`;
    return new Set(inserted.map((row) => row.id));
  }

  async listUndispatched(): Promise<StoredEvent[]> {
    const rows = await this.sql`select payload, target, parent_run_id, parent_step_id, received_at from events where dispatched_at is null order by seq`;
    return rows.map((row) => eventRowSchema.parse(row));
  }

  async markDispatched(eventId: string, nowMs: number): Promise<void> {
    await this.sql`update events set dispatched_at = ${new Date(nowMs)} where id = ${eventId}`;
  }

  async listEventsSince(name: string, sinceMs: number): Promise<InngestEvent[]> {
    const rows = await this.sql`select payload from events where name = ${name} and received_at >= ${new Date(sinceMs)} order by seq`;
    return rows.map((row) => storedEventSchema.parse(row.payload));
  }

  /** Whether this event may start the function: false when another event used the key within the last day. Asking again with the same event gives the same answer. */
  async claimIdempotencyKey(functionId: string, key: string, eventId: string, nowMs: number): Promise<boolean> {
    const now = new Date(nowMs);
    const rows = await this.sql`
      insert into idempotency as known (function_id, key, event_id, started_at) values (${functionId}, ${key}, ${eventId}, ${now})
      on conflict (function_id, key) do update set event_id = excluded.event_id, started_at = excluded.started_at
        where known.event_id = excluded.event_id or known.started_at < ${now}::timestamptz - make_interval(hours => ${IDEMPOTENCY_HOURS})
      returning event_id`;
    return rows.length > 0;
  }

  /** Notes a wait unless it is noted already, with `events` in the same transaction. */
  async openWait(wait: NewWait, nowMs: number, events: NewEvent[] = []): Promise<WaitState> {
    return this.sql.begin(async (tx) => {
      await this.insertWaits([wait], nowMs, tx);
      await this.insertEvents(events, nowMs, tx);
      const [row] = await tx`select outcome, looked_back from waits where run_id = ${wait.runId} and step_id = ${wait.stepId}`;
      return { outcome: outcomeSchema.parse(row?.outcome ?? null), isLookedBack: row?.looked_back === true };
    });
  }

  async openCancelRules(rules: OpenWait[], nowMs: number): Promise<void> {
    await this.insertWaits(rules, nowMs, this.sql);
  }

  private async insertWaits(waits: NewWait[], nowMs: number, sql: Query): Promise<void> {
    const rows = waits.map((wait) => ({
      run_id: wait.runId,
      step_id: wait.stepId,
      kind: wait.kind,
      event_name: wait.kind === "invoke" ? null : wait.eventName,
      expression: wait.kind === "invoke" ? null : wait.expression,
      run_event: sql.json(toJson(wait.runEvent)),
      opened_at: new Date(nowMs),
      expires_at: wait.expiresMs === null ? null : new Date(wait.expiresMs),
    }));
    await sql`insert into waits ${sql(rows)} on conflict (run_id, step_id) do nothing`;
  }

  async markLookedBack(key: WaitKey): Promise<void> {
    await this.sql`update waits set looked_back = true where run_id = ${key.runId} and step_id = ${key.stepId}`;
  }

  async listOpenWaits(): Promise<OpenWait[]> {
    const rows = await this.sql`select run_id, step_id, kind, event_name, expression, run_event, expires_at from waits where closed_at is null and kind <> 'invoke'`;
    return rows.map((row) => openWaitRowSchema.parse(row));
  }

  /** Gives open waits their outcome; resolves to those that were still open. */
  async settleWaits(keys: WaitKey[], outcome: StepState, nowMs: number, sql: Query = this.sql): Promise<WaitKey[]> {
    if (keys.length === 0) return [];
    const rows = await sql<{ run_id: string; step_id: string }[]>`
      update waits set outcome = ${sql.json(toJson(outcome))}, closed_at = ${new Date(nowMs)}
      from jsonb_to_recordset(${sql.json(keys.map(({ runId, stepId }) => ({ run_id: runId, step_id: stepId })))}) as matched (run_id text, step_id text)
      where waits.run_id = matched.run_id and waits.step_id = matched.step_id and closed_at is null
      returning waits.run_id, waits.step_id`;
    return rows.map((row) => ({ runId: row.run_id, stepId: row.step_id }));
  }

  /** Closes a wait whose time is up. Resolves to its outcome when it was settled just before, otherwise to null. */
  async expireWait(key: WaitKey, nowMs: number): Promise<StepState | null> {
    const closed = await this.sql`
      update waits set closed_at = ${new Date(nowMs)} where run_id = ${key.runId} and step_id = ${key.stepId} and closed_at is null returning 1`;
    if (closed.length > 0) return null;
    const [row] = await this.sql`select outcome from waits where run_id = ${key.runId} and step_id = ${key.stepId}`;
    return outcomeSchema.parse(row?.outcome ?? null);
  }

  async listCancelledRuns(): Promise<string[]> {
    const rows = await this.sql<{ run_id: string }[]>`select distinct run_id from waits where kind = 'cancel' and outcome is not null`;
    return rows.map((row) => row.run_id);
  }

  /** Leaves nothing open of a finished run and hands its result to the step that awaits it. True when somebody did. */
  async finishRun(runId: string, events: NewEvent[], parent: WaitKey | null, result: StepState, nowMs: number): Promise<{ isAwaited: boolean }> {
    return this.sql.begin(async (tx) => {
      await this.insertEvents(events, nowMs, tx);
      await tx`delete from waits where run_id = ${runId}`;
      const settled = await this.settleWaits(parent ? [parent] : [], result, nowMs, tx);
      return { isAwaited: settled.length > 0 };
    });
  }

  async readLastTick(functionId: string, expression: string, nowMs: number): Promise<number> {
    const [row] = await this.sql<{ fired_at: Date }[]>`
      insert into ticks (function_id, expression, fired_at) values (${functionId}, ${expression}, ${new Date(nowMs)})
      on conflict (function_id, expression) do update set expression = excluded.expression returning fired_at`;
    return row?.fired_at.getTime() ?? nowMs;
  }

  async fireTick(functionId: string, expression: string, tickMs: number, event: NewEvent, nowMs: number): Promise<void> {
    await this.sql.begin(async (tx) => {
      await tx`update ticks set fired_at = greatest(fired_at, ${new Date(tickMs)}) where function_id = ${functionId} and expression = ${expression}`;
      await this.insertEvents([event], nowMs, tx);
    });
  }

  /** Removes dispatched events and what else is older than the instant. `workflowSchema` holds the runs that still need their waits. */
  async purge(beforeMs: number, workflowSchema: string): Promise<number> {
    const before = new Date(beforeMs);
    await this.sql`delete from idempotency where started_at < ${before}`;
    await this.sql`
      delete from waits where opened_at < ${before}
        and not exists (select 1 from ${this.sql(workflowSchema)}.workflow_status where workflow_uuid = waits.run_id and status in ('PENDING', 'ENQUEUED', 'DELAYED'))`;
    const removed = await this.sql`delete from events where received_at < ${before} and dispatched_at is not null`;
    return removed.count;
  }
}

const jsonSchema: z.ZodType<postgres.JSONValue> = z.json();

function toJson(value: StepState): postgres.JSONValue {
  return jsonSchema.parse(value);
}
