import { AsyncLocalStorage } from "node:async_hooks";
import { is, Param, Placeholder, type Query, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type z } from "zod";
import { env, required } from "../env";
import { log } from "../log";
import { type Connection, Connections } from "./connections";
import { driverCode, IN_FAILED_TRANSACTION } from "./driver-code";
import { connectionLost, sockets } from "./sockets";

/** A transaction that a tenant's wall stands around. The only way to a query: see withTenant. */
export type Tx = Parameters<Parameters<PostgresJsDatabase["transaction"]>[0]>[0];

type Pool = { connections: Connections; lookUps: Connections };

// server.ts and Next's route bundles are separate module instances in one process; they share one pool, and what its transactions know of their opening.
const globals = globalThis as typeof globalThis & { __greenlightPool?: Pool; __greenlightNesting?: AsyncLocalStorage<true> };

/**
 * A new connection would ask the server for its array types first, and nobody would hear of it if that failed: the process would end. Lists of
 * texts are the only arrays read here that drizzle does not read itself.
 */
const TEXT_ARRAY = 1_009;
const withoutTypeQuery = { fetch_types: false, types: { textArray: { to: TEXT_ARRAY, from: [TEXT_ARRAY], serialize: String, parse: parseTextArray } } };

/** A list of texts as Postgres writes it: `{a,"b \\" c",NULL}`. drizzle's own parser takes every backslash away. */
function parseTextArray(text: string): (string | null)[] {
  const elements = text.matchAll(/[{,](?:"((?:[^"\\]|\\.)*)"|([^",{}]+))/gsu);
  return Array.from(elements, ([, quoted, plain]) => (quoted !== undefined ? quoted.replaceAll(/\\(.)/gsu, "$1") : plain === "NULL" ? null : (plain ?? "")));
}

/** Connections for what needs no transaction, beside those of the pool. */
const LOOK_UP_CONNECTIONS = 4;

function pool(): Pool {
  if (!globals.__greenlightPool) {
    const options = { ...withoutTypeQuery, onnotice: () => undefined, connection: { application_name: "greenlight" } };
    const connectionsOf = (max: number) => new Connections(required("DATABASE_URL"), max, options);
    globals.__greenlightPool = { connections: connectionsOf(env().DATABASE_POOL_SIZE), lookUps: connectionsOf(LOOK_UP_CONNECTIONS) };
  }
  return globals.__greenlightPool;
}

export async function closeDatabase(): Promise<void> {
  const open = globals.__greenlightPool;
  delete globals.__greenlightPool;
  await Promise.all([open?.connections.end(), open?.lookUps.end()]);
}

/** Statements with more parameters are bulk writes: their texts differ each time, and keeping every one prepared would fill the server's memory. */
const PREPARED_PARAMETERS_MAX = 64;

/** More do not fit into a message of the protocol. */
const PARAMETERS_MAX = 65_533;

type Send = (text: string, params?: unknown[]) => postgres.PendingQuery<postgres.Row[]>;

/** What is known of a transaction beside drizzle's part of it. */
type Open = { connection: Connection; /** COMMIT or ROLLBACK is sent: what comes later would land in somebody else's transaction. */ isOver: boolean; sentAlong: Promise<postgres.Row[]>[] };

/**
 * The only way to a connection. drizzle asks for unprepared statements, which cost a second round trip and a new plan each time: half of the
 * throughput. This lets the driver prepare them, once per connection.
 */
function send({ connection }: Pick<Open, "connection">, text: string, params: unknown[] = []): ReturnType<Send> {
  if (connection.isLost) throw connectionLost();
  // The driver would find out too late: where another statement is under way, it waits forever for the answer to one that it did not send.
  if (params.includes(undefined)) throw Object.assign(new Error(`A parameter is undefined (use null): ${text}`), { code: "UNDEFINED_VALUE" });
  if (params.length > PARAMETERS_MAX) throw Object.assign(new Error(`A statement has ${params.length} parameters: at most ${PARAMETERS_MAX}.`), { code: "MAX_PARAMETERS_EXCEEDED" });
  return connection.client.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: params.length <= PREPARED_PARAMETERS_MAX });
}

