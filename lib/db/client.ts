import { AsyncLocalStorage } from "node:async_hooks";
import { sql } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type z } from "zod";
import { env, required } from "../env";
import { log } from "../log";

/** A transaction that a tenant's wall stands around. The only way to a query: see withTenant. */
export type Tx = Parameters<Parameters<PostgresJsDatabase["transaction"]>[0]>[0];

type Pool = { client: postgres.Sql; db: PostgresJsDatabase };

// server.ts and Next's route bundles are separate module instances in one process; they share one pool.
const globals = globalThis as typeof globalThis & { __greenlightPool?: Pool };

function pool(): Pool {
  if (!globals.__greenlightPool) {
    // drizzle changes the client's serialisers: this client is drizzle's alone.
    const client = postgres(required("DATABASE_URL"), { max: env().DATABASE_POOL_SIZE, onnotice: () => undefined, connection: { application_name: "greenlight" } });
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
        return (...given: unknown[]) => Reflect.apply(value, target, given.map((item) => (typeof item === "function" ? (inner: object) => Reflect.apply(item, undefined, [preparing(inner)]) : item)));
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

const signals = new WeakMap<Tx, Map<string, Set<string>>>();
const nesting = new AsyncLocalStorage<true>();

/**
 * Runs `work` in one transaction in which only this tenant's rows exist. Notifications asked for by `notifyAfterCommit` are sent
 * once it has committed (inside, NOTIFY would serialise all commits). Calling it inside itself is a mistake and throws.
 */
export async function withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(sql`select set_config('app.tenant_id', ${tenantId}, true)`, work);
}

/** Runs `work` as the worker role, whose cross-tenant grants are listed in drizzle/0001_security.sql. For relay, schedules and sign-in. */
export async function withWorkerRole<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(sql`set local role greenlight_worker`, work);
}

async function transact<T>(opening: ReturnType<typeof sql>, work: (tx: Tx) => Promise<T>): Promise<T> {
  if (nesting.getStore()) throw new Error("Invariant broken: a transaction was opened inside another");
  const pending = new Map<string, Set<string>>();
  const result = await nesting.run(true, () => pool().db.transaction(async (tx) => {
    signals.set(tx, pending);
    await tx.execute(opening);
    return work(tx);
  }));
  if (pending.size > 0) sendNotifications(pending);
  return result;
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
  return row.array().parse([...(await pool().db.execute(query))]);
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

function sendNotifications(pending: Map<string, Set<string>>): void {
  const pairs = [...pending].flatMap(([channel, payloads]) => [...payloads].map((payload) => ({ channel, payload })));
  pool().client`select pg_notify(x.channel, x.payload) from jsonb_to_recordset(${JSON.stringify(pairs)}::text::jsonb) as x(channel text, payload text)`
    .catch((error: unknown) => log.warn("A notification could not be sent; its listeners poll.", { error }));
}

/** A listener on its own connection, re-established by itself. `onReady` is called after each (re)connection: look for what was missed. */
export async function listen(channel: Channel, onPayload: (payload: string) => void, onReady: () => void = () => undefined): Promise<() => Promise<void>> {
  const client = postgres(required("DATABASE_URL"), { max: 1, idle_timeout: 0, connection: { application_name: `greenlight listen ${channel}` } });
  await client.listen(channel, onPayload, onReady);
  return () => client.end({ timeout: 1 });
}
