import { setMaxListeners } from "node:events";
import { holds, evaluateKey } from "./cel";
import { withSeed } from "./ids";
import { type EngineLog } from "./log";
import { type EngineFunction } from "./registry";
import { type Demand, KeyedSemaphore } from "./semaphore";
import { type InvokeWait, type NewEvent, type NewWait, type OpenWait, type Store, type WaitKey } from "./store";
import { type Clock, waitUntil } from "./time";
import { keyOf, OpenWaits } from "./waits";
import { type Answer, buildCall, type InngestEvent, interpretAnswer, type Memo, type Op, readAnswer, type StepState, type Turn } from "./wire";

/** A run of one function for one event. Stored as the input of its workflow. */
export type Run = { id: string; functionId: string; event: InngestEvent; parent: WaitKey | null };
export type RunEnd = { kind: "completed"; output: unknown } | { kind: "failed"; error: unknown } | { kind: "cancelled" };
/** What a wait came to. */
export type Settled = { state: StepState } | { isCancelled: true };

/** A request for the next step, or for one step of a parallel group. `id` is the same when it is repeated after a crash. */
export type CallRequest = { id: string; stepId: string; isBranch: boolean; attempt: number };

type LiveRun = { interrupt: AbortController; waiting: number; calling: number };

export type RuntimeOptions = {
  handler: (request: Request) => Promise<Response>;
  store: Store;
  log: EngineLog;
  clock: Clock;
  retryDelayMs: (attempt: number) => number;
  maxConcurrentCalls: number;
  /** Hands stored events to the dispatcher. */
  dispatch: (events: NewEvent[]) => void;
};

const ORIGIN = "http://embedded.invalid";
const STORE_RETRY_MS = 500;
const DRAIN_POLL_MS = 10;
/** Never settles: holds back whoever asks once the executor stops. The next start takes the step up again. */
const HELD_BACK = new Promise<never>(() => undefined);

/**
 * The work inside the workflow's durable steps, and what the process remembers of live runs. Every method may be called
 * again with the same arguments after a crash, and then leaves the same state behind.
 */
export class Runtime {
  functions = new Map<string, EngineFunction>();
  readonly waits: OpenWaits;
  private readonly semaphore = new KeyedSemaphore();
  private readonly live = new Map<string, LiveRun>();
  private readonly cancelled = new Set<string>();
  private readonly wakers = new Map<string, (state: StepState) => void>();
  /** Calls whose result the workflow library has not stored yet. */
  private readonly unrecorded = new Set<string>();
  private isStopping = false;

  constructor(private readonly options: RuntimeOptions) {
    this.waits = new OpenWaits(options.log);
  }

  /** Made on first sight: after a restart a branch of a run may be back before the run itself. */
  enter(run: Run): LiveRun {
    let entry = this.live.get(run.id);
    if (!entry) {
      entry = { interrupt: new AbortController(), waiting: 0, calling: 0 };
      // One listener for each step of a parallel group: no leak, however many.
      setMaxListeners(0, entry.interrupt.signal);
      if (this.isStopping || this.cancelled.has(run.id)) entry.interrupt.abort();
      this.live.set(run.id, entry);
    }
    return entry;
  }

  leave(run: Run): void {
    this.live.delete(run.id);
    this.cancelled.delete(run.id);
    for (const rule of this.cancelRules(run)) this.waits.remove(rule, rule.eventName);
  }

  cancelRules(run: Run): OpenWait[] {
    const rules = this.functions.get(run.functionId)?.cancelOn ?? [];
    return rules.map(({ eventName, expression, timeoutMs }, index) => ({
      runId: run.id,
      stepId: `cancel:${index}`,
      kind: "cancel",
      eventName,
      expression,
      runEvent: run.event,
      expiresMs: timeoutMs === null ? null : this.options.clock.now() + timeoutMs,
    }));
  }

  /** Ends whatever the run waits for; what it executes may end, but counts no more. */
  cancel(runId: string): void {
    this.cancelled.add(runId);
    this.live.get(runId)?.interrupt.abort();
  }

  count(): { running: number; waiting: number } {
    const waiting = [...this.live.values()].filter((run) => run.waiting > 0 && run.calling === 0).length;
    return { running: this.live.size - waiting, waiting };
  }

