import { and, eq, lt } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { type Executing, inTenant } from "../fulfilment/call";
import { SECOND_MS } from "../time";
import { webhookDeliveries } from "./schema";
import { enqueueDeliveries } from "./service";

const BATCH = 500;
/** Runs that sleep for a short backoff themselves come first. */
const GRACE_MS = 15 * SECOND_MS;

/** Starts the deliveries whose next attempt is due: after a long backoff, or because their run was lost. */
export async function wakeDueDeliveries(executing: Executing): Promise<number> {
  const before = new Date(executing.now().getTime() - GRACE_MS);
  const due = await withWorkerRole((tx) => tx.select({ tenantId: webhookDeliveries.tenantId, id: webhookDeliveries.id, nextAttemptAt: webhookDeliveries.nextAttemptAt }).from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.state, "pending"), lt(webhookDeliveries.nextAttemptAt, before))).orderBy(webhookDeliveries.nextAttemptAt).limit(BATCH));
  for (const { tenantId, id, nextAttemptAt } of due) await inTenant(executing, tenantId, (ctx) => enqueueDeliveries(ctx, [{ id, why: `due:${nextAttemptAt.getTime()}` }]));
  return due.length;
}
