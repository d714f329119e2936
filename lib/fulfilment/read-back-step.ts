import { AdServerError, type AppliedOrder, type DesiredOrder, type Observation } from "../ad-servers/types";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { announceChange } from "../live";
import { settleStatus } from "../media-buys/settle";
import { blockFulfilment } from "./blocked";
import { callAdServer, createCall, type Executing, inTenant } from "./call";
import { buildDesiredOrder, loadAppliedOrder, loadOrderParts, type OrderParts } from "./desired";
import { fence, type Lease, released, releaseLease, renewLease, takeLease } from "./lease";
import { drawOrderNumber } from "./order-number";
import { type Run } from "./plan-step";
import { DEFAULT_CHOICES, DRIFT_CHOICES, OPERATION_DEADLINE_MS, retryDelayMs, SETTLING_DELAYS_MS } from "./policy";
import { fulfilments } from "./schema";

export type ReadBackStep =
  | { next: "again" }
  | { next: "park"; delayMs: number; because: string }
  | { next: "stop"; because: "in_sync" | "ended" | "blocked" };

type Begun = { lease: Lease; parts: OrderParts; desired: DesiredOrder; applied: AppliedOrder };

/**
 * Last step, once the plan is empty: done means read back. Compares what the ad server has with what was sold; only then is the version applied.
 * @param work.looks how often this version was looked at before
 */
export async function readBack(executing: Executing, run: Run, work: { version: number; looks: number }): Promise<ReadBackStep> {
  const begun = await inTenant(executing, run.tenantId, (ctx) => beginReadBack(ctx, run, work.version));
  if ("next" in begun) return begun;
  const { connection } = begun.parts;
  const seen = await callAdServer(OPERATION_DEADLINE_MS[connection.mode], async (signal) =>
    executing.driver(connection.kind).observe(begun.desired, begun.applied, createCall(executing, connection, signal)));
  if (seen instanceof AdServerError) executing.log.warn("Reading back from the ad server failed", { run, code: seen.code, error: seen });
  return inTenant(executing, run.tenantId, (ctx) => finishReadBack(ctx, begun, seen, work));
}

async function beginReadBack(ctx: Ctx, run: Run, version: number): Promise<Begun | ReadBackStep> {
  const lease = await takeLease(ctx, run.fulfilmentId, run.runId);
  if (!lease) return { next: "again" };
  const parts = await loadOrderParts(ctx, run.fulfilmentId);
  if (parts.fulfilment.desiredVersion > version) return { next: "again" };
  const { desired } = await buildDesiredOrder(ctx, parts, await drawOrderNumber(ctx, parts.fulfilment));
  return { lease, parts, desired, applied: await loadAppliedOrder(ctx, run.fulfilmentId) };
}

async function finishReadBack(ctx: Ctx, begun: Begun, seen: Observation | AdServerError, { version, looks }: { version: number; looks: number }): Promise<ReadBackStep> {
  const { lease, parts } = begun;
  if (!(await renewLease(ctx, lease))) return { next: "again" };
  // The row is locked now. A change that came while we looked has raised the version, and what we saw is of yesterday.
  const { fulfilment } = await loadOrderParts(ctx, lease.fulfilmentId);
  if (fulfilment.desiredVersion > version) return { next: "again" };
  if (seen instanceof AdServerError) return finishWithError(ctx, begun, seen, looks);
  if (seen.isInSync) return settle(ctx, begun, version);

  const delayMs = SETTLING_DELAYS_MS[looks];
  if (delayMs !== undefined) return park(ctx, lease, delayMs, "The ad server does not show everything yet");
  const [first] = seen.differences;
  const reason = first
    ? `The ad server has other values than were sold: ${first.object}, ${first.field}: expected ${first.expected}, found ${first.observed}${seen.differences.length > 1 ? `, and ${seen.differences.length - 1} more` : ""}.`
    : "The ad server does not hold what was sold.";
  await blockFulfilment(ctx, {
    fulfilmentId: lease.fulfilmentId, state: "blocked", code: "drift", reason, choices: DRIFT_CHOICES, where: fence(lease),
    set: { drift: seen.differences, appliedVersion: version, observedAt: ctx.now },
  });
  announceChange(ctx, "media_buy", parts.buy.id);
  return { next: "stop", because: "blocked" };
}

async function settle(ctx: Ctx, { lease, parts, desired }: Begun, version: number): Promise<ReadBackStep> {
  const state = desired.isEnded ? "ended" : "in_sync";
  await ctx.db.update(fulfilments)
    .set({ state, appliedVersion: version, observedAt: ctx.now, drift: [], blockedCode: null, blockedReason: null, waitingSince: null, waitCount: 0, updatedAt: ctx.now, ...released })
    .where(fence(lease));
  await recordAudit(ctx, {
    action: `fulfilment.${state}`, objectKind: "fulfilment", objectId: lease.fulfilmentId, mediaBuyId: parts.buy.id,
    summary: desired.isEnded ? `Ended in “${parts.connection.name}”` : `Read back from “${parts.connection.name}”: in sync`,
  });
  await settleStatus(ctx, parts.buy.id);
  announceChange(ctx, "media_buy", parts.buy.id);
  return { next: "stop", because: state };
}

async function finishWithError(ctx: Ctx, { lease }: Begun, error: AdServerError, looks: number): Promise<ReadBackStep> {
  const delayMs = error.options.isPermanent ? null : retryDelayMs(looks + 1, 0, error.options.retryAfterMs);
  if (delayMs !== null) return park(ctx, lease, delayMs, error.message);
  await blockFulfilment(ctx, {
    fulfilmentId: lease.fulfilmentId, state: "blocked", code: error.code, choices: DEFAULT_CHOICES, where: fence(lease),
    reason: `Everything was written, but reading it back failed: ${error.message}`,
  });
  return { next: "stop", because: "blocked" };
}

async function park(ctx: Ctx, lease: Lease, delayMs: number, because: string): Promise<ReadBackStep> {
  await releaseLease(ctx, lease);
  return { next: "park", delayMs, because };
}