  /** From now on nothing new begins. Resolves once the results of the calls under way are stored, or after `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.isStopping = true;
    for (const entry of this.live.values()) entry.interrupt.abort();
    const deadline = Date.now() + drainMs;
    while (this.unrecorded.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }

  /** To be called once the workflow library has stored what the call came to. */
  noteRecorded(callId: string): void {
    this.unrecorded.delete(callId);
  }

  /** One request to the SDK, under the function's concurrency limits. */
  async call(run: Run, memo: Memo, request: CallRequest): Promise<Turn> {
    const fn = this.functions.get(run.functionId);
    if (!fn) return { kind: "failed", error: { name: "EngineError", message: `Function "${run.functionId}" is no longer registered` } };
    const entry = this.enter(run);
    entry.calling += 1;
    try {
      const release = await this.semaphore.acquire(this.demandsOf(fn, run.event), entry.interrupt.signal);
      if (this.isStopping) return await HELD_BACK;
      if (!release) return { kind: "cancelled" };
      this.unrecorded.add(request.id);
      try {
        const startedMs = this.options.clock.now();
        const { id, stepId, isBranch, attempt } = request;
        const call = { functionId: fn.id, runId: run.id, event: run.event, memo, stepId, isBranch, attempt, maxAttempts: fn.maxAttempts };
        const answer = await withSeed(id, () => this.request(buildCall(ORIGIN, call)));
        if (this.cancelled.has(run.id)) return { kind: "cancelled" };
        return interpretAnswer(answer, { attempt, maxAttempts: fn.maxAttempts, startedMs, nowMs: this.options.clock.now(), retryDelayMs: this.options.retryDelayMs });
      } finally {
        release();
      }
    } finally {
      entry.calling -= 1;
    }
  }

  private async request(request: Request): Promise<Answer> {
    try {
      return await readAnswer(await this.options.handler(request));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.options.log.error("The SDK's handler did not answer", { message });
      return { status: 500, body: { name: "EngineError", message }, isFinal: false, retryAfter: null, version: 2 };
    }
  }

  private demandsOf(fn: EngineFunction, event: InngestEvent): Demand[] {
    const own = fn.concurrency.map(({ limit, key, scope }): Demand => {
      const value = key === null ? null : (evaluateKey(key, event, this.options.log) ?? null);
      return { limit, key: JSON.stringify(scope === "env" ? ["env", value] : [fn.id, key, value]) };
    });
    return [{ key: "all calls", limit: this.options.maxConcurrentCalls }, ...own];
  }

  /** True when the time has come, false when the run was cancelled before. */
  async sleep(run: Run, dueMs: number): Promise<boolean> {
    const isDue = await this.park(run, (signal) => waitUntil(this.options.clock, dueMs, signal));
    if (!isDue && this.isStopping) return HELD_BACK;
    return isDue;
  }

  /** The awaited event, or null after the timeout. Looks back to `sinceMs`, when the call that asked for the wait began. */
  async waitForEvent(run: Run, op: Extract<Op, { kind: "wait" }>, sinceMs: number): Promise<Settled> {
    const wait: OpenWait = { runId: run.id, stepId: op.id, kind: "event", eventName: op.eventName, expression: op.expression, runEvent: run.event, expiresMs: op.expiresMs };
    return this.awaitOutcome(run, wait, [], null, async () => {
      for (const event of await this.options.store.listEventsSince(op.eventName, sinceMs))
        if (holds(op.expression, { event: run.event, async: event }, this.options.log)) return event;
      return null;
    });
  }

  /** Starts another function and awaits its result. */
  async invoke(run: Run, op: Extract<Op, { kind: "invoke" }>): Promise<Settled> {
    if (!this.functions.has(op.functionId)) return { state: { error: { name: "Error", message: `Function "${op.functionId}" is not registered` } } };
    const key = { runId: run.id, stepId: op.id };
    const event: InngestEvent = { id: `invoke:${run.id}:${op.id}`, name: "inngest/function.invoked", data: op.data, ts: this.options.clock.now(), user: {} };
    const wait: InvokeWait = { ...key, kind: "invoke", runEvent: run.event, expiresMs: op.expiresMs };
    const timedOut = { error: { name: "Error", message: `Function "${op.functionId}" did not finish within the timeout` } };
    return this.awaitOutcome(run, wait, [{ event, target: op.functionId, parent: key }], timedOut, async () => null);
  }

