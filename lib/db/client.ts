import { AsyncLocalStorage } from "node:async_hooks";
import { fillPlaceholders, type Query, type sql, type SQLWrapper } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type z } from "zod";
import { env, required } from "../env";
import { log } from "../log";
import { connectGathering } from "./gathering-socket";

/** A transaction that a tenant's wall stands around. The only way to a query: see withTenant. */
export type Tx = Parameters<Parameters<PostgresJsDatabase["transaction"]>[0]>[0];

type Pool = { client: postgres.Sql; db: PostgresJsDatabase };

// server.ts and Next's route bundles are separate module instances in one process; they share one pool, and what its transactions know of their opening.
const globals = globalThis as typeof globalThis & { __greenlightPool?: Pool; __greenlightNesting?: AsyncLocalStorage<Open> };

function pool(): Pool {
  if (!globals.__greenlightPool) {
    // drizzle changes the client's serialisers: this client is drizzle's alone.
    // The driver's types do not know `socket` yet.
    const options = { max: env().DATABASE_POOL_SIZE, onnotice: () => undefined, connection: { application_name: "greenlight" }, socket: connectGathering };
    const client = postgres(required("DATABASE_URL"), options);
    globals.__greenlightPool = { client, db: drizzle(preparing(client)) };
  }
  return globals.__greenlightPool;
}

/** Statements with more parameters are bulk writes: their texts differ each time, and keeping every one prepared would fill the server's memory. */
const PREPARED_PARAMETERS_MAX = 64;

/**
 * drizzle asks for unprepared statements, which cost a second round trip and a new plan each time: half of the throughput. This lets the
 * driver prepare them, once per connection.
 */
function preparing<T extends object>(client: T): T {
  return new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key === "unsafe") {
        return (query: string, parameters: unknown[] = [], options: object = {}) => Reflect.apply(value, target, [query, parameters, { ...options, prepare: parameters.length <= PREPARED_PARAMETERS_MAX }]);
      }
      if (key === "begin" || key === "savepoint") {
        return (...given: unknown[]) => Reflect.apply(value, target, given.map((item) => (typeof item === "function" ? (inner: postgres.TransactionSql) => {
          if (key === "begin") openTransaction(inner);
          return Reflect.apply(item, undefined, [preparing(inner)]);
        } : item)));
      }
      return value;
    },
  });
}

export async function closeDatabase(): Promise<void> {
  const open = globals.__greenlightPool;
  delete globals.__greenlightPool;
  await open?.client.end({ timeout: 5 });
}

type Statement = { text: string; parameters: string[] };

/** What is known of a transaction beside drizzle's part of it. */
type Open = { opening: Statement; client: postgres.TransactionSql | null; sentAlong: PromiseLike<unknown>[] };

const signals = new WeakMap<Tx, Map<string, Set<string>>>();
const opened = new WeakMap<Tx, Open>();
const nesting = (globals.__greenlightNesting ??= new AsyncLocalStorage<Open>());
const dialect = new PgDialect();

/**
 * Runs `work` in one transaction in which only this tenant's rows exist. Notifications asked for by `notifyAfterCommit` are sent
 * once it has committed (inside, NOTIFY would serialise all commits). Calling it inside itself is a mistake and throws.
 */
export async function withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact({ text: "select set_config('app.tenant_id', $1, true)", parameters: [tenantId] }, work);
}

/** Runs `work` as the worker role, whose cross-tenant grants are listed in drizzle/0001_security.sql. For relay, schedules and sign-in. */
export async function withWorkerRole<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact({ text: "set local role greenlight_worker", parameters: [] }, work);
}

async function transact<T>(opening: Statement, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (nesting.getStore()) throw new Error("Invariant broken: a transaction was opened inside another");
  const pending = new Map<string, Set<string>>();
  const open: Open = { opening, client: null, sentAlong: [] };
  const result = await nesting.run(open, () => pool().db.transaction(async (tx) => {
    signals.set(tx, pending);
    opened.set(tx, open);
    return work(tx);
  }));
  // The commit of a transaction in which a statement failed is a rollback that reports no error.
  await Promise.all(open.sentAlong);
  if (pending.size > 0) sendNotifications(pending);
  return result;
}

