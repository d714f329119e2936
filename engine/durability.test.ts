import { type AddressInfo, connect, createServer } from "node:net";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "@/test/wait";
import { createHarness, type Define, useEngineDatabase } from "@/test/engine/harness";
import { migrateEngine } from "./migrate";

const database = useEngineDatabase();
let admin: postgres.Sql;
beforeAll(() => {
  admin = postgres(database.adminUrl, { max: 2, onnotice: () => undefined });
});
afterAll(async () => admin.end());

const DAY_MS = 86_400_000;

test("a run that sleeps and one that waits go on after a restart, and no step is repeated", async () => {
  const ran: string[] = [];
  const define: Define = (client) => [
    client.createFunction({ id: "resume", triggers: [{ event: "resume/x" }] }, async ({ event, step }) => {
      await step.run("before", () => void ran.push(`before ${event.data.how}`));
      if (event.data.how === "sleep") await step.sleep("nap", "1h");
      const got = event.data.how === "wait" ? await step.waitForEvent("w", { event: "resume/go", timeout: "1d" }) : null;
      await step.run("after", () => void ran.push(`after ${event.data.how} ${got?.data.by ?? ""}`));
    }),
  ];
  const first = await database.start(define);
  await first.inngest.send(["sleep", "wait"].map((how) => ({ id: `resume-${how}`, name: "resume/x", data: { how } })));
  await waitFor("both to park", () => first.executor.status().waiting === 2);
  await first.executor.stop();
  expect(first.executor.status().ready).toBe(false);
  expect(first.lines.filter((line) => line.level === "warn" || line.level === "error")).toEqual([]);

  const second = await database.start(define, { clock: first.clock });
  await waitFor("both to be back", () => second.executor.status().waiting === 2);
  first.clock.advance(3_600_000);
  await second.inngest.send({ id: "resume-go", name: "resume/go", data: { by: "ann" } });
  await waitFor("both to end", () => ran.length === 4);
  expect(ran.sort()).toEqual(["after sleep ", "after wait ann", "before sleep", "before wait"]);
});

test("a sleep and a wait that ran out while nothing ran end at once", async () => {
  const ended: unknown[] = [];
  const define: Define = (client) => [
    client.createFunction({ id: "late", triggers: [{ event: "late/x" }] }, async ({ event, step }) => {
      if (event.data.how === "sleep") await step.sleep("nap", "1h");
      else ended.push(await step.waitForEvent("w", { event: "late/never", timeout: "1h" }));
      ended.push(event.data.how);
    }),
  ];
  const first = await database.start(define);
  await first.inngest.send(["sleep", "wait"].map((how) => ({ id: `late-${how}`, name: "late/x", data: { how } })));
  await waitFor("both to park", () => first.executor.status().waiting === 2);
  await first.executor.stop();
  first.clock.advance(DAY_MS);
  await database.start(define, { clock: first.clock });
  await waitFor("both to end", () => ended.length === 3);
  expect(ended).toContain(null);
});

test("an event is stored before it is answered, and one that was not dispatched is dispatched by the next start", async () => {
  const started: string[] = [];
  const define: Define = (client) => [client.createFunction({ id: "stored", triggers: [{ event: "stored/x" }] }, async ({ event }) => void started.push(String(event.id)))];
  const first = await database.start(define);
  await first.inngest.send({ id: "stored-1", name: "stored/x", data: {} });
  expect(await admin`select id from engine.events where id = 'stored-1'`).toHaveLength(1);
  await waitFor("the run", () => started.length === 1);
  await first.executor.stop();
  // As a process leaves it that dies between the answer and the dispatch.
  await admin`insert into engine.events (id, name, payload, received_at)
    select 'stored-2', name, jsonb_set(payload, '{id}', '"stored-2"'), now() from engine.events where id = 'stored-1'`;
  await database.start(define);
  await waitFor("the second run", () => started.length === 2);
  expect(started).toEqual(["stored-1", "stored-2"]);
});