  private async awaitOutcome(run: Run, wait: NewWait, events: NewEvent[], timedOut: StepState, lookBack: () => Promise<StepState>): Promise<Settled> {
    const { store, clock } = this.options;
    let wake: (state: StepState) => void = () => undefined;
    // Before the wait is stored: whoever settles it right after the commit finds somebody to wake.
    const woken = new Promise<StepState>((resolve) => (wake = resolve));
    this.wakers.set(keyOf(wait), wake);
    try {
      const opened = await this.persist(() => store.openWait(wait, clock.now(), events));
      if (opened.outcome) return { state: opened.outcome };
      this.options.dispatch(events);
      if (wait.kind !== "invoke") this.waits.add(wait);
      if (!opened.isLookedBack) {
        const found = await this.persist(lookBack);
        if (found) await this.settle([wait], found);
        await this.persist(() => store.markLookedBack(wait));
      }
      const expiresMs = wait.expiresMs ?? Number.POSITIVE_INFINITY;
      const state = await this.park(run, (signal) => Promise.race([woken, waitUntil(clock, expiresMs, signal).then(() => null)]));
      if (state) return { state };
      if (this.isStopping) return await HELD_BACK;
      if (this.cancelled.has(run.id)) return { isCancelled: true };
      return { state: (await this.persist(() => store.expireWait(wait, clock.now()))) ?? timedOut };
    } finally {
      this.wakers.delete(keyOf(wait));
      if (wait.kind !== "invoke") this.waits.remove(wait, wait.eventName);
    }
  }

  /** Gives waits their outcome and wakes who waits here. */
  async settle(keys: WaitKey[], state: StepState): Promise<void> {
    const settled = await this.persist(() => this.options.store.settleWaits(keys, state, this.options.clock.now()));
    for (const key of settled) this.wakers.get(keyOf(key))?.(state);
  }

  /** Ends a run: failure and cancellation are told by an event, an invoking step gets the result. */
  async finish(run: Run, end: RunEnd): Promise<void> {
    const { store, clock, log } = this.options;
    const error = end.kind === "failed" ? end.error : { name: "Error", message: `Function "${run.functionId}" was cancelled` };
    const data = { function_id: run.functionId, run_id: run.id, event: run.event, ...(end.kind === "failed" ? { error } : {}) };
    const event: InngestEvent = { id: `${end.kind}:${run.id}`, name: `inngest/function.${end.kind}`, data, ts: clock.now(), user: {} };
    const events = end.kind === "completed" ? [] : [{ event }];
    const result: StepState = end.kind === "completed" ? { data: end.output } : { error };
    const { isAwaited } = await this.persist(() => store.finishRun(run.id, events, run.parent, result, clock.now()));
    this.options.dispatch(events);
    if (isAwaited && run.parent) this.wakers.get(keyOf(run.parent))?.(result);
    if (end.kind !== "completed") log.warn(`A run was ${end.kind === "failed" ? "given up" : "cancelled"}`, { functionId: run.functionId, runId: run.id, ...(end.kind === "failed" ? { error } : {}) });
  }

  /**
   * Tries until the database takes it. A failure must not leave a durable step as an exception: the workflow library
   * would store that as the step's outcome, and the run would be lost for a moment's outage.
   */
  async persist<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (this.isStopping) return HELD_BACK;
        this.options.log.error("The executor could not use its tables; trying again", { reason: error instanceof Error ? error.message : String(error) });
        await new Promise((resolve) => setTimeout(resolve, STORE_RETRY_MS));
      }
    }
  }

  /** Waits with a signal that the end of the wait, a cancellation or a stop aborts. */
  private async park<T>(run: Run, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const entry = this.enter(run);
    const ended = new AbortController();
    const end = () => ended.abort();
    if (entry.interrupt.signal.aborted) end();
    else entry.interrupt.signal.addEventListener("abort", end, { once: true });
    entry.waiting += 1;
    try {
      return await wait(ended.signal);
    } finally {
      entry.waiting -= 1;
      entry.interrupt.signal.removeEventListener("abort", end);
      end();
    }
  }
}
