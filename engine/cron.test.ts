import { expect, test } from "vitest";
import { waitFor } from "@/test/wait";
import { MovableClock } from "@/test/engine/clock";
import { createSchedule, keepSchedule } from "./cron";

const MINUTE_MS = 60_000;

test.each([
  ["*/5 * * * *", "2026-01-01T00:04:59.999Z", "2026-01-01T00:00:00.000Z", "2026-01-01T00:05:00.000Z"],
  ["*/5 * * * *", "2026-01-01T00:05:00.000Z", "2026-01-01T00:05:00.000Z", "2026-01-01T00:10:00.000Z"],
  ["TZ=Europe/Paris 0 9 * * *", "2026-07-01T12:00:00.000Z", "2026-07-01T07:00:00.000Z", "2026-07-02T07:00:00.000Z"],
  ["0 9 * * *", "2026-07-01T12:00:00.000Z", "2026-07-01T09:00:00.000Z", "2026-07-02T09:00:00.000Z"],
])("%s at %s", (expression, at, latest, next) => {
  const schedule = createSchedule(expression);
  if (typeof schedule === "string") throw new Error(schedule);
  expect(new Date(schedule.latest(Date.parse(at)) ?? 0).toISOString()).toBe(latest);
  expect(new Date(schedule.next(Date.parse(at))).toISOString()).toBe(next);
});

test.each(["* * * * * *", "@every 5m", "whenever", "0 0 31 2 *"])("%s is no schedule", (expression) => expect(createSchedule(expression)).toBeTypeOf("string"));

function keep(clock: MovableClock, firedMs: number | undefined) {
  const fired: number[] = [];
  const abort = new AbortController();
  const ports = { clock, lastTick: async (_id: string, _expression: string, nowMs: number) => firedMs ?? nowMs, fire: async (_id: string, _expression: string, tickMs: number) => void fired.push(tickMs) };
  const done = keepSchedule("fn", "* * * * *", ports, abort.signal);
  return { fired, stop: () => (abort.abort(), done) };
}

test("one run a tick, none for a new schedule's past", async () => {
  const clock = new MovableClock(MINUTE_MS);
  const { fired, stop } = keep(clock, undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(fired).toEqual([]);
  for (let ticks = 1; ticks <= 3; ticks += 1) {
    clock.advance(MINUTE_MS);
    await waitFor(`tick ${ticks}`, () => fired.length === ticks);
  }
  expect(new Set(fired).size).toBe(3);
  expect(fired.every((tickMs) => tickMs % MINUTE_MS === 0)).toBe(true);
  await stop();
});

test("ticks that passed while nothing ran are made up by one run, for the last of them", async () => {
  const clock = new MovableClock(MINUTE_MS);
  const nowMs = clock.now();
  const { fired, stop } = keep(clock, nowMs - 10 * MINUTE_MS);
  await waitFor("the missed tick", () => fired.length === 1);
  expect(fired[0]).toBe(Math.floor(nowMs / MINUTE_MS) * MINUTE_MS);
  await stop();
});

test("a machine that slept over several ticks fires the last one", async () => {
  const clock = new MovableClock(MINUTE_MS);
  const { fired, stop } = keep(clock, undefined);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(30 * MINUTE_MS);
  await waitFor("a tick", () => fired.length > 0);
  await waitFor("the schedule to come to rest", () => (fired.at(-1) ?? 0) >= Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS);
  expect(fired.length).toBeLessThanOrEqual(2);
  await stop();
});