/** The client that drizzle sees: it sends in this transaction, which `transact` opens and ends, as long as that is open. Savepoints as the driver makes them. */
function clientFor(open: Open): postgres.Sql {
  let savepoints = 0;
  const unsafe: Send = (text, params) => {
    if (open.isOver) throw new Error("Invariant broken: a statement was sent in a transaction that is over");
    return send(open, text, params);
  };
  const client = {
    options: open.connection.client.options,
    unsafe,
    begin: (work: (inner: unknown) => unknown) => work(client),
    async savepoint(work: (inner: unknown) => unknown) {
      const name = `s${(savepoints += 1)}`;
      await unsafe(`savepoint ${name}`);
      try {
        return await work(client);
      } catch (error) {
        if (!open.isOver && !open.connection.isLost) await unsafe(`rollback to ${name}`);
        throw error;
      }
    },
  };
  return client as unknown as postgres.Sql;
}

const signals = new WeakMap<Tx, Map<string, Set<string>>>();
const opened = new WeakMap<Tx, Open>();
const nesting = (globals.__greenlightNesting ??= new AsyncLocalStorage<true>());
const dialect = new PgDialect();

/**
 * Runs `work` in one transaction in which only this tenant's rows exist. Notifications asked for by `notifyAfterCommit` are sent
 * once it has committed (inside, NOTIFY would serialise all commits). Calling it inside itself is a mistake and throws.
 * @param lockWaitMs no statement waits longer than this for a lock: it fails with 55P03
 */
export async function withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>, { lockWaitMs }: { lockWaitMs?: number } = {}): Promise<T> {
  const bound = lockWaitMs === undefined ? "" : `, set_config('lock_timeout', '${Math.ceil(lockWaitMs)}ms', true)`;
  return transact(`begin; select set_config('app.tenant_id', '${tenantId.replaceAll("'", "''")}', true)${bound}`, work);
}

/** Runs `work` as the worker role, whose cross-tenant grants are listed in drizzle/0001_security.sql. For relay, schedules and sign-in. */
export async function withWorkerRole<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact("begin; set local role greenlight_worker", work);
}

async function transact<T>(opening: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (nesting.getStore()) throw new Error("Invariant broken: a transaction was opened inside another");
  const { connections, lookUps } = pool();
  const open: Open = { connection: await connections.take(), isOver: false, sentAlong: [] };
  const pending = new Map<string, Set<string>>();
  let isCommitted = false;
  try {
    const result = await nesting.run(true, () => runIn(open, opening, pending, work));
    isCommitted = true;
    if (pending.size > 0) sendNotifications(lookUps, pending);
    return result;
  } finally {
    open.isOver = true;
    connections.give(open.connection, isCommitted || (await rollBack(open)));
  }
}

async function runIn<T>(open: Open, opening: string, pending: Map<string, Set<string>>, work: (tx: Tx) => Promise<T>): Promise<T> {
  // The wall is up before anything else is sent, and nobody waits for it.
  const begun = sendIn(open, opening);
  try {
    const result = await drizzle(clientFor(open)).transaction((tx) => {
      signals.set(tx, pending);
      opened.set(tx, open);
      return work(tx);
    });
    open.isOver = true;
    const [commit] = await Promise.all([send(open, "commit"), ...open.sentAlong]);
    // The commit of a transaction in which a statement failed is a rollback that reports no error.
    if (commit.command !== "COMMIT") throw new Error("Nothing was stored: a statement of this transaction failed, and whoever sent it went on.");
    return result;
  } catch (error) {
    // Behind a wall that never opened there is nothing to be found: what `work` made of that is no answer.
    await begun;
    // Later statements only say that an earlier one has failed.
    if (driverCode(error) === IN_FAILED_TRANSACTION) await Promise.all(open.sentAlong);
    throw error;
  }
}

/** Whether it is certain that nothing is open any more. */
async function rollBack(open: Open): Promise<boolean> {
  if (open.connection.isLost) return false;
  return send(open, "rollback").then(() => true, () => false);
}

