import { and, inArray } from "drizzle-orm";
import { type AppliedOrder } from "../ad-servers/types";
import { type Ctx } from "../context";
import { invariant } from "../errors";
import { announceChange } from "../live";
import { type Block, blockFulfilment, withdrawBlock } from "./blocked";
import { type Executing, inTenant } from "./call";
import { buildDesiredOrder, loadAppliedOrder, loadOrderParts, type OrderParts, planOrder } from "./desired";
import { forgetUncertain, isUntouched, listOpenOperations, listUnknownCreations, type OpenOperation, type OperationRow, recordPlan, underWayMs } from "./journal";
import { fence, type Lease, released, releaseLease, takeLease } from "./lease";
import { drawOrderNumber } from "./order-number";
import { DEFAULT_CHOICES, OPERATION_DEADLINE_MS } from "./policy";
import { fulfilments } from "./schema";

/** Which run of the executor works for which fulfilment. */
export type Run = { tenantId: string; fulfilmentId: string; runId: string };

export type PlanStep =
  /** Run these one after the other, each in a step of its own, then plan anew. None: everything is written. Resolving: find out what became of them. */
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
    const { fulfilmentId } = run;
    const lease = await takeLease(ctx, fulfilmentId, run.runId);
    if (!lease) return { next: "busy" };
    const [parts, applied, open] = await Promise.all([loadOrderParts(ctx, fulfilmentId), loadAppliedOrder(ctx, fulfilmentId), listOpenOperations(ctx, fulfilmentId)]);
    if (!hasWork(parts)) return stopWith(ctx, lease, "nothing_to_do");

    const delayMs = underWayMs(open, OPERATION_DEADLINE_MS[parts.connection.mode]);
    if (delayMs > 0) {
      await releaseLease(ctx, lease);
      return { next: "busy", delayMs };
    }
    const unknown = await listUnknownCreations(ctx, open);
    if (unknown.length > 0) return startApplying(ctx, lease, parts, unknown, true);
    return planAnew(ctx, executing, lease, { ...parts, applied, open });
  });
}

/** Only an order that the buyer was promised is executed, and only what is not in the ad server yet. */
function hasWork({ fulfilment, buy }: OrderParts): boolean {
  if (buy.confirmedAt === null && buy.status !== "rejected") return false;
  return ["pending", "applying", "awaiting_ad_server"].includes(fulfilment.state) || (fulfilment.state === "in_sync" && fulfilment.appliedVersion < fulfilment.desiredVersion);
}

type Known = OrderParts & { applied: AppliedOrder; open: OpenOperation[] };

async function planAnew(ctx: Ctx, executing: Executing, lease: Lease, known: Known): Promise<PlanStep> {
  const { fulfilment, connection, open } = known;
  const { desired, problems } = await buildDesiredOrder(ctx, known, await drawOrderNumber(ctx, fulfilment));
  if (desired.isEnded && await isUntouched(ctx, fulfilment.id)) return endUntouched(ctx, lease, known);
  const applied = await forgetUncertain(ctx, fulfilment.id, fulfilment.desiredVersion, open, known.applied);
  const plan = planOrder(() => executing.declaration(connection.kind), desired, applied, ctx.now);
  if (plan.outcome === "blocked") return block(ctx, lease, plan);

  // What can be carried out is, before anybody is asked about the rest.
  const [problem] = problems;
  if (plan.operations.length === 0 && problem && !desired.isEnded) return block(ctx, lease, { code: problem.code, reason: problem.message, choices: DEFAULT_CHOICES });
  const recorded = await recordPlan(ctx, fulfilment.id, fulfilment.desiredVersion, plan.operations, open);
  const repeated = plan.operations.find(({ key }) => !recorded.some(({ operationKey }) => operationKey === key));
  if (repeated) return block(ctx, lease, { code: "not_converging", reason: `“${repeated.summary}” was done, and yet it would have to be done again. The ad server did not take it as it was meant.`, choices: DEFAULT_CHOICES });
  return startApplying(ctx, lease, known, recorded, false);
}

async function block(ctx: Ctx, lease: Lease, { code, reason, choices }: Block): Promise<PlanStep> {
  await blockFulfilment(ctx, { fulfilmentId: lease.fulfilmentId, state: "blocked", code, reason, choices, where: fence(lease) });
  return { next: "stop", because: "blocked" };
}

/** The guarded transition: pending, awaiting or (again) applying → applying. */
async function startApplying(ctx: Ctx, lease: Lease, { fulfilment, buy }: OrderParts, operations: OperationRow[], isResolving: boolean): Promise<PlanStep> {
  const moving = ctx.db.update(fulfilments)
    .set({ state: "applying", blockedCode: null, blockedReason: null, updatedAt: ctx.now })
    .where(and(fence(lease), inArray(fulfilments.state, ["pending", "applying", "awaiting_ad_server", "in_sync"])))
    .returning({ id: fulfilments.id });
  const [moved] = await Promise.all([moving, withdrawBlock(ctx, fulfilment.id, "The order goes on.")]);
  invariant(moved.length === 1, `fulfilment ${fulfilment.id} moved under its lease`);
  announceChange(ctx, "media_buy", buy.id);
  return { next: "run", version: fulfilment.desiredVersion, isResolving, operations: operations.map(({ id, operationKey }) => ({ id, key: operationKey })) };
}

/** Nothing was ever sent: there is nothing to end in the ad server. */
async function endUntouched(ctx: Ctx, lease: Lease, { fulfilment, buy, open }: Known): Promise<PlanStep> {
  await recordPlan(ctx, fulfilment.id, fulfilment.desiredVersion, [], open);
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
