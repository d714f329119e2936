import { and, eq, inArray, isNull } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { enqueueEvents } from "../events/outbox";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { type SYNC_JOB_KINDS, syncJobs } from "./schema";

export type SyncJobKind = (typeof SYNC_JOB_KINDS)[number];

const WORDS: Record<SyncJobKind, string> = { connection_test: "Test", inventory: "Inventory sync", delivery: "Delivery pull", availability: "Availability sync" };

/** Asks for a connection test, or a sync of inventory, delivery or availability. One at a time per connection and kind: a second click finds the first. */
export async function requestSyncJob(ctx: Ctx, input: { adapterConfigId: string; kind: SyncJobKind }): Promise<{ id: string }> {
  requirePermission(ctx.actor, "inventory.sync");
  const [connection] = isUuid(input.adapterConfigId)
    ? await ctx.db.select({ name: adapterConfigs.name }).from(adapterConfigs).where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, input.adapterConfigId), isNull(adapterConfigs.archivedAt)))
    : [];
  if (!connection) throw new AppError("REFERENCE_NOT_FOUND", "This connection does not exist.");
  const id = newId(ctx.now.getTime());
  const [made] = await ctx.db.insert(syncJobs).values({ tenantId: ctx.tenantId, id, ...input, requestedBy: ctx.actor.label, createdAt: ctx.now }).onConflictDoNothing().returning({ id: syncJobs.id });
  if (!made) return findOpenJob(ctx, input);
  await enqueueSyncJobs(ctx, [{ id, ...input, why: "first" }]);
  // What the clock asks for every hour is in the list of jobs.
  if (ctx.actor.kind !== "system") await recordAudit(ctx, { action: "sync_job.requested", objectKind: "sync_job", objectId: id, summary: `${WORDS[input.kind]} of “${connection.name}” requested` });
  announceChange(ctx, "sync_job", id);
  announceChange(ctx, "connection", input.adapterConfigId);
  return { id };
}

async function findOpenJob(ctx: Ctx, { adapterConfigId, kind }: { adapterConfigId: string; kind: SyncJobKind }): Promise<{ id: string }> {
  const [open] = await ctx.db.select({ id: syncJobs.id }).from(syncJobs)
    .where(and(eq(syncJobs.tenantId, ctx.tenantId), eq(syncJobs.adapterConfigId, adapterConfigId), eq(syncJobs.kind, kind), inArray(syncJobs.state, ["queued", "running"])));
  if (!open) throw new AppError("CONFLICT", "The last one has ended this moment. Try again.");
  return open;
}

export async function enqueueSyncJobs(ctx: Ctx, jobs: { id: string; adapterConfigId: string; kind: SyncJobKind; why: string }[]): Promise<void> {
  await enqueueEvents(ctx, "greenlight/sync-job.requested", jobs.map(({ id, adapterConfigId, kind, why }) => ({
    eventId: `sync-job.requested:${id}:${why}`, data: { tenantId: ctx.tenantId, syncJobId: id, adapterConfigId, kind },
  })));
}

/** Ends a job that nobody will end any more. */
export async function failSyncJob(ctx: Ctx, input: { syncJobId: string; code: string; message: string }): Promise<void> {
  const [job] = await ctx.db.update(syncJobs)
    .set({ state: "failed", error: { code: input.code, message: input.message }, finishedAt: ctx.now, leaseOwner: null, leaseUntil: null })
    .where(and(eq(syncJobs.tenantId, ctx.tenantId), eq(syncJobs.id, input.syncJobId), inArray(syncJobs.state, ["queued", "running"])))
    .returning({ adapterConfigId: syncJobs.adapterConfigId });
  if (!job) return;
  announceChange(ctx, "sync_job", input.syncJobId);
  announceChange(ctx, "connection", job.adapterConfigId);
}
