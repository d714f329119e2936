import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import postgres from "postgres";
import { createExecutor, type Executor } from "@/engine/executor";
import { migrateEngine } from "@/engine/migrate";
import { startEmbeddedPostgres } from "@/scripts/embedded-postgres";

/**
 * Measures the embedded executor on functions of our shape: event → fan-out → seven sequential steps under a concurrency key.
 * On a PostgreSQL of its own with fsync on. `npx tsx bench/engine.ts`; the figures go into docs/decisions/001-engine.md.
 */

const PARKED = 1_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
type Hooks = { onStep(event: { id?: string; data: Record<string, unknown> }, index: number): Promise<void> | void; onDone(): void; onPark(): void; onWake(): void };

function createApp(databaseUrl: string, hooks: Hooks): { inngest: Inngest; executor: Executor } {
  const executor = createExecutor({
    handler: (request) => handler(request),
    databaseUrl,
    log: { ...quiet, error: (message, fields) => console.error(message, fields) },
    onLockLost: (reason) => {
      console.error(reason);
      process.exit(1);
    },
  });
  const inngest = new Inngest({ id: "bench", isDev: true, baseUrl: "http://embedded.invalid", fetch: executor.fetch, logger: quiet });
  const handler = serve({
    client: inngest,
    functions: [
      inngest.createFunction({ id: "direct", triggers: [{ event: "bench/direct" }], retries: 3 }, async ({ event, step }) => step.run("first", () => hooks.onStep(event, 0))),
      inngest.createFunction({ id: "changed", triggers: [{ event: "bench/changed" }], retries: 3 }, async ({ event, step }) => {
        const converge = (_: unknown, index: number) => ({ id: `${event.id}:${index}`, name: "bench/converge", data: { of: event.id, key: event.data.key } });
        await step.sendEvent("fan-out", Array.from({ length: event.data.width }, converge));
      }),
      inngest.createFunction({ id: "converge", triggers: [{ event: "bench/converge" }], retries: 3, concurrency: [{ limit: 2, key: "event.data.key" }] }, async ({ event, step }) => {
        for (let index = 0; index < 7; index += 1) await step.run(`step-${index}`, () => hooks.onStep(event, index));
        hooks.onDone();
      }),
      inngest.createFunction({ id: "park", triggers: [{ event: "bench/park" }], retries: 3 }, async ({ event, step }) => {
        await step.run("one", () => 1);
        await step.run("two", () => 2);
        hooks.onPark();
        await step.waitForEvent("wait", { event: "bench/go", timeout: "1d", if: "async.data.id == event.data.id" });
        hooks.onWake();
        return event.data.id;
      }),
    ],
  });
  return { inngest, executor };
}

