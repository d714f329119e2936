import { AsyncResource } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import { z } from "zod";
import { keepSchedule } from "./cron";
import { Dispatcher } from "./dispatcher";
import { chooseEventIds } from "./ids";
import { type HeldLock, holdLock } from "./lock";
import { type EngineLog } from "./log";
import { checkOwnTables, workflowSchema } from "./migrate";
import { readRegistration, RegistrationError } from "./registry";
import { Runtime } from "./runtime";
import { type NewEvent, Store, type StoredEvent } from "./store";
import { type Clock, systemClock } from "./time";
import { type InngestEvent, sentEventsSchema } from "./wire";
import { launchWorkflows, purgeWorkflows, shutDownWorkflows, startRun } from "./workflows";

export type ExecutorOptions = {
  /** The SDK's fetch-style handler: `serve()` of "inngest/edge". */
  handler: (request: Request) => Promise<Response>;
  /** Connection of the app's role, direct or through a session pooler. migrateEngine has prepared the database. */
  databaseUrl: string;
  log: EngineLog;
  /** The process must exit at once: another one may run the functions from now on. */
  onLockLost: (reason: string) => void;
  schema?: string;
  clock?: Clock;
  /** Wait before attempt `attempt + 1`, unless the function asks for its own. */
  retryDelayMs?: (attempt: number) => number;
  /** Requests to the SDK at one time, over all functions. */
  maxConcurrentCalls?: number;
};

export type ExecutorStatus = { running: number; waiting: number; ready: boolean };

export type Executor = {
  /** What the Inngest client takes as its `fetch`: the server's side of the protocol. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Waits for its turn when another process runs the functions; resolves when this one does. Throws RegistrationError. */
  start(): Promise<void>;
  /** Lets the steps under way end, for up to ten seconds. What is left is taken up by the next start. */
  stop(): Promise<void>;
  status(): ExecutorStatus;
  /** Removes finished runs, events and keys of more than so many days ago. */
  purge(olderThanDays: number): Promise<{ runs: number; events: number }>;
};

const DAY_MS = 86_400_000;
const DRAIN_MS = 10_000;
const MAX_CONCURRENT_CALLS = 50;
/** As the real server waits: the table, plus up to half a minute so that failures do not return in step. */
const RETRY_SECONDS = [15, 30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200];
const RETRY_JITTER_SECONDS = 30;

export function inngestRetryDelayMs(attempt: number): number {
  const seconds = RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)] ?? 0;
  return (seconds + Math.random() * RETRY_JITTER_SECONDS) * 1_000;
}

