import { type AsyncResource } from "node:async_hooks";
import { evaluateKey, holds } from "./cel";
import { deriveRunId } from "./ids";
import { type EngineLog } from "./log";
import { type EngineFunction } from "./registry";
import { type Run, type Runtime } from "./runtime";
import { type OpenWait, type Store, type StoredEvent } from "./store";
import { type Clock } from "./time";
import { type InngestEvent } from "./wire";

type Ports = {
  store: Store;
  runtime: Runtime;
  log: EngineLog;
  clock: Clock;
  startRun: (run: Run) => Promise<void>;
  /** Events are also sent from inside a durable step; in its context the started runs would become its children. */
  outside: AsyncResource;
};

/**
 * Carries stored events to what they start, wake or cancel. An event counts as dispatched once all of that is stored; one
 * that is found undispatched at the next start goes through everything again, which changes nothing that was done before.
 */
export class Dispatcher {
  private readonly pending = new Set<string>();
  private readonly backlog: StoredEvent[] = [];
  private isOpen = false;

  constructor(private readonly ports: Ports) {}

  /** Takes events; those that arrive before `open` are kept until then. */
  take(events: StoredEvent[]): void {
    if (!this.isOpen) {
      this.backlog.push(...events);
      return;
    }
    for (const event of events) {
      if (this.pending.has(event.event.id)) continue;
      this.pending.add(event.event.id);
      this.ports.outside.runInAsyncScope(() => void this.dispatch(event));
    }
  }

  /** Goes through what an earlier process left; then takes events as they come. */
  open(undispatched: StoredEvent[]): void {
    this.isOpen = true;
    this.take([...undispatched, ...this.backlog.splice(0)]);
  }

  close(): void {
    this.isOpen = false;
  }

  private async dispatch(stored: StoredEvent): Promise<void> {
    const { runtime, store, clock } = this.ports;
    await runtime.persist(async () => {
      await Promise.all([this.startFunctions(stored), this.settleWaits(stored)]);
      await store.markDispatched(stored.event.id, clock.now());
    });
    this.pending.delete(stored.event.id);
  }

  private async startFunctions({ event, target, parent, receivedMs }: StoredEvent): Promise<void> {
    const { runtime, log } = this.ports;
    const all = [...runtime.functions.values()];
    const started = target
      ? all.filter((fn) => fn.id === target)
      : all.filter((fn) => fn.events.some((trigger) => trigger.eventName === event.name && holds(trigger.expression, { event }, log)));
    if (target && started.length === 0) {
      log.error("A function that should start is no longer registered", { functionId: target, eventId: event.id });
      if (parent) await runtime.settle([parent], { error: { name: "Error", message: `Function "${target}" is no longer registered` } });
    }
    await Promise.all(started.map((fn) => this.startFunction(fn, { id: deriveRunId(fn.id, event.id), functionId: fn.id, event, parent }, target === null, receivedMs)));
  }

  private async startFunction(fn: EngineFunction, run: Run, isTriggered: boolean, receivedMs: number): Promise<void> {
    const { runtime, store, clock, log, startRun } = this.ports;
    if (isTriggered && fn.idempotency) {
      const key = evaluateKey(fn.idempotency, run.event, log);
      if (key !== undefined && key !== null && !(await store.claimIdempotencyKey(fn.id, JSON.stringify(key), run.event.id, clock.now()))) return;
    }
    const rules = runtime.cancelRules(run);
    if (rules.length > 0) {
      await store.openCancelRules(rules, clock.now());
      for (const rule of rules) runtime.waits.add(rule);
      await this.lookBack(rules, receivedMs);
    }
    await startRun(run);
  }

  /** A cancellation that was sent right after the event may have been dispatched before the run's rules were stored. */
  private async lookBack(rules: OpenWait[], receivedMs: number): Promise<void> {
    const { store, log } = this.ports;
    for (const rule of rules)
      for (const event of await store.listEventsSince(rule.eventName, receivedMs))
        if (event.id !== rule.runEvent.id && holds(rule.expression, { event: rule.runEvent, async: event }, log)) await this.settle([rule], event);
  }

  async settleWaits({ event, receivedMs }: StoredEvent): Promise<void> {
    await this.settle(this.ports.runtime.waits.match(event, receivedMs), event);
  }

  private async settle(waits: OpenWait[], event: InngestEvent): Promise<void> {
    const { runtime } = this.ports;
    await runtime.settle(waits, event);
    for (const wait of waits) if (wait.kind === "cancel") runtime.cancel(wait.runId);
  }
}
