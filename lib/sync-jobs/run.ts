import { and, eq } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { AdServerError, type Availability, type DeliveryCount, type InventoryItem } from "../ad-servers/types";
import { planAvailability, recordAvailability } from "../availability/service";
import { type Ctx } from "../context";
import { planDeliveryPull, recordPull } from "../delivery/pull";
import { invariant } from "../errors";
import { callAdServer, type Connection, createCall, type Executing, inTenant } from "../fulfilment/call";
import { INVENTORY_KINDS as KINDS } from "../inventory/queries";
import { retireMissing, saveInventory } from "../inventory/sync";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { claimJob, type Held, type SyncJob, updateJob, withHeartbeat } from "./lease";
import { endPhases, reportPhase } from "./progress";
import { type SyncPhase, syncJobs } from "./schema";
import { saveTestError, saveTestResult } from "./test-result";

/** A job that has not ended by then is given up. */
export const JOB_TIME_MAX_MS = HOUR_MS;
const TEST_DEADLINE_MS = MINUTE_MS;
/** Between attempts of a job that failed for now. */
const RETRY_DELAYS_MS = [3, 10, 30, 60].map((seconds) => seconds * SECOND_MS);

export type SyncStep = { next: "stop"; state: "succeeded" | "failed" | "gone" } | { next: "later"; delayMs: number };

/** One attempt at a job. Another that crashed is taken over when its lease lapses, and begins anew: everything it writes is an upsert. */
export async function runSyncJob(executing: Executing, input: { tenantId: string; syncJobId: string; attempt: number }): Promise<SyncStep> {
  const claimed = await inTenant(executing, input.tenantId, async (ctx) => {
    const held = await claimJob(ctx, input.syncJobId);
    if (!held) return undefined;
    const [connection] = await ctx.db.select().from(adapterConfigs).where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, held.job.adapterConfigId)));
    invariant(connection, `no connection ${held.job.adapterConfigId}`);
    return { held, connection };
  });
  if (!claimed) return lookAt(executing, input);
  const { held, connection } = claimed;
  const progress: Progress = { phases: [], counts: {} };
  const failure = await withHeartbeat(executing, held, (signal) =>
    JOBS[held.job.kind](executing, held, connection, signal, progress));
  return conclude(executing, held, connection, failure, progress, input.attempt);
}

type Progress = { phases: SyncPhase[]; counts: Record<string, number> };
type Failure = AdServerError | "test_again" | null;
type Job = (executing: Executing, held: Held, connection: Connection, lost: AbortSignal, progress: Progress) => Promise<Failure>;

const JOBS: Record<SyncJob["kind"], Job> = { connection_test: testConnection, inventory: syncInventory, delivery: pullDelivery, availability: syncAvailability };

async function lookAt(executing: Executing, { tenantId, syncJobId }: { tenantId: string; syncJobId: string }): Promise<SyncStep> {
  const [job] = await inTenant(executing, tenantId, (ctx) =>
    ctx.db.select({ state: syncJobs.state, leaseUntil: syncJobs.leaseUntil }).from(syncJobs).where(and(eq(syncJobs.tenantId, tenantId), eq(syncJobs.id, syncJobId))));
  if (!job) return { next: "stop", state: "gone" };
  if (job.state === "succeeded" || job.state === "failed") return { next: "stop", state: job.state };
  return { next: "later", delayMs: Math.max(SECOND_MS, (job.leaseUntil?.getTime() ?? 0) - executing.now().getTime()) };
}

async function testConnection(executing: Executing, held: Held, connection: Connection, lost: AbortSignal, progress: Progress): Promise<Failure> {
  const report = async (done: number) => {
    progress.phases = reportPhase(progress.phases, "Network", done, 1);
    await inTenant(executing, connection.tenantId, (ctx) => updateJob(ctx, held, { phases: progress.phases }));
  };
  await report(0);
  const found = await callAdServer(TEST_DEADLINE_MS, async (signal) =>
    executing.driver(connection.kind).testConnection(createCall(executing, connection, AbortSignal.any([signal, lost]))));
  if (!(found instanceof AdServerError)) await report(1);
  return inTenant(executing, connection.tenantId, async (ctx) => {
    if (!(await updateJob(ctx, held, {}))) return null;
    const isCurrent = found instanceof AdServerError ? await saveTestError(ctx, connection, found) : await saveTestResult(ctx, connection, found);
    if (!isCurrent) return "test_again";
    return found instanceof AdServerError ? found : null;
  });
}

async function syncInventory(executing: Executing, held: Held, connection: Connection, lost: AbortSignal, progress: Progress): Promise<Failure> {
  const syncedAt = executing.now();
  const seen = new Set<InventoryItem["kind"]>();
  const write = (work: (ctx: Ctx) => Promise<boolean>) => writeHeld(executing, connection, work);
  const done = await callAdServer(JOB_TIME_MAX_MS, async (signal) => {
    const call = createCall(executing, connection, AbortSignal.any([signal, lost]));
    for await (const { phase, items, total } of executing.driver(connection.kind).syncInventory(call)) {
      for (const { kind } of items) progress.counts[kind] = (progress.counts[kind] ?? 0) + 1;
      for (const kind of KINDS) if (kind === phase || items.some((item) => item.kind === kind)) seen.add(kind);
      const before = progress.phases.find(({ name }) => name === phase);
      progress.phases = reportPhase(progress.phases, phase, (before?.done ?? 0) + items.length, total ?? before?.total);
      await write(async (ctx) => {
        await saveInventory(ctx, connection.id, items, syncedAt);
        return updateJob(ctx, held, { phases: progress.phases, counts: progress.counts });
      });
    }
    await write(async (ctx) => {
      progress.counts.retired = await retireMissing(ctx, connection.id, [...seen], syncedAt);
      return updateJob(ctx, held, { counts: progress.counts });
    });
  });
  return done instanceof AdServerError ? done : null;
}

