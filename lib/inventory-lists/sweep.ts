import { and, eq, lte, notInArray, or } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { inTenant, type Transacting } from "../fulfilment/call";
import { mediaBuys } from "../media-buys/schema";
import { addMs, HOUR_MS, MINUTE_MS } from "../time";
import { inventoryLists, packageLists } from "./schema";
import { remindOfReading, requestReading } from "./use";

const BATCH = 500;
/** A reading that has not ended by then has lost its worker. */
const LOST_MS = 5 * MINUTE_MS;
/** Lists that could not be read are tried again this often while packages keep to them. */
const FAILED_MS = HOUR_MS;

/** Has the lists read again that packages of running orders keep to, once they are no longer valid. */
export async function refreshListsInUse(transacting: Transacting): Promise<number> {
  const now = transacting.now();
  const isDue = or(
    and(eq(inventoryLists.state, "read"), lte(inventoryLists.validUntil, now)),
    and(eq(inventoryLists.state, "failed"), lte(inventoryLists.updatedAt, addMs(now, -FAILED_MS))),
    and(eq(inventoryLists.state, "reading"), lte(inventoryLists.updatedAt, addMs(now, -LOST_MS))),
  );
  const due = await withWorkerRole((tx) => tx.selectDistinct({ tenantId: inventoryLists.tenantId, id: inventoryLists.id, state: inventoryLists.state, updatedAt: inventoryLists.updatedAt }).from(inventoryLists)
    .innerJoin(packageLists, and(eq(packageLists.tenantId, inventoryLists.tenantId), eq(packageLists.listId, inventoryLists.id)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, packageLists.tenantId), eq(mediaBuys.id, packageLists.mediaBuyId), notInArray(mediaBuys.status, ["completed", "rejected", "canceled"])))
    .where(isDue).orderBy(inventoryLists.updatedAt).limit(BATCH));
  for (const { tenantId, id, state } of due) {
    // One that is being read may only wait for its turn: it is announced again, as often as one may be lost, and goes on where it was.
    await inTenant(transacting, tenantId, (ctx) => (state === "reading" ? remindOfReading(ctx, id) : requestReading(ctx, id, {})));
  }
  return due.length;
}