/** The wall is up before anything else is sent: this is the first statement, and `execute` hands it over before `work` begins. It is not waited for. */
function openTransaction(client: postgres.TransactionSql): void {
  const open = nesting.getStore();
  if (!open) throw new Error("Invariant broken: a transaction outside withTenant and withWorkerRole");
  open.client = client;
  open.sentAlong.push(client.unsafe(open.opening.text, open.opening.parameters, { prepare: true }).execute());
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
  if (!open?.client) throw new Error("Invariant broken: sendAlong outside withTenant, or behind a savepoint");
  open.sentAlong.push(open.client.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: params.length <= PREPARED_PARAMETERS_MAX }).execute());
}

/** What drizzle's builders make of themselves when asked to. */
type Preparable<Row> = { prepare(name: string): { execute(values?: Record<string, unknown>): Promise<Row> } };

/**
 * A query whose text is made once: for the few that every order needs, because building one costs more than running it. Values go where `build`
 * puts `sql.placeholder(name)`.
 */
export function compiled<Row>(build: (db: Tx) => Preparable<Row>): (tx: Tx, values: Record<string, unknown>) => Promise<Row> {
  let made: ReturnType<Preparable<Row>["prepare"]> | undefined;
  return (tx, values) => {
    made ??= build(tx).prepare("compiled");
    // drizzle ties a prepared query to the connection that it was made on: this one runs on the transaction's.
    const bound = Object.create(made, { client: { value: clientOf(tx) } }) as typeof made;
    return bound.execute(values);
  };
}

/** The driver's client behind a transaction or savepoint of drizzle's, which keeps it to itself. */
function clientOf(tx: Tx): unknown {
  const { session } = tx as unknown as { session?: { client?: unknown } };
  if (!session?.client) throw new Error("Invariant broken: drizzle keeps its client elsewhere now");
  return session.client;
}

/** The same for a statement that is sent along. */
export function compiledAlong(build: (db: Tx) => SQLWrapper): (tx: Tx, values: Record<string, unknown>) => void {
  let made: Query | undefined;
  return (tx, values) => {
    made ??= dialect.sqlToQuery(build(tx).getSQL());
    sendText(tx, made.sql, fillPlaceholders(made.params, values));
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
  return row.array().parse([...(await pool().client.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: true }))]);
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

function sendNotifications(pending: Map<string, Set<string>>): void {
  for (const [channel, payloads] of pending) waiting.set(channel, new Set([...(waiting.get(channel) ?? []), ...payloads]));
  if (!isSending) void sendWaiting();
}

async function sendWaiting(): Promise<void> {
  isSending = true;
  while (waiting.size > 0) {
    const pairs = [...waiting].flatMap(([channel, payloads]) => [...payloads].map((payload) => ({ channel, payload })));
    waiting.clear();
    try {
      await pool().client`select pg_notify(x.channel, x.payload) from jsonb_to_recordset(${JSON.stringify(pairs)}::text::jsonb) as x(channel text, payload text)`;
    } catch (error) {
      log.warn("A notification could not be sent; its listeners poll.", { error });
    }
  }
  isSending = false;
}

/** A listener on its own connection, re-established by itself. `onReady` is called after each (re)connection: look for what was missed. */
export async function listen(channel: Channel, onPayload: (payload: string) => void, onReady: () => void = () => undefined): Promise<() => Promise<void>> {
  const client = postgres(required("DATABASE_URL"), { max: 1, idle_timeout: 0, connection: { application_name: `greenlight listen ${channel}` } });
  await client.listen(channel, onPayload, onReady);
  return () => client.end({ timeout: 1 });
}
