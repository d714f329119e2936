import { and, count, desc, eq } from "drizzle-orm";
import { z } from "zod";
import { adapterConfigs } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { pageSchema } from "../paging";
import { SYNC_JOB_KINDS, syncJobs } from "./schema";

export const syncJobListInput = z.strictObject({
  connectionId: z.uuid().optional(),
  kind: z.enum(SYNC_JOB_KINDS).optional(),
  state: z.enum(["queued", "running", "succeeded", "failed"]).optional(),
  ...pageSchema,
});
export type SyncJobListInput = z.infer<typeof syncJobListInput>;

export type SyncJobRow = Awaited<ReturnType<typeof listSyncJobs>>["rows"][number];

/** Tests and syncs of this publisher, newest first. */
export async function listSyncJobs(ctx: Ctx, input: SyncJobListInput) {
  requirePermission(ctx.actor, "connection.read");
  const where = and(
    eq(syncJobs.tenantId, ctx.tenantId),
    input.connectionId === undefined ? undefined : eq(syncJobs.adapterConfigId, input.connectionId),
    input.kind === undefined ? undefined : eq(syncJobs.kind, input.kind),
    input.state === undefined ? undefined : eq(syncJobs.state, input.state),
  );
  const [rows, totals] = await Promise.all([
    ctx.db.select({
      id: syncJobs.id, kind: syncJobs.kind, state: syncJobs.state, adapterConfigId: syncJobs.adapterConfigId, connectionName: adapterConfigs.name, requestedBy: syncJobs.requestedBy,
      phases: syncJobs.phases, counts: syncJobs.counts, error: syncJobs.error, leaseUntil: syncJobs.leaseUntil, heartbeatAt: syncJobs.heartbeatAt,
      startedAt: syncJobs.startedAt, finishedAt: syncJobs.finishedAt, createdAt: syncJobs.createdAt,
    }).from(syncJobs).innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, syncJobs.tenantId), eq(adapterConfigs.id, syncJobs.adapterConfigId)))
      .where(where).orderBy(desc(syncJobs.createdAt), desc(syncJobs.id)).limit(input.pageSize).offset((input.page - 1) * input.pageSize),
    ctx.db.select({ total: count() }).from(syncJobs).where(where),
  ]);
  return { rows, total: totals[0]?.total ?? 0, page: input.page, pageSize: input.pageSize };
}
