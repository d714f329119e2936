import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";

/** Every number that says how long fulfilment tries, waits and gives up. Pure. */

/** Steps that execute at once for one connection, whatever the number of orders. */
export const CONNECTION_CONCURRENCY = 4;

type Mode = "live" | "simulated";

/** No single remote request takes longer. */
export const REQUEST_DEADLINE_MS: Record<Mode, number> = { live: 30 * SECOND_MS, simulated: 10 * SECOND_MS };

/**
 * No operation takes longer, all its requests together: then it is aborted. An operation found without a result is left alone
 * until this has passed since its start, because whoever started it may still be at it.
 */
export const OPERATION_DEADLINE_MS: Record<Mode, number> = { live: 60 * SECOND_MS, simulated: 20 * SECOND_MS };

/** Longer than any operation, so that a living owner never loses its lease between taking it and writing the result. */
export const LEASE_MS = 90 * SECOND_MS;

/** Attempts of one operation that brought no answer, and the time they may take together, before a person is asked: about 50 minutes. */
export const MAX_ATTEMPTS = 12;
const MAX_RETRY_TIME_MS = 2 * HOUR_MS;
const RETRY_DELAYS_MS = [1, 2, 5, 15, 30, 60, 120, 300, 600, 900, 900].map((seconds) => seconds * SECOND_MS);

/** How long until the next attempt, or null when it was the last one. `retryAfterMs` is what the ad server asked for. */
export function retryDelayMs(attempts: number, triedForMs: number, retryAfterMs = 0): number | null {
  if (attempts >= MAX_ATTEMPTS || triedForMs >= MAX_RETRY_TIME_MS) return null;
  const own = RETRY_DELAYS_MS[Math.min(attempts, RETRY_DELAYS_MS.length) - 1] ?? SECOND_MS;
  return Math.min(Math.max(own, retryAfterMs), MAX_RETRY_TIME_MS);
}

/** How long to wait for a forecast or an approval that is not ready: 15 s × 8, 1 min × 10, 5 min to 1 h, 30 min to 24 h, then null: a person decides. */
export function waitDelayMs(waitCount: number, waitedMs: number): number | null {
  if (waitedMs >= DAY_MS) return null;
  if (waitCount < 8) return 15 * SECOND_MS;
  if (waitCount < 18) return MINUTE_MS;
  if (waitedMs < HOUR_MS) return 5 * MINUTE_MS;
  return Math.min(30 * MINUTE_MS, DAY_MS - waitedMs);
}

/** Looks at the ad server again before values that differ are called drift: what was just written may not be readable yet. */
export const SETTLING_DELAYS_MS = [2, 5, 15].map((seconds) => seconds * SECOND_MS);

/** How long a run that found the fulfilment in other hands waits before it looks again. */
export function busyDelayMs(round: number): number {
  return Math.min(2 ** Math.min(round, 5), 20) * SECOND_MS;
}

export type Choice = { id: ChoiceId; label: string };
export type ChoiceId = "retry" | "overbook" | "skip_inventory_check" | "keep_waiting" | "accept" | "give_up";

const LABELS: Record<ChoiceId, string> = {
  retry: "Try again",
  overbook: "Book it although inventory is short",
  skip_inventory_check: "Book it without an inventory check",
  keep_waiting: "Keep waiting",
  accept: "Leave the ad server as it is",
  give_up: "Give up this order",
};

export function choices(...ids: ChoiceId[]): Choice[] {
  return ids.map((id) => ({ id, label: LABELS[id] }));
}

export const DEFAULT_CHOICES = choices("retry", "give_up");
export const WAITED_TOO_LONG_CHOICES = choices("keep_waiting", "overbook", "skip_inventory_check", "give_up");
export const DRIFT_CHOICES: Choice[] = [{ id: "retry", label: "Write our values again" }, { id: "accept", label: LABELS.accept }];