/** Days of delivery go in together, so that a pull that breaks off leaves nothing half told. */
async function pullDelivery(executing: Executing, held: Held, connection: Connection, lost: AbortSignal, progress: Progress): Promise<Failure> {
  const askedAt = executing.now();
  const pull = await inTenant(executing, connection.tenantId, (ctx) => planDeliveryPull(ctx, connection));
  if (!pull) return null;
  const done = await callAdServer(JOB_TIME_MAX_MS, async (signal) => {
    const call = createCall(executing, connection, AbortSignal.any([signal, lost]));
    const counts: DeliveryCount[] = [];
    for await (const page of executing.driver(connection.kind).readDelivery(pull.query, call)) {
      counts.push(...page.counts);
      const before = progress.phases.find(({ name }) => name === page.phase);
      progress.phases = reportPhase(progress.phases, page.phase, (before?.done ?? 0) + page.counts.length, page.total ?? before?.total);
      await writeHeld(executing, connection, (ctx) => updateJob(ctx, held, { phases: progress.phases }));
    }
    await writeHeld(executing, connection, async (ctx) => {
      const { days, changedMediaBuyIds } = await recordPull(ctx, connection.id, pull, counts, askedAt);
      progress.counts = { orders: pull.query.orderExternalIds.length, line_items: pull.lines.size, days, changed_orders: changedMediaBuyIds.length };
      return updateJob(ctx, held, { counts: progress.counts });
    });
  });
  return done instanceof AdServerError ? done : null;
}

/** Figures are written this many products, or this long, at a time: each write has every web process read the catalogue again. */
const ANSWERS_AT_ONCE = 50;
const ANSWERS_EVERY_MS = 10 * SECOND_MS;

/** Figures go in as they come: the next attempt asks again. */
async function syncAvailability(executing: Executing, held: Held, connection: Connection, lost: AbortSignal, progress: Progress): Promise<Failure> {
  const askedAt = executing.now();
  const plan = await inTenant(executing, connection.tenantId, (ctx) => planAvailability(ctx, connection));
  if (!plan) return null;
  const total = plan.query.items.length;
  progress.counts = { products: 0 };
  const done = await callAdServer(JOB_TIME_MAX_MS, async (signal) => {
    let answers: Availability[] = [];
    let writtenAt = performance.now();
    const write = () => writeHeld(executing, connection, async (ctx) => {
      await recordAvailability(ctx, connection.id, plan, answers, askedAt);
      return updateJob(ctx, held, { phases: progress.phases, counts: progress.counts });
    });
    try {
      for await (const answer of executing.driver(connection.kind).readAvailability(plan.query, createCall(executing, connection, AbortSignal.any([signal, lost])))) {
        answers.push(answer);
        const { products = 0, without_forecast: without = 0 } = progress.counts;
        progress.counts = { products: products + 1, ...(without > 0 || answer.reason !== undefined ? { without_forecast: without + (answer.reason === undefined ? 0 : 1) } : {}) };
        progress.phases = reportPhase(progress.phases, "Products", products + 1, total);
        if (answers.length < ANSWERS_AT_ONCE && performance.now() - writtenAt < ANSWERS_EVERY_MS) continue;
        await write();
        answers = [];
        writtenAt = performance.now();
      }
    } catch (error) {
      // What was answered before is kept; what to do is said by the error.
      if (!lost.aborted) await write().catch((later: unknown) => executing.log.warn("The figures read before a sync of availability failed could not be written.", { error: later }));
      throw error;
    }
    await write();
  });
  return done instanceof AdServerError ? done : null;
}

/** One write under the lease. */
function writeHeld(executing: Executing, connection: Connection, work: (ctx: Ctx) => Promise<boolean>): Promise<void> {
  return inTenant(executing, connection.tenantId, async (ctx) => {
    if (!(await work(ctx))) throw new AdServerError("taken_over", "Another worker took the job over.", { isPermanent: false, isAmbiguous: false });
  });
}

async function conclude(executing: Executing, held: Held, connection: Connection, failure: Failure, { phases, counts }: Progress, attempt: number): Promise<SyncStep> {
  const { job } = held;
  const delayMs = failure === "test_again" ? SECOND_MS : failure && !failure.options.isPermanent ? RETRY_DELAYS_MS[attempt] : undefined;
  const error = failure instanceof AdServerError ? { code: failure.code, message: failure.message, correlationId: failure.options.correlationId } : null;
  if (failure instanceof AdServerError) executing.log.warn("A sync job failed", { syncJobId: job.id, kind: job.kind, connection: connection.id, attempt, error: failure });
  const free = { leaseOwner: null, leaseUntil: null };
  return inTenant(executing, job.tenantId, async (ctx) => {
    const mayTryAgain = delayMs !== undefined && ctx.now.getTime() - (job.startedAt ?? ctx.now).getTime() < JOB_TIME_MAX_MS;
    const state = mayTryAgain ? "queued" : failure ? "failed" : "succeeded";
    const isWritten = await updateJob(ctx, held, { state, error, counts, phases: endPhases(phases, failure ? "failed" : "done"), ...(state === "queued" ? {} : { finishedAt: ctx.now }), ...free });
    if (!isWritten) return { next: "later", delayMs: SECOND_MS };
    return state === "queued" ? { next: "later", delayMs: delayMs ?? SECOND_MS } : { next: "stop", state };
  });
}
