/** Time as the executor sees it, so that a test can move it. `after` runs `action` once `delayMs` of this clock have passed, and returns its cancellation. */
export type Clock = { now(): number; after(delayMs: number, action: () => void): () => void };

/** setTimeout fires at once for anything above 2^31-1 ms; an hour also keeps a suspended machine from oversleeping for long. */
const LONGEST_TIMER_MS = 3_600_000;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))*$/;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves true once the clock reaches `dueMs`, false when `signal` aborts first. */
export async function waitUntil(clock: Clock, dueMs: number, signal: AbortSignal): Promise<boolean> {
  // Looks again after every timer: setTimeout may fire a millisecond early, and long waits are cut in pieces.
  while (!signal.aborted && clock.now() < dueMs) await pause(clock, dueMs - clock.now(), signal);
  return !signal.aborted;
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}

/** Length of an Inngest duration such as "1d2h30m" or "" (none); undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[smhdw])/g)) totalMs += Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
  return totalMs;
}

/** Instant that a sleep or timeout ends: an ISO instant as it is, a duration from `nowMs`; undefined when the text is neither. */
export function parseDue(text: string, nowMs: number): number | undefined {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return nowMs + durationMs;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}
