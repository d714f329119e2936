import { env } from "../env";
import { AppError } from "../errors";

/**
 * A token bucket per buyer for changes: BUYER_WRITES_PER_SECOND on average, five seconds' worth at once. Each web process counts for
 * itself, which is enough against runaway agents; nothing but fairness depends on it.
 */
type Bucket = { tokens: number; updatedAtMs: number };

const BURST_SECONDS = 5;
const BUCKETS_MAX = 10_000;
const buckets = new Map<string, Bucket>();

/** Takes one change of this buyer, or throws RATE_LIMITED. */
export function takeWrite(principalId: string, nowMs: number): void {
  const perSecond = env().BUYER_WRITES_PER_SECOND;
  const burst = perSecond * BURST_SECONDS;
  const bucket = buckets.get(principalId) ?? { tokens: burst, updatedAtMs: nowMs };
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.updatedAtMs) / 1_000) * perSecond);
  bucket.updatedAtMs = nowMs;
  remember(principalId, bucket);
  if (bucket.tokens < 1) {
    throw new AppError("RATE_LIMITED", "You are sending changes faster than this publisher accepts them.", { retryAfterSeconds: Math.ceil((1 - bucket.tokens) / perSecond) });
  }
  bucket.tokens -= 1;
}

/** The least recently used bucket makes room: a forgotten one is full again anyway. */
function remember(principalId: string, bucket: Bucket): void {
  buckets.delete(principalId);
  if (buckets.size >= BUCKETS_MAX) {
    const oldest = buckets.keys().next();
    if (!oldest.done) buckets.delete(oldest.value);
  }
  buckets.set(principalId, bucket);
}
