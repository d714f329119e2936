import { GlobalLogger } from "@dbos-inc/dbos-sdk/internal/telemetry/logs";
import { migrateSystemDatabase } from "@dbos-inc/dbos-sdk/internal/system_database";
import postgres from "postgres";

/** Each entry is applied once, in this order. Append only. */
const MIGRATIONS = [
  `create table events (
     id text primary key,
     name text not null,
     payload jsonb not null,
     target text,
     parent_run_id text,
     parent_step_id text,
     received_at timestamptz not null,
     dispatched_at timestamptz,
     seq bigint generated always as identity
   );
   create index events_name_received_at on events (name, received_at);
   create index events_undispatched on events (seq) where dispatched_at is null;

   create table waits (
     run_id text not null,
     step_id text not null,
     kind text not null check (kind in ('event', 'invoke', 'cancel')),
     event_name text,
     expression text,
     run_event jsonb not null,
     opened_at timestamptz not null,
     expires_at timestamptz,
     looked_back boolean not null default false,
     outcome jsonb,
     closed_at timestamptz,
     primary key (run_id, step_id)
   );
   create index waits_open on waits (opened_at) where closed_at is null;

   create table idempotency (
     function_id text not null,
     key text not null,
     event_id text not null,
     started_at timestamptz not null,
     primary key (function_id, key)
   );

   create table ticks (
     function_id text not null,
     expression text not null,
     fired_at timestamptz not null,
     primary key (function_id, expression)
   );`,
];

/** Only keeps two migrations of one database apart. */
const LOCK_KEY = 7_041_996;
const LOCK_POLL_MS = 200;

/** Name of the schema that belongs to the durable-workflow library. */
export function workflowSchema(schema: string): string {
  return `${schema}_dbos`;
}

/**
 * Creates or updates the executor's schemas and lets the app's role use them. Safe to run again and from several processes.
 * Must not run while another session of the same database waits inside a statement (such as `select pg_advisory_lock(…)`):
 * the library builds indexes concurrently, which waits for every older statement.
 * @param adminUrl connection of a role that may create schemas
 * @param appRole login role of the process that will run the executor
 */
export async function migrateEngine(adminUrl: string, appRole: string, schema = "engine"): Promise<void> {
  const client = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await takeLock(client);
    await migrateOwnTables(client, schema);
    await migrateSystemDatabase(adminUrl, new GlobalLogger(undefined, { logLevel: "error" }), workflowSchema(schema), appRole);
    await grant(client, schema, appRole);
  } finally {
    await client.end();
  }
}

/** Polls instead of waiting inside a statement, for the reason that migrateEngine gives. */
async function takeLock(client: postgres.Sql): Promise<void> {
  for (;;) {
    const [row] = await client<{ taken: boolean }[]>`select pg_try_advisory_lock(${LOCK_KEY}) as taken`;
    if (row?.taken) return;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function migrateOwnTables(client: postgres.Sql, schema: string): Promise<void> {
  await client.begin(async (tx) => {
    await tx`create schema if not exists ${tx(schema)}`;
    await tx`select set_config('search_path', ${`"${schema}"`}, true)`;
    await tx`create table if not exists migrations (version int primary key, applied_at timestamptz not null default now())`;
    const [row] = await tx<{ version: number }[]>`select coalesce(max(version), 0)::int as version from migrations`;
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < (row?.version ?? 0)) continue;
      await tx.unsafe(statements);
      await tx`insert into migrations (version) values (${index + 1})`;
    }
  });
}

async function grant(client: postgres.Sql, schema: string, appRole: string): Promise<void> {
  await client.begin(async (tx) => {
    await tx`grant usage on schema ${tx(schema)} to ${tx(appRole)}`;
    await tx`grant select, insert, update, delete on all tables in schema ${tx(schema)} to ${tx(appRole)}`;
    await tx`revoke insert, update, delete on ${tx(schema)}.migrations from ${tx(appRole)}`;
  });
}

/** Throws one readable line when the executor's own tables are missing or older than this code. */
export async function checkOwnTables(sql: postgres.Sql): Promise<void> {
  const rows = await sql<{ version: number }[]>`select coalesce(max(version), 0)::int as version from migrations`.catch(() => []);
  if ((rows[0]?.version ?? 0) < MIGRATIONS.length) throw new Error("The executor's tables are missing or out of date: run the migrations first.");
}