/**
 * Sends a statement whose result nobody reads without waiting for it, so that it travels with what follows: its failure fails the
 * transaction, at its end. Everything that is sent later still comes after it.
 */
export function sendAlong(tx: Tx, statement: SQLWrapper): void {
  const { sql: text, params } = dialect.sqlToQuery(statement.getSQL());
  sendText(tx, text, params);
}

/** The same for a statement whose text is known. */
export function sendText(tx: Tx, text: string, params: unknown[]): void {
  const open = opened.get(tx);
  if (!open) throw new Error("Invariant broken: sendAlong outside withTenant, or behind a savepoint");
  if (open.isOver) throw new Error("Invariant broken: a statement was sent along in a transaction that is over");
  void sendIn(open, text, params);
}

function sendIn(open: Open, text: string, params?: unknown[]): Promise<postgres.Row[]> {
  const sent = send(open, text, params).execute();
  open.sentAlong.push(sent);
  // Its failure is met where the transaction ends.
  sent.catch(() => undefined);
  return sent;
}

/** What drizzle's builders make of themselves when asked to. */
type Preparable<Row> = { prepare(name: string): Prepared<Row> };
type Prepared<Row> = { execute(values?: Record<string, unknown>): Promise<Row> };
type Values = Record<string, unknown>;

/**
 * A query whose text is made once: for the few that every order needs, because building one costs more than running it. Values go where `build`
 * puts `sql.placeholder(name)`.
 */
export function compiled<Row>(build: (db: Tx) => Preparable<Row>): (tx: Tx, values: Values) => Promise<Row> {
  const run = compiledByShape<null, Row>(build);
  return (tx, values) => run(tx, null, values);
}

/** The same for a query of a few shapes, made once for each: what `build` leaves out or repeats depends on the shape alone, which is plain JSON. */
export function compiledByShape<Shape, Row>(build: (db: Tx, shape: Shape) => Preparable<Row>): (tx: Tx, shape: Shape, values: Values) => Promise<Row> {
  const made = new Map<string, Prepared<Row>>();
  return (tx, shape, values) => {
    const key = JSON.stringify(shape);
    const query = made.get(key) ?? build(tx, shape).prepare("compiled");
    made.set(key, query);
    // drizzle ties a prepared query to the connection that it was made on: this one runs on the transaction's.
    const bound = Object.create(query, { client: { value: clientOf(tx) }, params: { value: fill(paramsOf(query), values) } }) as typeof query;
    return bound.execute();
  };
}

/** What drizzle fills with values, which it keeps to itself. */
function paramsOf(query: unknown): unknown[] {
  const { params } = query as { params?: unknown[] };
  if (!params) throw new Error("Invariant broken: drizzle keeps its parameters elsewhere now");
  return params;
}

/** As drizzle fills placeholders, but with SQL's null for null, and with instants and numbers where no column says how they are written. */
function fill(params: unknown[], values: Values): unknown[] {
  return params.map((item) => {
    const placeholder = is(item, Param) ? item.value : item;
    if (!is(placeholder, Placeholder)) return item;
    const value = values[placeholder.name];
    if (value === undefined) throw new Error(`A compiled query got no value for ${placeholder.name}.`);
    if (value === null) return null;
    if (is(item, Param)) return item.encoder.mapToDriverValue(value);
    return value instanceof Date ? value.toISOString() : typeof value === "number" ? String(value) : value;
  });
}

/** Ids as one parameter, for `= any(…)`: the text of a query does not depend on how many there are. */
export function anyOf(name: string): SQL {
  return sql`any(${sql.placeholder(name)}::text::uuid[])`;
}

/** The value of such a parameter. */
export function uuidArray(ids: readonly string[]): string {
  return `{${ids.join()}}`;
}

/** The driver's client behind a transaction or savepoint of drizzle's, which keeps it to itself. */
function clientOf(tx: Tx): unknown {
  const { session } = tx as unknown as { session?: { client?: unknown } };
  if (!session?.client) throw new Error("Invariant broken: drizzle keeps its client elsewhere now");
  return session.client;
}

