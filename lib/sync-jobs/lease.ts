import { randomUUID } from "node:crypto";
import { and, eq, lt, or, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { type Executing, inTenant } from "../fulfilment/call";
import { announceChange } from "../live";
import { syncJobs } from "./schema";

const LEASE_SECONDS = 20;
const HEARTBEAT_MS = 5_000;

export type SyncJob = typeof syncJobs.$inferSelect;
export type Held = { job: SyncJob; owner: string };
type JobChange = Partial<Pick<SyncJob, "state" | "phases" | "counts" | "error" | "finishedAt" | "leaseOwner" | "leaseUntil">>;

const soon = sql`clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'`;

/** Takes a job that waits, or whose worker has not been heard of for a while. Each attempt is an owner of its own. */
export async function claimJob(ctx: Ctx, syncJobId: string): Promise<Held | undefined> {
  const owner = randomUUID();
  const [job] = await ctx.db.update(syncJobs)
    .set({ state: "running", leaseOwner: owner, leaseUntil: soon, heartbeatAt: ctx.now, startedAt: sql`coalesce(${syncJobs.startedAt}, ${ctx.now.toISOString()}::timestamptz)`, error: null, phases: [] })
    .where(and(
      eq(syncJobs.tenantId, ctx.tenantId), eq(syncJobs.id, syncJobId),
      or(eq(syncJobs.state, "queued"), and(eq(syncJobs.state, "running"), lt(syncJobs.leaseUntil, sql`clock_timestamp()`))),
    ))
    .returning();
  if (job) announceJob(ctx, job);
  return job && { job, owner };
}

/** Writes under the lease and renews it. False: another worker took the job over. */
export async function updateJob(ctx: Ctx, { job, owner }: Held, change: JobChange): Promise<boolean> {
  const rows = await ctx.db.update(syncJobs).set({ leaseUntil: soon, heartbeatAt: ctx.now, ...change })
    .where(and(eq(syncJobs.tenantId, ctx.tenantId), eq(syncJobs.id, job.id), eq(syncJobs.leaseOwner, owner))).returning({ id: syncJobs.id });
  if (rows.length > 0 && Object.keys(change).length > 0) announceJob(ctx, job);
  return rows.length > 0;
}

function announceJob(ctx: Ctx, job: SyncJob): void {
  announceChange(ctx, "sync_job", job.id);
  announceChange(ctx, "connection", job.adapterConfigId);
}

/** Keeps the lease while `work` lasts; the signal fires when it is lost. */
export async function withHeartbeat<T>(executing: Executing, held: Held, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const lost = new AbortController();
  const timer = setInterval(() => {
    inTenant(executing, held.job.tenantId, (ctx) => updateJob(ctx, held, {})).then((isHeld) => {
      if (!isHeld) lost.abort(new Error("Another worker took the job over."));
    }, (error: unknown) => executing.log.warn("The heartbeat of a sync job failed", { syncJobId: held.job.id, error }));
  }, HEARTBEAT_MS);
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(timer);
  }
}
