import { and, eq, exists, gt, lt, lte, notExists, or, sql } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { inTenant, type Transacting } from "../fulfilment/call";
import { mediaBuys } from "../media-buys/schema";
import { addMs, MINUTE_MS, SECOND_MS } from "../time";
import { askAgain, requestChecks } from "./request";
import { governanceChecks, governanceReviews } from "./schema";

const BATCH = 500;
/** Runs that sleep for a short backoff themselves come first. */
const GRACE_MS = 15 * SECOND_MS;
/** An agent whose approvals last for minutes is asked no more often than this. */
const RENEWAL_MS = 10 * MINUTE_MS;

/** Starts what has lost its wake-up, or waits for a long backoff, and has agents asked again whose approval lapsed before staff had decided. */
export async function wakeLostReviews(executing: Transacting): Promise<number> {
  const now = executing.now();
  const before = addMs(now, -GRACE_MS);
  const { due, lapsed } = await withWorkerRole(async (tx) => {
    const pending = (condition?: ReturnType<typeof lte>) => tx.select({ one: sql`1` }).from(governanceChecks)
      .where(and(eq(governanceChecks.tenantId, governanceReviews.tenantId), eq(governanceChecks.reviewId, governanceReviews.id), eq(governanceChecks.state, "pending"), condition));
    const its = { tenantId: governanceReviews.tenantId, id: governanceReviews.id, updatedAt: governanceReviews.updatedAt };
    const isLost = or(exists(pending(lt(governanceChecks.nextAttemptAt, before))), and(lt(governanceReviews.updatedAt, before), notExists(pending())));
    const isWaiting = exists(tx.select({ one: sql`1` }).from(mediaBuys).where(and(eq(mediaBuys.tenantId, governanceReviews.tenantId), eq(mediaBuys.id, governanceReviews.mediaBuyId), eq(mediaBuys.status, "pending_approval"), gt(mediaBuys.endsAt, now))));
    return {
      due: await tx.select(its).from(governanceReviews).where(and(eq(governanceReviews.state, "asking"), isLost)).limit(BATCH),
      lapsed: await tx.select(its).from(governanceReviews).where(and(eq(governanceReviews.state, "approved"), lte(governanceReviews.expiresAt, now), lte(governanceReviews.updatedAt, addMs(now, -RENEWAL_MS)), isWaiting)).limit(BATCH),
    };
  });
  // A minute's clock may find a run that is still at it: its event of this minute is dropped as a second one.
  for (const { tenantId, id } of due) await inTenant(executing, tenantId, (ctx) => requestChecks(ctx, id, `due:${Math.floor(now.getTime() / MINUTE_MS)}`));
  for (const { tenantId, id } of lapsed) await inTenant(executing, tenantId, (ctx) => askAgain(ctx, id, ["approved"]));
  return due.length + lapsed.length;
}
