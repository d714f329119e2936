import { and, asc, isNull, lte } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { inTenant, type Transacting } from "../fulfilment/call";
import { emitReports } from "./emit";
import { reportingSubscriptions } from "./schema";

/** Subscriptions looked at by one call. What is left is found by the next. */
const BATCH = 500;

/** Writes all notices that are due, each subscription in a transaction of its own. One that fails is logged and does not hold up the others. */
export async function sendDueReports(executing: Transacting): Promise<{ written: number; failed: number }> {
  const due = await withWorkerRole((tx) => tx.select({ tenantId: reportingSubscriptions.tenantId, id: reportingSubscriptions.id }).from(reportingSubscriptions)
    .where(and(isNull(reportingSubscriptions.endedAt), lte(reportingSubscriptions.nextCheckAt, executing.now()))).orderBy(asc(reportingSubscriptions.nextCheckAt), asc(reportingSubscriptions.id)).limit(BATCH));
  const result = { written: 0, failed: 0 };
  for (const { tenantId, id } of due) {
    try {
      result.written += await inTenant(executing, tenantId, (ctx) => emitReports(ctx, id));
    } catch (error) {
      result.failed += 1;
      executing.log.error("The reports of a media buy could not be written.", { tenantId, subscriptionId: id, error });
    }
  }
  return result;
}
