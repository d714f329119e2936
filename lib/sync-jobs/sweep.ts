import { and, eq, lt, or, sql } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { type Executing, inTenant } from "../fulfilment/call";
import { MINUTE_MS } from "../time";
import { JOB_TIME_MAX_MS } from "./run";
import { syncJobs } from "./schema";
import { enqueueSyncJobs, failSyncJob } from "./service";

const BATCH = 200;
const QUEUED_MS = 3 * MINUTE_MS;

/** No job runs for ever: one whose worker is silent is started again, one that has had its time is ended with words. */
export async function wakeLostSyncJobs(executing: Executing): Promise<number> {
  const now = executing.now();
  const lastHeard = sql`coalesce(${syncJobs.heartbeatAt}, ${syncJobs.createdAt})`;
  const lost = await withWorkerRole((tx) => tx.select().from(syncJobs)
    .where(or(
      and(eq(syncJobs.state, "running"), lt(syncJobs.leaseUntil, sql`clock_timestamp()`)),
      and(eq(syncJobs.state, "queued"), lt(lastHeard, new Date(now.getTime() - QUEUED_MS).toISOString())),
    )).limit(BATCH));
  for (const job of lost) {
    const isOverdue = job.startedAt !== null && now.getTime() - job.startedAt.getTime() > JOB_TIME_MAX_MS;
    await inTenant(executing, job.tenantId, (ctx) => isOverdue
      ? failSyncJob(ctx, { syncJobId: job.id, code: "took_too_long", message: "The job was interrupted again and again, and was given up." })
      : enqueueSyncJobs(ctx, [{ id: job.id, adapterConfigId: job.adapterConfigId, kind: job.kind, why: `again:${Math.floor(now.getTime() / MINUTE_MS)}` }]));
  }
  return lost.length;
}
