import { and, eq, exists, gt, inArray, isNull, lte, or, sql } from "drizzle-orm";
import { type Actor } from "../context";
import { withTenant, withWorkerRole } from "../db/client";
import { fulfilments } from "../fulfilment/schema";
import { log } from "../log";
import { mediaBuys, type MediaBuyStatus } from "./schema";
import { settleStatus } from "./settle";

const CLOCK: Actor = { kind: "system", label: "Greenlight" };
/** Orders looked up at once. */
const PAGE = 500;

/**
 * Activates orders whose flight has begun and that an ad server holds, and ends those whose flight is over. Any number of callers may run
 * it at once: each order moves in a transaction of its own, behind its lock. One that fails is logged and does not hold up the others.
 */
export async function advanceClock(now: Date): Promise<{ moved: number; failed: number }> {
  const result = { moved: 0, failed: 0 };
  let page = await findDue(now, null);
  while (page.length > 0) {
    for (const { tenantId, id } of page) {
      try {
        const status = await withTenant(tenantId, (db) => settleStatus({ db, tenantId, actor: CLOCK, now, log }, id));
        if (status !== null) result.moved += 1;
      } catch (error) {
        result.failed += 1;
        log.error("The clock could not move a media buy.", { tenantId, mediaBuyId: id, error });
      }
    }
    // Those that stay, as nothing of theirs may run, must not stand before the others.
    page = page.length < PAGE ? [] : await findDue(now, page.at(-1) ?? null);
  }
  return result;
}

type Due = { tenantId: string; id: string; endsAt: Date };

/** @param after the last one of the page before */
function findDue(now: Date, after: Due | null): Promise<Due[]> {
  return withWorkerRole((tx) => {
    const hasBegun = or(lte(mediaBuys.effectiveStartsAt, now), and(isNull(mediaBuys.effectiveStartsAt), lte(mediaBuys.startsAt, now)));
    const isInSync = exists(tx.select({ one: sql`1` }).from(fulfilments)
      .where(and(eq(fulfilments.tenantId, mediaBuys.tenantId), eq(fulfilments.mediaBuyId, mediaBuys.id), eq(fulfilments.state, "in_sync"))));
    const open: MediaBuyStatus[] = ["pending_creatives", "pending_start", "active", "paused"];
    return tx.select({ tenantId: mediaBuys.tenantId, id: mediaBuys.id, endsAt: mediaBuys.endsAt }).from(mediaBuys)
      .where(and(
        inArray(mediaBuys.status, open), isNull(mediaBuys.statusForcedAt),
        or(lte(mediaBuys.endsAt, now), and(eq(mediaBuys.status, "pending_start"), hasBegun, isInSync)),
        after ? or(gt(mediaBuys.endsAt, after.endsAt), and(eq(mediaBuys.endsAt, after.endsAt), gt(mediaBuys.id, after.id))) : undefined,
      ))
      .orderBy(mediaBuys.endsAt, mediaBuys.id).limit(PAGE);
  });
}
