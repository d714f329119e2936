import { sql } from "drizzle-orm";
import { z } from "zod";
import { type RateClass, rateLimit, type RateOverrides } from "../buyers/rate-limits";
import { lookUp } from "../db/client";
import { AppError } from "../errors";
import { SECOND_MS } from "../time";
import { type BuyerSession } from "./tool";

/**
 * Calls per token and tool. The allowance is a row in Postgres that all web processes share; each takes a block of it ahead and spends that
 * from memory, so that most calls, reads above all, cost no query and no write. Blocks do not go stale: a process may hold one block more
 * than its share, no more.
 */
type Lease = { left: number; refusedUntilMs: number; refusedSince: number; asking: Promise<void> | undefined };

/** A block is what half a second allows, and never more than a quarter of the burst. */
const BLOCK_SECONDS = 0.5;
const BLOCK_SHARE = 0.25;
const LEASES_MAX = 20_000;

const leases = new Map<string, Lease>();
const grantedRow = z.object({ granted: z.number(), wait_seconds: z.number() });

/** Takes one call of this tool, or throws RATE_LIMITED. Returns nothing to wait for when a block is at hand. */
export function takeCall(session: BuyerSession, tool: string, rateClass: RateClass, overrides: RateOverrides): Promise<void> | undefined {
  const lease = leaseOf(`${session.tokenId} ${tool}`);
  if (lease.left > 0) {
    lease.left -= 1;
    return undefined;
  }
  return takeFromShared(lease, session, tool, rateClass, overrides);
}

async function takeFromShared(lease: Lease, session: BuyerSession, tool: string, rateClass: RateClass, overrides: RateOverrides): Promise<void> {
  while (lease.left === 0) {
    const waitMs = lease.refusedUntilMs - performance.now();
    if (waitMs > 0) {
      lease.refusedSince += 1;
      throw new AppError("RATE_LIMITED", `You are calling ${tool} faster than this publisher accepts it.`, { retryAfterSeconds: Math.ceil(waitMs / SECOND_MS) });
    }
    lease.asking ??= takeBlock(lease, session, tool, rateClass, overrides).finally(() => (lease.asking = undefined));
    await lease.asking;
  }
  lease.left -= 1;
}

async function takeBlock(lease: Lease, session: BuyerSession, tool: string, rateClass: RateClass, overrides: RateOverrides): Promise<void> {
  const { perSecond, burst } = rateLimit(rateClass, overrides);
  const wanted = Math.max(1, Math.floor(Math.min(perSecond * BLOCK_SECONDS, burst * BLOCK_SHARE)));
  const refused = lease.refusedSince;
  lease.refusedSince = 0;
  const [row] = await lookUp(grantedRow, sql`select * from take_rate(${session.tenantId}, ${session.principalId}, ${session.tokenId}, ${tool}, ${perSecond}::double precision, ${burst}::integer, ${wanted}::integer, ${refused}::integer)`);
  if (!row) throw new Error("Invariant broken: take_rate answered nothing");
  lease.left = row.granted;
  // Until then nobody asks again, however many calls come in.
  if (row.granted === 0) lease.refusedUntilMs = performance.now() + Math.max(1, row.wait_seconds * SECOND_MS);
}

/** The least recently used lease makes room. */
function leaseOf(key: string): Lease {
  const lease = leases.get(key) ?? { left: 0, refusedUntilMs: 0, refusedSince: 0, asking: undefined };
  leases.delete(key);
  if (leases.size >= LEASES_MAX) {
    const oldest = leases.keys().next();
    if (!oldest.done) leases.delete(oldest.value);
  }
  leases.set(key, lease);
  return lease;
}

/** What this process has leased and not spent: for tests, which stand for several processes. */
export function forgetLeases(): void {
  leases.clear();
}
