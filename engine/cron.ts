import { Cron } from "croner";
import { type Clock, waitUntil } from "./time";

const ZONE_PREFIX = /^(?:CRON_)?TZ=(\S+)\s+(.+)$/;

export type Schedule = {
  /** First tick after the instant. */
  next(afterMs: number): number;
  /** Last tick at or before the instant; undefined when there was none. */
  latest(atMs: number): number | undefined;
};

/** Reads a five-field expression, optionally with "TZ=Europe/Paris " before it (otherwise UTC). Returns the reason when it cannot be used. */
export function createSchedule(expression: string): Schedule | string {
  const [, timezone = "UTC", pattern = expression] = ZONE_PREFIX.exec(expression) ?? [];
  try {
    const cron = new Cron(pattern, { timezone, paused: true, mode: "5-part" });
    if (!cron.nextRun()) return "it never comes";
    return {
      next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? Number.POSITIVE_INFINITY,
      // croner's past runs exclude the reference itself and count whole seconds: ask a second later, take what is not in the future.
      latest: (atMs) => cron.previousRuns(2, new Date(atMs + 1_000)).map(Number).find((tickMs) => tickMs <= atMs),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export type CronPorts = {
  clock: Clock;
  /** Last tick that was fired. A schedule that is new is noted with `nowMs`, which is answered. */
  lastTick(functionId: string, expression: string, nowMs: number): Promise<number>;
  /** Notes the tick and stores its event, together. A tick that was fired before starts nothing. */
  fire(functionId: string, expression: string, tickMs: number): Promise<void>;
};

/** Keeps one schedule until `signal` aborts. Ticks that passed while nothing ran are made up by one run, for the last of them. */
export async function keepSchedule(functionId: string, expression: string, ports: CronPorts, signal: AbortSignal): Promise<void> {
  const schedule = createSchedule(expression);
  if (typeof schedule === "string") throw new Error(`Function "${functionId}": cron "${expression}": ${schedule}`);
  let firedMs = await ports.lastTick(functionId, expression, ports.clock.now());
  for (;;) {
    const latestMs = schedule.latest(ports.clock.now());
    const dueMs = latestMs !== undefined && latestMs > firedMs ? latestMs : schedule.next(firedMs);
    if (!(await waitUntil(ports.clock, dueMs, signal))) return;
    await ports.fire(functionId, expression, dueMs);
    firedMs = dueMs;
  }
}