test("no wake-up is lost between a step's request and the registration of its wait", async () => {
  const RUNS = 60;
  const ended = new Map<string, boolean>();
  let send: (id: string) => Promise<unknown> = async () => undefined;
  const { inngest, executor } = await database.start(
    (client) => {
      send = (id) => client.send({ id: `race-go-${id}`, name: "race/go", data: { id } });
      return [
        client.createFunction({ id: "race", triggers: [{ event: "race/x" }] }, async ({ event, step }) => {
          const got = await step.waitForEvent("w", { event: "race/go", timeout: "1d", if: "async.data.id == event.data.id" });
          ended.set(event.data.id, got !== null);
        }),
      ];
    },
    {
      wrapHandler: (inner) => async (request) => {
        const copy = request.clone();
        const response = await inner(request);
        if (copy.method !== "POST" || response.status !== 206) return response;
        const { event } = await copy.json();
        const id = String(event.data.id);
        // A third of the events is stored while the call still runs, a third races with the registration, a third comes a little later.
        const turn = Number(id) % 3;
        if (turn === 0) await send(id);
        else if (turn === 1) void send(id);
        else setTimeout(() => void send(id), Number(id) % 7);
        return response;
      },
    },
  );
  await inngest.send(Array.from({ length: RUNS }, (_, id) => ({ id: `race-${id}`, name: "race/x", data: { id: String(id) } })));
  await waitFor("every run to be woken", () => ended.size === RUNS);
  expect([...ended.values()].every(Boolean)).toBe(true);
  expect(executor.status().waiting).toBe(0);
});

test("only one process runs the functions: the other stands by, and takes over", async () => {
  const ran: string[] = [];
  const define = (name: string): Define => (client) => [client.createFunction({ id: "owner", triggers: [{ event: "owner/x" }] }, async ({ event }) => void ran.push(`${name} ${event.id}`))];
  const first = await database.start(define("first"));
  const second = createHarness(database.appUrl, define("second"));
  let isSecondUp = false;
  const starting = second.executor.start().then(() => (isSecondUp = true));
  await waitFor("the second to stand by", () => second.lines.some((line) => line.message.includes("standing by")));
  expect(second.executor.status().ready).toBe(false);
  const refused = await second.executor.fetch("http://embedded.invalid/e/key", { method: "POST", body: JSON.stringify({ name: "owner/x", data: {} }) });
  expect(refused.status).toBe(503);
  await first.inngest.send({ id: "owner-1", name: "owner/x", data: {} });
  await waitFor("the first to run it", () => ran.length === 1);
  expect(isSecondUp).toBe(false);
  await first.executor.stop();
  await starting;
  await second.inngest.send({ id: "owner-2", name: "owner/x", data: {} });
  await waitFor("the second to run it", () => ran.length === 2);
  expect(ran).toEqual(["first owner-1", "second owner-2"]);
  await second.executor.stop();
});

test("whoever stands by can be stopped", async () => {
  await database.start(() => []);
  const second = createHarness(database.appUrl, () => []);
  const starting = second.executor.start();
  await waitFor("the second to stand by", () => second.lines.some((line) => line.message.includes("standing by")));
  await second.executor.stop();
  await starting;
  expect(second.executor.status().ready).toBe(false);
});

test("whoever is told to stop while it starts stops in order", async () => {
  const harness = createHarness(database.appUrl, () => []);
  const starting = harness.executor.start();
  await harness.executor.stop();
  await starting;
  expect(harness.executor.status().ready).toBe(false);
  await database.start(() => []);
});

test("the loss of the lock's connection is told at once, and once", async () => {
  const lost: string[] = [];
  await database.start(() => [], { onLockLost: (reason) => void lost.push(reason) });
  await admin`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())`;
  await waitFor("the loss to be told", () => lost.length > 0);
  expect(lost).toEqual(["the connection that holds the lock was closed"]);
});

