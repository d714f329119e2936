import { holds } from "./cel";
import { type EngineLog } from "./log";
import { type OpenWait, type WaitKey } from "./store";
import { type InngestEvent } from "./wire";

/**
 * The waits and cancel rules that an event may meet, as stored, kept in memory so that an event reads no table to find none.
 * A wait is added after it is stored and looks back after it is added: no event falls between.
 */
export class OpenWaits {
  private readonly byEventName = new Map<string, Map<string, OpenWait>>();

  constructor(private readonly log: EngineLog) {}

  add(wait: OpenWait): void {
    const waits = this.byEventName.get(wait.eventName) ?? new Map<string, OpenWait>();
    waits.set(keyOf(wait), wait);
    this.byEventName.set(wait.eventName, waits);
  }

  remove(key: WaitKey, eventName: string): void {
    const waits = this.byEventName.get(eventName);
    waits?.delete(keyOf(key));
    if (waits?.size === 0) this.byEventName.delete(eventName);
  }

  /** Those whose condition the event meets. The event that started a run never meets the run's own. */
  match(event: InngestEvent, receivedMs: number): OpenWait[] {
    return [...(this.byEventName.get(event.name)?.values() ?? [])].filter(
      (wait) => wait.runEvent.id !== event.id && (wait.expiresMs === null || wait.expiresMs > receivedMs) && holds(wait.expression, { event: wait.runEvent, async: event }, this.log),
    );
  }
}

export function keyOf({ runId, stepId }: WaitKey): string {
  return `${runId}:${stepId}`;
}
