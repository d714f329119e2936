import { and, eq, inArray, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { enqueueEvents } from "../events/outbox";
import { mediaBuys } from "../media-buys/schema";
import { MINUTE_MS } from "../time";
import { type Executing, inTenant } from "./call";
import { fulfilments } from "./schema";

const BATCH = 500;
/** Longer than a run may rest in each state by itself: whatever has not moved for so long has lost its run. */
const RESTS_MS = { pending: 5 * MINUTE_MS, applying: 30 * MINUTE_MS, awaiting_ad_server: 45 * MINUTE_MS } as const;
/** A fulfilment is woken once in this time at most. */
const PACE_MS = 30 * MINUTE_MS;

/** Wakes fulfilments that should move and do not, whatever became of their event or their run. Answers how many. */
export async function wakeLostFulfilments(executing: Executing): Promise<number> {
  const now = executing.now();
  const restsTooLong = Object.entries(RESTS_MS).map(([state, ms]) => and(eq(fulfilments.state, state as keyof typeof RESTS_MS), lt(fulfilments.updatedAt, new Date(now.getTime() - ms))));
  const lost = await withWorkerRole((tx) => tx
    .select({ tenantId: fulfilments.tenantId, fulfilmentId: fulfilments.id, mediaBuyId: fulfilments.mediaBuyId, adapterConfigId: fulfilments.adapterConfigId, desiredVersion: fulfilments.desiredVersion })
    .from(fulfilments).innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, fulfilments.tenantId), eq(mediaBuys.id, fulfilments.mediaBuyId)))
    .where(and(
      inArray(fulfilments.state, ["pending", "applying", "awaiting_ad_server"]), isNotNull(mediaBuys.confirmedAt), or(...restsTooLong),
      or(isNull(fulfilments.leaseUntil), lt(fulfilments.leaseUntil, sql`clock_timestamp()`)),
    ))
    .orderBy(fulfilments.updatedAt).limit(BATCH));
  for (const data of lost) {
    const eventId = `fulfilment.changed:${data.fulfilmentId}:${data.desiredVersion}:woken:${Math.floor(now.getTime() / PACE_MS)}`;
    await inTenant(executing, data.tenantId, (ctx) => enqueueEvents(ctx, "greenlight/fulfilment.changed", [{ eventId, data }]));
  }
  if (lost.length > 0) executing.log.warn("Woke fulfilments that had lost their run", { count: lost.length });
  return lost.length;
}