/** Runs Inngest functions inside this process, with all state in PostgreSQL. One to a process. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { handler, databaseUrl, log, onLockLost, schema = "engine", clock = systemClock } = options;
  const outside = new AsyncResource("executor");
  const store = new Store(databaseUrl, schema);
  const runtime = new Runtime({
    handler,
    store,
    log,
    clock,
    retryDelayMs: options.retryDelayMs ?? inngestRetryDelayMs,
    maxConcurrentCalls: options.maxConcurrentCalls ?? MAX_CONCURRENT_CALLS,
    dispatch: (events) => dispatcher.take(asStored(events, clock.now())),
  });
  const dispatcher = new Dispatcher({ store, runtime, log, clock, startRun, outside });
  const stopping = new AbortController();
  // One listener for each schedule.
  setMaxListeners(0, stopping.signal);
  let lock: HeldLock | undefined;
  let started: Promise<void> | undefined;
  let state: "idle" | "running" | "stopped" = "idle";
  let isReady = false;
  let registrationError: RegistrationError | undefined;

  async function register(request: Request): Promise<Response> {
    try {
      runtime.functions = readRegistration(await request.json());
      return Response.json({ ok: true, status: 200, modified: true });
    } catch (error) {
      if (!(error instanceof RegistrationError)) throw error;
      registrationError = error;
      return refuse(400, error.message);
    }
  }

  async function accept(request: Request): Promise<Response> {
    if (state !== "running") return refuse(503, "The executor is not running in this process.");
    const parsed = sentEventsSchema.safeParse(await request.json().catch(() => undefined));
    if (!parsed.success) return refuse(400, z.prettifyError(parsed.error));
    const nowMs = clock.now();
    const ids = chooseEventIds(parsed.data, request.headers.get("x-inngest-event-id-seed"));
    const events = parsed.data.map((sent, index): NewEvent => ({ event: toEvent(sent, ids[index] ?? "", nowMs) }));
    const known = await store.insertEvents(events, nowMs);
    // Answered only now that they are stored; an event that was known before starts nothing again.
    dispatcher.take(asStored(events.filter(({ event }) => known.has(event.id)), nowMs));
    return Response.json({ status: 200, ids });
  }

  async function fireTick(functionId: string, expression: string, tickMs: number): Promise<void> {
    const instant = new Date(tickMs).toISOString().replace(".000Z", "Z");
    const data = { cron: expression, fireAt: instant, scheduledAt: instant };
    const event: InngestEvent = { id: `cron:${functionId}:${expression}:${instant}`, name: "inngest/scheduled.timer", data, ts: tickMs, user: {} };
    const nowMs = clock.now();
    await runtime.persist(() => store.fireTick(functionId, expression, tickMs, { event, target: functionId }, nowMs));
    dispatcher.take(asStored([{ event, target: functionId }], nowMs));
  }

  function keepSchedules(): void {
    const lastTick = (functionId: string, expression: string, nowMs: number) => runtime.persist(() => store.readLastTick(functionId, expression, nowMs));
    for (const fn of runtime.functions.values())
      for (const expression of new Set(fn.crons)) void keepSchedule(fn.id, expression, { clock, lastTick, fire: fireTick }, stopping.signal);
  }

  async function registerFunctions(): Promise<void> {
    const url = new URL("http://embedded.invalid/api/inngest");
    const response = await handler(new Request(url, { method: "PUT", headers: { host: url.host } }));
    if (registrationError) throw registrationError;
    if (!response.ok) throw new Error(`The functions could not be registered: ${await response.text()}`);
  }

  async function run(): Promise<void> {
    await registerFunctions();
    await checkOwnTables(store.sql);
    lock = await holdLock({ databaseUrl, name: `executor:${schema}`, log, onLost: onLockLost, signal: stopping.signal });
    if (!lock) return;
    state = "running";
    for (const wait of await store.listOpenWaits()) runtime.waits.add(wait);
    for (const runId of await store.listCancelledRuns()) runtime.cancel(runId);
    const undispatched = await store.listUndispatched();
    // Before any run is taken up: a wait whose event came in time must not find that its time is over.
    for (const event of undispatched) await dispatcher.settleWaits(event);
    await launchWorkflows(runtime, databaseUrl, schema, log);
    dispatcher.open(undispatched);
    keepSchedules();
    isReady = true;
    log.info("The embedded executor is running", { functions: runtime.functions.size });
  }

  return {
    async fetch(input, init) {
      const request = new Request(input, init);
      const { pathname } = new URL(request.url);
      if (pathname === "/fn/register") return register(request);
      if (pathname.startsWith("/e/")) return accept(request);
      return refuse(501, `${pathname} is not supported by the embedded executor.`);
    },

    start: () => (started ??= run()),

    async stop() {
      isReady = false;
      stopping.abort();
      await started?.catch(() => undefined);
      isReady = false;
      if (state === "running") {
        // Steps that are ending may still send: their events are stored, and dispatched by the next start.
        dispatcher.close();
        await runtime.stop(DRAIN_MS);
        await shutDownWorkflows();
      }
      state = "stopped";
      await store.close();
      await lock?.release();
    },

    status: () => ({ ...runtime.count(), ready: isReady }),

    // May be called by a function's step, whose context the workflow library must not see here.
    purge: (olderThanDays) =>
      outside.runInAsyncScope(async () => {
        const beforeMs = clock.now() - olderThanDays * DAY_MS;
        const runs = await purgeWorkflows(new Date(beforeMs));
        return { runs, events: await store.purge(beforeMs, workflowSchema(schema)) };
      }),
  };
}

function toEvent(sent: z.infer<typeof sentEventsSchema>[number], id: string, nowMs: number): InngestEvent {
  return { ...sent, id, data: sent.data ?? {}, ts: sent.ts ?? nowMs, user: sent.user ?? {} };
}

function asStored(events: NewEvent[], receivedMs: number): StoredEvent[] {
  return events.map(({ event, target, parent }) => ({ event, target: target ?? null, parent: parent ?? null, receivedMs }));
}

function refuse(status: number, error: string): Response {
  return Response.json({ ok: false, status, error }, { status });
}
