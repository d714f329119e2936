import { and, eq, exists, isNull, notExists, or, type SQL, sql } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { AVAILABILITY_INTERVAL_MS } from "../availability/days";
import { withWorkerRole } from "../db/client";
import { REPORT_INTERVAL_MS } from "../delivery/report";
import { type Executing, inTenant } from "../fulfilment/call";
import { fulfilments } from "../fulfilment/schema";
import { mediaBuys } from "../media-buys/schema";
import { productTargets } from "../products/schema";
import { addMs, DAY_MS, MINUTE_MS } from "../time";
import { requestSyncJob } from "./service";
import { syncJobs } from "./schema";

const BATCH = 100;
/** Orders that ended this long ago are not corrected any more. */
const SETTLED_MS = 4 * DAY_MS;

/**
 * Asks for the delivery of every connection that runs something and was not asked within the hour. The rows decide: any number of callers
 * may run it at once, and an open job is found rather than doubled. Answers how many were asked.
 */
export async function scheduleDeliveryPulls(executing: Executing): Promise<number> {
  const now = executing.now();
  const at = (instant: Date) => sql`${instant.toISOString()}::timestamptz`;
  const due = await withWorkerRole((tx) => {
    const recent = tx.select({ one: sql`1` }).from(syncJobs).where(and(
      eq(syncJobs.tenantId, adapterConfigs.tenantId), eq(syncJobs.adapterConfigId, adapterConfigs.id), eq(syncJobs.kind, "delivery"),
      or(sql`${syncJobs.createdAt} > ${at(addMs(now, -REPORT_INTERVAL_MS))}`, sql`${syncJobs.state} in ('queued', 'running')`),
    ));
    const running = tx.select({ one: sql`1` }).from(fulfilments)
      .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, fulfilments.tenantId), eq(mediaBuys.id, fulfilments.mediaBuyId)))
      .where(and(
        eq(fulfilments.tenantId, adapterConfigs.tenantId), eq(fulfilments.adapterConfigId, adapterConfigs.id), sql`${fulfilments.appliedVersion} > 0`,
        sql`coalesce(${mediaBuys.effectiveStartsAt}, ${mediaBuys.startsAt}) <= ${at(now)}`, sql`${mediaBuys.endsAt} > ${at(addMs(now, -SETTLED_MS))}`,
      ));
    return tx.select({ tenantId: adapterConfigs.tenantId, id: adapterConfigs.id }).from(adapterConfigs)
      .where(and(eq(adapterConfigs.status, "verified"), isNull(adapterConfigs.archivedAt), exists(running), notExists(recent))).limit(BATCH);
  });
  for (const { tenantId, id } of due) await inTenant(executing, tenantId, (ctx) => requestSyncJob(ctx, { adapterConfigId: id, kind: "delivery" }));
  return due.length;
}

/** Products that are mapped one after the other share a sync. */
const SETTLING_MS = 10 * MINUTE_MS;

/** The same for availability: once a day, and soon after products were mapped otherwise. */
export async function scheduleAvailabilitySyncs(executing: Executing): Promise<number> {
  const now = executing.now();
  const at = (instant: Date) => sql`${instant.toISOString()}::timestamptz`;
  const due = await withWorkerRole((tx) => {
    const targets = (where?: SQL) => tx.select({ one: sql`1` }).from(productTargets)
      .where(and(eq(productTargets.tenantId, adapterConfigs.tenantId), eq(productTargets.adapterConfigId, adapterConfigs.id), where));
    const recent = tx.select({ one: sql`1` }).from(syncJobs).where(and(
      eq(syncJobs.tenantId, adapterConfigs.tenantId), eq(syncJobs.adapterConfigId, adapterConfigs.id), eq(syncJobs.kind, "availability"),
      or(
        sql`${syncJobs.state} in ('queued', 'running')`,
        sql`${syncJobs.createdAt} > ${at(addMs(now, -SETTLING_MS))}`,
        and(sql`${syncJobs.createdAt} > ${at(addMs(now, -AVAILABILITY_INTERVAL_MS))}`, notExists(targets(sql`${productTargets.updatedAt} > ${syncJobs.createdAt}`))),
      ),
    ));
    return tx.select({ tenantId: adapterConfigs.tenantId, id: adapterConfigs.id }).from(adapterConfigs)
      .where(and(eq(adapterConfigs.status, "verified"), isNull(adapterConfigs.archivedAt), exists(targets()), notExists(recent))).limit(BATCH);
  });
  for (const { tenantId, id } of due) await inTenant(executing, tenantId, (ctx) => requestSyncJob(ctx, { adapterConfigId: id, kind: "availability" }));
  return due.length;
}
