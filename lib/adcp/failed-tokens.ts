import { forwardedAddress } from "../auth/origin";
import { AppError } from "../errors";
import { peerAddress } from "../http/node-adapter";
import { SECOND_MS } from "../time";

/**
 * Tokens that are not valid cost a look-up each. An address that sends very many is refused without one, but for tokens that were valid here
 * lately: nobody is shut out by a neighbour. In memory, each process for itself; there is nothing to guess, so nothing depends on it.
 */
const FAILURES_PER_SECOND = 5;
const FAILURES_AT_ONCE = 300;
const ADDRESSES_MAX = 10_000;
const TOKENS_MAX = 10_000;

const failures = new Map<string, { left: number; updatedAtMs: number }>();
const validLately = new Set<string>();

/** Throws RATE_LIMITED when this address has failed too often and the token is not one that worked. */
export function assertMayTry(request: Request, tokenHash: Buffer, nowMs = performance.now()): void {
  const address = addressOf(request);
  if (address === undefined || failures.size === 0) return;
  if (allowance(address, nowMs) >= 1 || validLately.has(tokenHash.toString("base64"))) return;
  throw new AppError("RATE_LIMITED", "Too many tokens that are not valid came from your address.", { retryAfterSeconds: Math.ceil(1 / FAILURES_PER_SECOND), suggestion: "Do not send a token that was refused again." });
}

export function noteFailure(request: Request, nowMs = performance.now()): void {
  const address = addressOf(request);
  if (address === undefined) return;
  const left = Math.max(0, allowance(address, nowMs) - 1);
  failures.delete(address);
  if (failures.size >= ADDRESSES_MAX) forgetOldest(failures.keys(), (oldest) => failures.delete(oldest));
  failures.set(address, { left, updatedAtMs: nowMs });
}

export function noteSuccess(tokenHash: Buffer): void {
  const key = tokenHash.toString("base64");
  validLately.delete(key);
  if (validLately.size >= TOKENS_MAX) forgetOldest(validLately.keys(), (oldest) => validLately.delete(oldest));
  validLately.add(key);
}

function allowance(address: string, nowMs: number): number {
  const known = failures.get(address);
  if (!known) return FAILURES_AT_ONCE;
  return Math.min(FAILURES_AT_ONCE, known.left + ((nowMs - known.updatedAtMs) / SECOND_MS) * FAILURES_PER_SECOND);
}

/** As the nearest proxy tells, else who is at the other end. */
function addressOf(request: Request): string | undefined {
  return forwardedAddress(request.headers) ?? peerAddress(request);
}

function forgetOldest(keys: IterableIterator<string>, forget: (oldest: string) => void): void {
  const oldest = keys.next();
  if (!oldest.done) forget(oldest.value);
}
