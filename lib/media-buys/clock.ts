import { and, eq, exists, inArray, isNull, lte, or, sql } from "drizzle-orm";
import { type Actor } from "../context";
import { withTenant, withWorkerRole } from "../db/client";
import { fulfilments } from "../fulfilment/schema";
import { log } from "../log";
import { mediaBuys, type MediaBuyStatus } from "./schema";
import { settleStatus } from "./settle";

const CLOCK: Actor = { kind: "system", label: "Greenlight" };
/** Orders moved by one call. What is left is found by the next. */
const BATCH = 500;

/**
 * Activates orders whose flight has begun and that an ad server holds, and ends those whose flight is over. Any number of callers may run
 * it at once: each order moves in a transaction of its own, behind its lock. One that fails is logged and does not hold up the others.
 */
export async function advanceClock(now: Date): Promise<{ moved: number; failed: number }> {
  const due = await withWorkerRole((tx) => {
    const hasBegun = or(lte(mediaBuys.effectiveStartsAt, now), and(isNull(mediaBuys.effectiveStartsAt), lte(mediaBuys.startsAt, now)));
    const isInSync = exists(tx.select({ one: sql`1` }).from(fulfilments)
      .where(and(eq(fulfilments.tenantId, mediaBuys.tenantId), eq(fulfilments.mediaBuyId, mediaBuys.id), eq(fulfilments.state, "in_sync"))));
    const open: MediaBuyStatus[] = ["pending_creatives", "pending_start", "active", "paused"];
    return tx.select({ tenantId: mediaBuys.tenantId, id: mediaBuys.id }).from(mediaBuys)
      .where(and(
        inArray(mediaBuys.status, open), isNull(mediaBuys.statusForcedAt),
        or(lte(mediaBuys.endsAt, now), and(eq(mediaBuys.status, "pending_start"), hasBegun, isInSync)),
      ))
      .orderBy(mediaBuys.endsAt, mediaBuys.id).limit(BATCH);
  });
  const result = { moved: 0, failed: 0 };
  for (const { tenantId, id } of due) {
    try {
      const status = await withTenant(tenantId, (db) => settleStatus({ db, tenantId, actor: CLOCK, now, log }, id));
      if (status !== null) result.moved += 1;
    } catch (error) {
      result.failed += 1;
      log.error("The clock could not move a media buy.", { tenantId, mediaBuyId: id, error });
    }
  }
  return result;
}
