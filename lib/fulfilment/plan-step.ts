import { and, inArray } from "drizzle-orm";
import { type Plan } from "../ad-servers/types";
import { type Ctx } from "../context";
import { announceChange } from "../live";
import { blockFulfilment, withdrawBlock } from "./blocked";
import { type Executing, inTenant } from "./call";
import { buildDesiredOrder, loadAppliedOrder, loadOrderParts, type OrderParts, planOfError, planOrder } from "./desired";
import { isUntouched, listUnknownCreations, type OperationRow, recordPlan, settleStarted } from "./journal";
import { fence, type Lease, released, releaseLease, takeLease } from "./lease";
import { drawOrderNumber } from "./order-number";
import { OPERATION_DEADLINE_MS } from "./policy";
import { fulfilments } from "./schema";

/** Which run of the executor works for which fulfilment. */
export type Run = { tenantId: string; fulfilmentId: string; runId: string };

export type PlanStep =
  /** Run these one after the other, each in a step of its own. Resolving: find out what became of them, then plan. */
  | { next: "run"; version: number; isResolving: boolean; operations: { id: string; key: string }[] }
  /** In other hands, or an operation may still be under way. */
  | { next: "busy"; delayMs?: number }
  | { next: "stop"; because: "nothing_to_do" | "blocked" | "ended" };

/**
 * First step of every round: takes the lease, makes sure that no operation is under way, and turns desired minus applied into
 * `planned` rows of the journal. One transaction, no remote call. Runs again harmlessly, whenever and from whichever process.
 */
export async function planFulfilment(executing: Executing, run: Run): Promise<PlanStep> {
  return inTenant(executing, run.tenantId, async (ctx) => {
    const lease = await takeLease(ctx, run.fulfilmentId, run.runId);
    if (!lease) return { next: "busy" };
    const parts = await loadOrderParts(ctx, run.fulfilmentId);
    if (!hasWork(parts)) return stopWith(ctx, lease, "nothing_to_do");

    const underWayMs = await settleStarted(ctx, run.fulfilmentId, OPERATION_DEADLINE_MS[parts.connection.mode]);
    if (underWayMs > 0) {
      await releaseLease(ctx, lease);
      return { next: "busy", delayMs: underWayMs };
    }
    const unknown = await listUnknownCreations(ctx, run.fulfilmentId);
    if (unknown.length > 0) return startApplying(ctx, lease, parts, unknown, true);
    return planAnew(ctx, executing, lease, parts);
  });
}

/** Only an order that the buyer was promised is executed, and only what is not in the ad server yet. */
function hasWork({ fulfilment, buy }: OrderParts): boolean {
  if (buy.confirmedAt === null && buy.status !== "rejected") return false;
  return ["pending", "applying", "awaiting_ad_server"].includes(fulfilment.state) || (fulfilment.state === "in_sync" && fulfilment.appliedVersion < fulfilment.desiredVersion);
}

async function planAnew(ctx: Ctx, executing: Executing, lease: Lease, parts: OrderParts): Promise<PlanStep> {
  const { fulfilment, connection } = parts;
  const orderNumber = await drawOrderNumber(ctx, fulfilment);
  const applied = await loadAppliedOrder(ctx, fulfilment.id);
  let plan: Plan;
  try {
    const desired = await buildDesiredOrder(ctx, parts, orderNumber);
    if (desired.isEnded && await isUntouched(ctx, fulfilment.id)) return await endUntouched(ctx, lease, parts);
    plan = planOrder(executing.declaration(connection.kind), desired, applied, ctx.now);
  } catch (error) {
    plan = planOfError(error);
  }
  if (plan.outcome === "blocked") {
    const { code, reason, choices } = plan;
    await blockFulfilment(ctx, { fulfilmentId: fulfilment.id, state: "blocked", code, reason, choices, where: fence(lease) });
    return { next: "stop", because: "blocked" };
  }
  return startApplying(ctx, lease, parts, await recordPlan(ctx, fulfilment.id, fulfilment.desiredVersion, plan.operations), false);
}

/** The guarded transition: pending, awaiting or (again) applying → applying. */
async function startApplying(ctx: Ctx, lease: Lease, { fulfilment, buy }: OrderParts, operations: OperationRow[], isResolving: boolean): Promise<PlanStep> {
  const moved = await ctx.db.update(fulfilments)
    .set({ state: "applying", blockedCode: null, blockedReason: null, updatedAt: ctx.now })
    .where(and(fence(lease), inArray(fulfilments.state, ["pending", "applying", "awaiting_ad_server", "in_sync"])))
    .returning({ id: fulfilments.id });
  if (moved.length === 0) return stopWith(ctx, lease, "nothing_to_do");
  await withdrawBlock(ctx, fulfilment.id, "The order goes on.");
  announceChange(ctx, "media_buy", buy.id);
  return { next: "run", version: fulfilment.desiredVersion, isResolving, operations: operations.map(({ id, operationKey }) => ({ id, key: operationKey })) };
}

/** Nothing was ever sent: there is nothing to end in the ad server. */
async function endUntouched(ctx: Ctx, lease: Lease, { fulfilment, buy }: OrderParts): Promise<PlanStep> {
  await recordPlan(ctx, fulfilment.id, fulfilment.desiredVersion, []);
  await ctx.db.update(fulfilments)
    .set({ state: "ended", appliedVersion: fulfilment.desiredVersion, blockedCode: null, blockedReason: null, updatedAt: ctx.now, ...released }).where(fence(lease));
  await withdrawBlock(ctx, fulfilment.id, "The order has ended.");
  announceChange(ctx, "media_buy", buy.id);
  return { next: "stop", because: "ended" };
}

async function stopWith(ctx: Ctx, lease: Lease, because: "nothing_to_do"): Promise<PlanStep> {
  await releaseLease(ctx, lease);
  return { next: "stop", because };
}