async function until(what: string, isDone: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error(`Waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function percentiles(samples: number[]): string {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

/** Time from the answer to `send` until the first step of the function runs, one event at a time. */
async function measureLatency(count: number, send: (index: number) => Promise<unknown>, firstStep: { at: number; count: number }): Promise<string> {
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const before = firstStep.count;
    await send(index);
    const acceptedAt = performance.now();
    await until("the first step", () => firstStep.count > before);
    samples.push(Math.max(0, firstStep.at - acceptedAt));
  }
  return percentiles(samples);
}

async function measureInProcess(databaseUrl: string): Promise<void> {
  const firstStep = { at: 0, count: 0 };
  let done = 0;
  let parked = 0;
  const { inngest, executor } = createApp(databaseUrl, {
    onStep: (_event, index) => {
      if (index === 0) Object.assign(firstStep, { at: performance.now(), count: firstStep.count + 1 });
    },
    onDone: () => void (done += 1),
    onPark: () => void (parked += 1),
    onWake: () => undefined,
  });
  await executor.start();
  const direct = (prefix: string) => (index: number) => inngest.send({ id: `${prefix}-${index}`, name: "bench/direct", data: {} });
  await measureLatency(30, direct("warm"), firstStep);
  console.log(`event accepted → first step            ${await measureLatency(200, direct("direct"), firstStep)}`);
  const fanned = async (index: number) => {
    await until("quiet", () => executor.status().running === 0);
    await inngest.send({ id: `fan-${index}`, name: "bench/changed", data: { key: index, width: 1 } });
  };
  console.log(`event accepted → fan-out → first step  ${await measureLatency(100, fanned, firstStep)}`);
  await until("quiet", () => executor.status().running === 0);

  done = 0;
  const startedAt = performance.now();
  for (let index = 0; index < 20; index += 1) await inngest.send({ id: `burst-${index}`, name: "bench/changed", data: { key: index % 8, width: 10 } });
  await until("the burst", () => done === 200);
  console.log(`200 runs of 7 steps at once            ${Math.round((200 * 7 * 1_000) / (performance.now() - startedAt))} steps/s`);
  await until("quiet", () => executor.status().running === 0);

  const before = collectedMemory();
  await inngest.send(Array.from({ length: PARKED }, (_, id) => ({ id: `park-${id}`, name: "bench/park", data: { id } })));
  await until("all to park", () => parked === PARKED && executor.status().waiting === PARKED);
  const after = collectedMemory();
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(`${PARKED} parked runs                       +${mb(after.heapUsed - before.heapUsed)} heap, +${mb(after.rss - before.rss)} resident, ${mb(after.rss)} in all`);
  console.log(`event accepted → first step beside them ${await measureLatency(100, direct("beside"), firstStep)}`);
  const cpuBefore = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const cpu = process.cpuUsage(cpuBefore);
  console.log(`processor while nothing happens        ${((cpu.user + cpu.system) / 50_000).toFixed(1)} %`);
  await executor.stop();
}

function collectedMemory(): NodeJS.MemoryUsage {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage();
}

/** A worker that is killed with 1,000 parked and 20 working runs: how soon do they go on? */
async function measureRestart(databaseUrl: string): Promise<void> {
  const counts = { up: 0, step: 0, park: 0, wake: 0, done: 0 };
  let child: ChildProcess | undefined;
  const spawn = async () => {
    counts.up = 0;
    child = fork(fileURLToPath(import.meta.url), ["worker", databaseUrl], { execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (kind: keyof typeof counts) => void (counts[kind] += 1));
    await until("the worker to come up", () => counts.up > 0);
    return child;
  };
  const first = await spawn();
  first.send(Array.from({ length: PARKED }, (_, id) => ({ id: `restart-${id}`, name: "bench/park", data: { id } })));
  await until("all to park", () => counts.park === PARKED);
  first.send(Array.from({ length: 20 }, (_, index) => ({ id: `moving-${index}`, name: "bench/changed", data: { key: index, width: 1 } })));
  await until("some steps", () => counts.step > 40);
  first.kill("SIGKILL");
  await once(first, "exit");
  const stepsBefore = counts.step;
  const second = await spawn();
  const upAt = performance.now();
  await until("a step", () => counts.step > stepsBefore);
  const movedMs = performance.now() - upAt;
  await until("the 20 runs", () => counts.done === 20);
  second.send(Array.from({ length: PARKED }, (_, id) => ({ id: `go-${id}`, name: "bench/go", data: { id } })));
  const sentAt = performance.now();
  await until("all to wake", () => counts.wake === PARKED);
  console.log(`after a kill with ${PARKED} parked runs     first step ${Math.round(movedMs)} ms after start() resolved; all woken by ${PARKED} events within ${((performance.now() - sentAt) / 1_000).toFixed(1)} s`);
  second.kill("SIGKILL");
  await once(second, "exit");
}

async function work(databaseUrl: string): Promise<void> {
  const tell = (kind: string) => void process.send?.(kind);
  const { inngest, executor } = createApp(databaseUrl, {
    onStep: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      tell("step");
    },
    onDone: () => tell("done"),
    onPark: () => tell("park"),
    onWake: () => tell("wake"),
  });
  process.on("disconnect", () => process.exit(0));
  process.on("message", (events: { id: string; name: string; data: Record<string, unknown> }[]) => void inngest.send(events));
  await executor.start();
  tell("up");
}

async function main(): Promise<void> {
  const directory = await mkdtemp(path.resolve(".cache/bench-engine-"));
  const server = await startEmbeddedPostgres({ directory, database: "bench", appRole: "bench_app", isDurable: true });
  try {
    await migrateEngine(server.adminUrl, "bench_app");
    await measureInProcess(server.appUrl);
    // A database of its own, so that exactly these runs come back.
    const admin = postgres(server.adminUrl, { max: 1 });
    await admin`create database restart`;
    await admin.end();
    const at = (url: string) => Object.assign(new URL(url), { pathname: "/restart" }).href;
    await migrateEngine(at(server.adminUrl), "bench_app");
    await measureRestart(at(server.appUrl));
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

if (process.argv[2] === "worker") await work(process.argv[3] ?? "");
else await main();