test("runs outlive an outage of every other database connection", async () => {
  const steps: string[] = [];
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "outage", triggers: [{ event: "outage/x" }] }, async ({ event, step }) => {
      for (let index = 0; index < 10; index += 1) await step.run(`s${index}`, () => new Promise<void>((resolve) => setTimeout(() => (steps.push(`${event.id} ${index}`), resolve()), 10)));
      await step.waitForEvent("w", { event: "outage/never", timeout: "1s" });
    }),
  ]);
  await inngest.send(Array.from({ length: 5 }, (_, index) => ({ id: `outage-${index}`, name: "outage/x", data: {} })));
  await waitFor("some steps", () => steps.length > 10);
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and usename <> current_user and pid not in (select pid from pg_locks where locktype = 'advisory')`;
  await waitFor("every run to end", () => exchanges.filter((exchange) => exchange.status === 200).length === 5);
  expect(new Set(steps).size).toBe(50);
  expect(steps).toHaveLength(50);
});

test("the app's role starts it without any DDL, while live transactions hold the tables", async () => {
  const app = postgres(database.appUrl, { max: 1, onnotice: () => undefined });
  await expect(app`create table engine.mine (id int)`).rejects.toThrow(/permission denied/);
  await expect(app`create schema mine`).rejects.toThrow(/permission denied/);
  await expect(app`update engine.migrations set version = 0`).rejects.toThrow(/permission denied/);
  await app.end();
  const started: string[] = [];
  await admin.begin(async (tx) => {
    await tx`lock table engine.events, engine.waits, engine_dbos.workflow_status, engine_dbos.operation_outputs in row exclusive mode`;
    const { inngest } = await database.start((client) => [client.createFunction({ id: "ddl", triggers: [{ event: "ddl/x" }] }, async ({ event }) => void started.push(String(event.id)))]);
    await inngest.send({ id: "ddl-1", name: "ddl/x", data: {} });
    await waitFor("the run", () => started.length === 1);
  });
});

test("migrating again, and from two processes, changes nothing and hurts nobody", async () => {
  const { inngest, exchanges } = await database.start((client) => [client.createFunction({ id: "again", triggers: [{ event: "again/x" }] }, async () => 1)]);
  const role = decodeURIComponent(new URL(database.appUrl).username);
  await Promise.all([migrateEngine(database.adminUrl, role), migrateEngine(database.adminUrl, role)]);
  await inngest.send({ id: "again-1", name: "again/x", data: {} });
  await waitFor("the run", () => exchanges.length === 1);
});

test("no connection of its own asks for types before anything else", async () => {
  const place = new URL(database.appUrl);
  let asked = "";
  const between = createServer((client) => {
    const server = connect(Number(place.port), place.hostname);
    client.on("data", (chunk) => (asked += chunk.toString("latin1")));
    for (const [from, to] of [[client, server], [server, client]] as const) from.on("error", () => to.destroy()).pipe(to);
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const { executor } = createHarness(Object.assign(new URL(place), { host: `127.0.0.1:${(between.address() as AddressInfo).port}` }).href, () => []);
  await executor.start();
  await executor.stop();
  between.close();
  expect(asked).toContain("pg_try_advisory_lock");
  expect(asked).toContain("application_name\0executor");
  expect(asked).not.toContain("typcategory");
});

test("without its tables it says so", async () => {
  const harness = createHarness(database.appUrl, () => [], { schema: "elsewhere" });
  await expect(harness.executor.start()).rejects.toThrow("run the migrations first");
  await harness.executor.stop();
});

test("a run whose function is gone fails with a readable reason", async () => {
  const first = await database.start((client) => [client.createFunction({ id: "gone", triggers: [{ event: "gone/x" }] }, async ({ step }) => step.sleep("nap", "1h"))]);
  await first.inngest.send({ id: "gone-1", name: "gone/x", data: {} });
  await waitFor("it to sleep", () => first.executor.status().waiting === 1);
  await first.executor.stop();
  first.clock.advance(DAY_MS);
  const second = await database.start(() => [], { clock: first.clock });
  const line = await waitFor("the failure", () => second.lines.find((entry) => entry.message === "A run was given up"));
  expect(JSON.stringify(line.fields)).toContain('Function \\"app-gone\\" is no longer registered');
});

test("a handler that throws or answers garbage counts as a failed attempt", async () => {
  let calls = 0;
  const { inngest, exchanges } = await database.start((client) => [client.createFunction({ id: "garbage", triggers: [{ event: "garbage/x" }], retries: 3 }, async () => "done")], {
    wrapHandler: (inner) => async (request) => {
      if (request.method !== "POST") return inner(request);
      calls += 1;
      if (calls === 1) throw new Error("no answer");
      if (calls === 2) return new Response("<html>", { status: 502 });
      return inner(request);
    },
  });
  await inngest.send({ id: "garbage-1", name: "garbage/x", data: {} });
  await waitFor("the end", () => exchanges.length === 1);
  expect(exchanges[0]).toMatchObject({ status: 200, body: "done", request: { ctx: { attempt: 2 } } });
});

test("an event sent without an id in a step gets the same id when the step is repeated", async () => {
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "noid", triggers: [{ event: "noid/x" }] }, async ({ step }) => step.sendEvent("send", [{ name: "noid/y", data: { n: 1 } }, { name: "noid/y", data: { n: 1 } }, { name: "noid/y", data: { n: 2 } }])),
  ]);
  await inngest.send({ id: "noid-1", name: "noid/x", data: {} });
  await waitFor("the end", () => exchanges.some((exchange) => exchange.status === 200));
  const sent = await admin<{ id: string }[]>`select id from engine.events where name = 'noid/y' order by seq`;
  expect(new Set(sent.map((row) => row.id)).size).toBe(3);
  expect(exchanges.at(-1)?.body).toEqual({ ids: sent.map((row) => row.id) });
});
