import { and, desc, eq, isNotNull, isNull, type SQL } from "drizzle-orm";
import { ACCOUNT_STATUSES, accounts } from "../accounts/schema";
import { ownAccounts } from "../accounts/service";
import { type BuyerSession } from "../adcp/tool";
import { endUnsent } from "../approvals/outcome";
import { workflowSteps } from "../approvals/schema";
import { closeStep } from "../approvals/service";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { reflectReview } from "../creatives/review";
import { CREATIVE_STATUSES, creatives } from "../creatives/schema";
import { lockLibrary, lockServingMediaBuys, reconverge } from "../creatives/serving";
import { CREATIVE_MOVES } from "../creatives/transitions";
import { requestConvergence } from "../fulfilment/request";
import { fromWireId } from "../ids";
import { announceChange } from "../live";
import { matchMediaBuys } from "../media-buys/media-buy-id";
import { lockMediaBuy } from "../media-buys/queries";
import { mediaBuys, type MediaBuyStatus, tasks } from "../media-buys/schema";
import { endTask, isKnownAs } from "../media-buys/tasks";
import { type MediaBuyRow, transitionMediaBuy, TRANSITIONS } from "../media-buys/transitions";
import { queueTaskWebhook } from "../webhooks/service";
import { assertMove, ControllerProblem, notFound } from "./problem";

export type Moved = { previous: string; current: string };
type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** enums/account-status.json */
const ACCOUNT_MOVES: Record<AccountStatus, readonly AccountStatus[]> = {
  pending_approval: ["active", "rejected", "closed"],
  active: ["payment_required", "suspended", "closed"],
  payment_required: ["active", "suspended", "closed"],
  suspended: ["active", "payment_required", "closed"],
  rejected: [],
  closed: [],
};

function oneOf<S extends string>(known: readonly S[], status: string): S {
  const found = known.find((item) => item === status);
  if (found === undefined) throw new ControllerProblem("INVALID_PARAMS", `params.status is one of ${known.join(", ")}.`);
  return found;
}

export async function forceAccountStatus(ctx: Ctx, session: BuyerSession, input: { accountId: string; status: string }): Promise<Moved> {
  const status = oneOf(ACCOUNT_STATUSES, input.status);
  const id = fromWireId("account", input.accountId);
  const [account] = id === undefined ? [] : await ctx.db.select().from(accounts).where(and(ownAccounts(ctx, session), eq(accounts.id, id), eq(accounts.isSandbox, true))).for("update");
  if (!account) throw notFound("account");
  assertMove(ACCOUNT_MOVES, account.status, status, "account");
  if (account.status === status) return { previous: status, current: status };
  await ctx.db.update(accounts).set({ status, statusReason: null, updatedAt: ctx.now }).where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, account.id)));
  await recordAudit(ctx, { action: "account.forced", objectKind: "account", objectId: account.id, summary: `The buyer's test controller set the account ${account.name} to ${status}.`, before: { status: account.status }, after: { status } });
  return { previous: account.status, current: status };
}

/** The newest of this name, if several of the buyer's accounts hold one. What serves it reaches the ad servers anew. */
export async function forceCreativeStatus(ctx: Ctx, session: BuyerSession, input: { creativeId: string; status: string; reason: string | null }): Promise<Moved> {
  const status = oneOf(CREATIVE_STATUSES, input.status);
  const its = and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, session.principalId), eq(creatives.creativeId, input.creativeId));
  const [found] = await ctx.db.select({ id: creatives.id, accountId: creatives.accountId }).from(creatives)
    .innerJoin(accounts, and(eq(accounts.tenantId, creatives.tenantId), eq(accounts.id, creatives.accountId), eq(accounts.isSandbox, true)))
    .where(its).orderBy(desc(creatives.createdAt), desc(creatives.id)).limit(1);
  if (!found) throw notFound("creative");
  await lockLibrary(ctx, found.accountId);
  const serving = await lockServingMediaBuys(ctx, [found.id]);
  const [creative] = await ctx.db.select().from(creatives).where(and(its, eq(creatives.id, found.id))).for("update");
  if (!creative) throw notFound("creative");
  assertMove(CREATIVE_MOVES, creative.status, status, "creative");
  if (creative.status === status) return { previous: status, current: status };
  await ctx.db.update(creatives)
    .set({ status, rejectionReason: status === "rejected" ? (input.reason ?? "Rejected by the test controller.") : null, archivedAt: status === "archived" ? ctx.now : null, version: creative.version + 1, updatedAt: ctx.now })
    .where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.id, creative.id)));
  await recordAudit(ctx, { action: "creative.forced", objectKind: "creative", objectId: creative.id, summary: `The buyer's test controller set the creative "${creative.name}" to ${status}.`, before: { status: creative.status }, after: { status } });
  await reflectReview(ctx, [{ id: creative.id, status }], { decision: "withdrawn", reason: "Set by the buyer's test controller." });
  await reconverge(ctx, serving);
  return { previous: creative.status, current: status };
}

