import { describe, expect, test } from "vitest";
import { type Clock, parseDue, parseDuration, systemClock, waitUntil } from "./time";

describe("durations as the SDK writes them", () => {
  test.each([
    ["1s", 1_000],
    ["2h30m10s", 9_010_000],
    ["1w1d", 691_200_000],
    ["", 0],
    ["soon", undefined],
    ["1s and more", undefined],
  ])("%s", (text, expected) => expect(parseDuration(text)).toBe(expected));

  test("an instant stays what it is, a past one too", () => {
    expect(parseDue("2026-01-01T00:00:00.000Z", 5)).toBe(Date.UTC(2026, 0, 1));
    expect(parseDue("1m", 5)).toBe(60_005);
    expect(parseDue("soon", 5)).toBeUndefined();
  });
});

/** A clock that only moves when a timer fires, and whose timers fire a millisecond early, as setTimeout may. */
class EarlyClock implements Clock {
  private nowMs = 0;
  timers = 0;
  now = () => this.nowMs;
  after(delayMs: number, action: () => void): () => void {
    this.timers += 1;
    queueMicrotask(() => {
      this.nowMs += delayMs > 1 ? delayMs - 1 : delayMs;
      action();
    });
    return () => undefined;
  }
}

test("a timer that fires 1 ms early does not end the wait early", async () => {
  const clock = new EarlyClock();
  expect(await waitUntil(clock, 100, new AbortController().signal)).toBe(true);
  expect(clock.now()).toBe(100);
  expect(clock.timers).toBe(2);
});

test("a wait ends at once when it is aborted, and leaves no timer", async () => {
  const abort = new AbortController();
  const waiting = waitUntil(systemClock, Date.now() + 3_600_000, abort.signal);
  abort.abort();
  expect(await waiting).toBe(false);
  expect(await waitUntil(systemClock, 0, abort.signal)).toBe(false);
});

test("a wait longer than setTimeout can hold does not fire at once", async () => {
  const abort = new AbortController();
  let isOver = false;
  const waiting = waitUntil(systemClock, Date.now() + 40 * 86_400_000, abort.signal).then((isDue) => (isOver = isDue));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  abort.abort();
  await waiting;
});