/** The same for a statement that is sent along. */
export function compiledAlong(build: (db: Tx) => SQLWrapper): (tx: Tx, values: Values) => void {
  let made: Query | undefined;
  return (tx, values) => {
    made ??= dialect.sqlToQuery(build(tx).getSQL());
    sendText(tx, made.sql, fill(made.params, values));
  };
}

/** Runs `work` behind a savepoint: what it throws undoes its own writes, and its notifications, alone. */
export async function withSavepoint<T>(tx: Tx, work: (inner: Tx) => Promise<T>): Promise<T> {
  const pending = new Map<string, Set<string>>();
  const result = await tx.transaction((inner) => {
    signals.set(inner, pending);
    return work(inner);
  });
  for (const [channel, payloads] of pending) for (const payload of payloads) addSignal(tx, channel, payload);
  return result;
}

/** A query that needs no tenant: the SECURITY DEFINER look-ups alone. Each row is parsed by `row`. */
export async function lookUp<T>(row: z.ZodType<T>, query: ReturnType<typeof sql>): Promise<T[]> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  return row.array().parse([...(await askAlone(pool().lookUps, text, params))]);
}

/** One statement by itself, on a connection that is nobody else's meanwhile. */
async function askAlone(lookUps: Connections, text: string, params: unknown[]): Promise<postgres.Row[]> {
  const connection = await lookUps.take();
  try {
    return await send({ connection }, text, params);
  } finally {
    lookUps.give(connection, true);
  }
}

export type Channel = "greenlight_outbox" | "greenlight_live";

/** Sends `payload` on `channel` after the transaction has committed. Losing it is harmless: every listener also polls. */
export function notifyAfterCommit(tx: Tx, channel: Channel, payload: string): void {
  addSignal(tx, channel, payload);
}

function addSignal(tx: Tx, channel: string, payload: string): void {
  const pending = signals.get(tx);
  if (!pending) throw new Error("Invariant broken: notifyAfterCommit outside withTenant");
  const payloads = pending.get(channel) ?? new Set();
  pending.set(channel, payloads.add(payload));
}

/** Asked for and not sent yet. Whatever comes while one statement is under way goes with the next: a busy process sends few. */
const waiting = new Map<string, Set<string>>();
let isSending = false;
/** On whose connections: those of the transaction that asked last. */
let through: Connections | undefined;

function sendNotifications(lookUps: Connections, pending: Map<string, Set<string>>): void {
  for (const [channel, payloads] of pending) waiting.set(channel, new Set([...(waiting.get(channel) ?? []), ...payloads]));
  through = lookUps;
  if (!isSending) void sendWaiting();
}

async function sendWaiting(): Promise<void> {
  isSending = true;
  while (through && waiting.size > 0) {
    const pairs = [...waiting].flatMap(([channel, payloads]) => [...payloads].map((payload) => ({ channel, payload })));
    waiting.clear();
    try {
      await askAlone(through, "select pg_notify(x.channel, x.payload) from jsonb_to_recordset($1::text::jsonb) as x(channel text, payload text)", [JSON.stringify(pairs)]);
    } catch (error) {
      log.warn("A notification could not be sent; its listeners poll.", { error });
    }
  }
  isSending = false;
}

/** A listener on its own connection, re-established by itself. `onReady` is called after each (re)connection: look for what was missed. */
export async function listen(channel: Channel, onPayload: (payload: string) => void, onReady: () => void = () => undefined): Promise<() => Promise<void>> {
  const stopped = new AbortController();
  const { socket, letIn } = sockets("pause", stopped.signal);
  const options = { ...withoutTypeQuery, max: 1, idle_timeout: 0, socket, connection: { application_name: `greenlight listen ${channel}` } };
  const client = postgres(required("DATABASE_URL"), options);
  const stop = () => {
    stopped.abort();
    return client.end({ timeout: 1 });
  };
  try {
    await client.listen(channel, onPayload, () => {
      letIn();
      onReady();
    });
  } catch (error) {
    // The driver would go on trying, for nobody.
    await stop();
    throw error;
  }
  return stop;
}