/** A confirmed sandbox order of this buyer, locked. */
export async function lockSandboxBuy(ctx: Ctx, session: BuyerSession, wireId: string): Promise<MediaBuyRow> {
  const its: SQL | undefined = and(
    eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.principalId, session.principalId), eq(mediaBuys.isSandbox, true), isNotNull(mediaBuys.confirmedAt), matchMediaBuys([wireId]),
  );
  const [found] = await ctx.db.select({ id: mediaBuys.id }).from(mediaBuys).where(its);
  if (!found) throw notFound("media buy");
  return lockMediaBuy(ctx, found.id);
}

const BUYER_STATUSES = ["pending_creatives", "pending_start", "active", "paused", "completed", "rejected", "canceled"] as const satisfies MediaBuyStatus[];

/** Moves an order along the protocol's table; from then on the clock leaves its status alone. */
export async function forceMediaBuyStatus(ctx: Ctx, session: BuyerSession, input: { mediaBuyId: string; status: string; reason: string | null }): Promise<Moved> {
  const status = oneOf(BUYER_STATUSES, input.status);
  const buy = await lockSandboxBuy(ctx, session, input.mediaBuyId);
  assertMove(TRANSITIONS, buy.status, status, "media buy");
  await moveBuy(ctx, buy, status, input.reason);
  return { previous: buy.status, current: status };
}

/** @param to a status that the table reaches in one move, or the one it has */
export async function moveBuy(ctx: Ctx, buy: MediaBuyRow, to: (typeof BUYER_STATUSES)[number], reason: string | null): Promise<void> {
  const whose = and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, buy.id));
  if (buy.status === to) {
    await ctx.db.update(mediaBuys).set({ statusForcedAt: ctx.now }).where(whose);
    return;
  }
  const moved = await transitionMediaBuy(ctx, {
    mediaBuyId: buy.id, from: [buy.status], to,
    set: {
      statusForcedAt: ctx.now,
      ...(to === "canceled" ? { canceledAt: ctx.now, canceledBy: "seller" as const, cancellationReason: reason ?? "Canceled by the test controller." } : {}),
      ...(to === "rejected" ? { rejectionReason: reason ?? "Rejected by the test controller." } : {}),
    },
  });
  await recordAudit(ctx, {
    action: "media_buy.forced", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: `The buyer's test controller set the order to ${to}.`,
    before: { status: buy.status, revision: buy.revision }, after: { status: to, revision: moved.revision },
  });
  await requestConvergence(ctx, buy.id);
  announceChange(ctx, "media_buy", buy.id);
}

/** Ends a task with the result that the test gives. The order that waited behind it is withdrawn: the result tells of another one. */
export async function forceTaskCompletion(ctx: Ctx, session: BuyerSession, input: { taskId: string; result: Record<string, unknown> }): Promise<Moved> {
  const [task] = await ctx.db.select().from(tasks)
    .where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.principalId, session.principalId), isKnownAs(input.taskId)))
    .orderBy(desc(tasks.createdAt), desc(tasks.id)).limit(1);
  if (!task) throw notFound("task");
  if (task.completedAt !== null) throw new ControllerProblem("INVALID_TRANSITION", `A task that is ${task.status} cannot complete.`, task.status);
  if (task.mediaBuyId) await withdrawOrder(ctx, task.mediaBuyId);
  await endTask(ctx, task.id, { status: "completed", message: "The test controller completed the task.", result: input.result });
  await queueTaskWebhook(ctx, { taskId: task.id });
  return { previous: task.status, current: "completed" };
}

async function withdrawOrder(ctx: Ctx, mediaBuyId: string): Promise<void> {
  const buy = await lockMediaBuy(ctx, mediaBuyId);
  if (!buy.isSandbox) throw new ControllerProblem("FORBIDDEN", "Only orders of the sandbox can be completed here.");
  if (buy.status !== "pending_approval") return;
  const reason = "The buyer's test controller completed the task with a result of its own.";
  await transitionMediaBuy(ctx, { mediaBuyId, from: ["pending_approval"], to: "rejected", set: { rejectionReason: reason } });
  await endUnsent(ctx, mediaBuyId);
  const open = await ctx.db.select().from(workflowSteps).where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.mediaBuyId, mediaBuyId), eq(workflowSteps.state, "requires_approval"), isNull(workflowSteps.decidedAt)));
  for (const step of open) await closeStep(ctx, step, { decision: "withdraw", reason });
  await recordAudit(ctx, { action: "media_buy.withdrawn", objectKind: "media_buy", objectId: mediaBuyId, mediaBuyId, summary: reason, before: { status: "pending_approval" }, after: { status: "rejected" } });
  announceChange(ctx, "media_buy", mediaBuyId);
}
