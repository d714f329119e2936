import { and, eq, sql } from "drizzle-orm";
import { type AccountRow } from "../accounts/present";
import { accounts } from "../accounts/schema";
import { openApproval } from "../approvals/open";
import { confirmOrder, refuseOrder } from "../approvals/outcome";
import { type StepChoice, workflowSteps } from "../approvals/schema";
import { recordAudit } from "../audit/service";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { lockLibrary } from "../creatives/serving";
import { invariant } from "../errors";
import { newId } from "../ids";
import { announceChange } from "../live";
import { effectiveStart } from "../media-buys/flight";
import { loadAssigned, loadPackages, lockMediaBuy } from "../media-buys/queries";
import { mediaBuys } from "../media-buys/schema";
import { type MediaBuyRow } from "../media-buys/transitions";
import { tenants } from "../tenants/schema";
import { queueStaffNotice, queueTaskWebhook } from "../webhooks/service";
import { loadPlannedDelivery } from "./planned-delivery";
import { loadAnswers } from "./present";
import { askAgain, closeQuestion } from "./request";
import { governanceReviews } from "./schema";
import { judgeAnswers, type Verdict } from "./verdict";

type Review = typeof governanceReviews.$inferSelect;
type Case = { review: Review; buy: MediaBuyRow; account: AccountRow };

/** What staff may choose when agents do not answer. Going on without a decision is not among it: the protocol forbids it. */
export const STOPPED_CHOICES: StepChoice[] = [{ id: "ask_again", label: "Ask again" }, { id: "give_up", label: "Refuse the order" }];

/**
 * Moves an order on once its governance agents have decided: refused, before the publisher's staff, or confirmed, exactly as an order without
 * agents would be. Locks library, media buy and review, in this order. Any number of callers: what is decided already stays so.
 */
export async function settleReview(ctx: Ctx, reviewId: string): Promise<void> {
  const its = and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.id, reviewId));
  const [known] = await ctx.db.select({ mediaBuyId: mediaBuys.id, account: accounts }).from(governanceReviews)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, governanceReviews.tenantId), eq(mediaBuys.id, governanceReviews.mediaBuyId)))
    .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
    .where(and(its, eq(governanceReviews.state, "asking")));
  if (!known) return;
  await lockLibrary(ctx, known.account.id);
  const buy = await lockMediaBuy(ctx, known.mediaBuyId);
  const [review] = await ctx.db.select().from(governanceReviews).where(and(its, eq(governanceReviews.state, "asking"))).for("update");
  if (!review) return;
  if (buy.status !== "pending_approval") return void (await moveReview(ctx, review, "withdrawn"));
  const verdict = judgeAnswers(await loadAnswers(ctx, review.id), await loadPlannedDelivery(ctx, buy.id));
  await apply(ctx, { review, buy, account: known.account }, verdict);
}

async function apply(ctx: Ctx, found: Case, verdict: Verdict): Promise<void> {
  const { review, buy } = found;
  switch (verdict.outcome) {
    case "waiting":
      return;
    case "stopped":
      await moveReview(ctx, review, "stopped");
      return askStaff(ctx, found, verdict.reason);
    case "refused":
      await moveReview(ctx, review, "refused");
      await refuseOrder(ctx, { mediaBuyId: buy.id, taskId: review.taskId }, { error: verdict.error, message: "A governance agent of the account refused the order.", action: "media_buy.governance_refused", summary: "The buyer's governance agent refused the order" });
      await withdrawApproval(ctx, buy.id);
      return finish(ctx, review);
    case "approved":
      // One agent's approval may lapse while another is still silent.
      if (verdict.expiresAt !== null && verdict.expiresAt <= ctx.now) return void (await askAgain(ctx, review.id, ["asking"]));
      await moveReview(ctx, review, "approved", verdict.expiresAt);
      await recordAudit(ctx, { action: "media_buy.governance_approved", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: `The buyer's governance agents agreed to the order (plan ${review.planId})`, after: { expires_at: verdict.expiresAt?.toISOString() } });
      return goOn(ctx, found);
  }
}

async function moveReview(ctx: Ctx, review: Review, state: Review["state"], expiresAt: Date | null = null): Promise<void> {
  await ctx.db.update(governanceReviews).set({ state, expiresAt, decidedAt: state === "stopped" ? null : ctx.now, updatedAt: ctx.now }).where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.id, review.id)));
  announceChange(ctx, "media_buy", review.mediaBuyId);
}

async function goOn(ctx: Ctx, { review, buy, account }: Case): Promise<void> {
  if (review.isReviewRequired) {
    const [found] = await ctx.db.select({ buyerName: principals.name, slug: tenants.slug, decisionTimeMinutes: tenants.decisionTimeMinutes }).from(tenants)
      .innerJoin(principals, and(eq(principals.tenantId, tenants.id), eq(principals.id, buy.principalId))).where(eq(tenants.id, ctx.tenantId));
    invariant(found, `no buyer ${buy.principalId}`);
    return openApproval(ctx, { buy, taskId: review.taskId, buyerName: found.buyerName, publisher: found });
  }
  const packages = await loadPackages(ctx, [buy.id]);
  if (packages.some((row) => row.endsAt <= effectiveStart(row.startsAt, ctx.now))) {
    const message = "The flight was over before the governance agents had agreed.";
    const error = { code: "VALIDATION_ERROR", message, recovery: "correctable", field: "end_time", suggestion: "Place the order again with new dates." } as const;
    await refuseOrder(ctx, { mediaBuyId: buy.id, taskId: review.taskId }, { error, message, action: "media_buy.rejected", summary: "The order came too late" });
  } else {
    await confirmOrder(ctx, { buy, account, packages, assigned: await loadAssigned(ctx, [buy.id]), taskId: review.taskId }, { message: "The order is confirmed.", action: "media_buy.confirmed", summary: "The order was confirmed" });
  }
  return finish(ctx, review);
}

async function finish(ctx: Ctx, review: Review): Promise<void> {
  await queueTaskWebhook(ctx, { taskId: review.taskId });
  announceChange(ctx, "media_buy", review.mediaBuyId);
}

/** An approval that had lapsed was refused when asked for again: nothing is left for staff to decide. */
async function withdrawApproval(ctx: Ctx, mediaBuyId: string): Promise<void> {
  const closed = await ctx.db.update(workflowSteps)
    .set({ state: "rejected", decision: "withdrawn", reason: "The buyer's governance agent refused the order.", decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.mediaBuyId, mediaBuyId), eq(workflowSteps.kind, "media_buy_approval"), eq(workflowSteps.state, "requires_approval"))).returning({ id: workflowSteps.id });
  for (const { id } of closed) announceChange(ctx, "queue", id);
}

async function askStaff(ctx: Ctx, { review, buy }: Case, reason: string): Promise<void> {
  const payload = { code: "governance_unavailable", reason, choices: STOPPED_CHOICES };
  const [step] = await ctx.db.insert(workflowSteps)
    .values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), kind: "governance_stopped", state: "pending", mediaBuyId: buy.id, taskId: review.taskId, payload, createdAt: ctx.now, updatedAt: ctx.now })
    .onConflictDoUpdate({ target: [workflowSteps.tenantId, workflowSteps.mediaBuyId], targetWhere: sql`kind = 'governance_stopped' and state = 'pending'`, set: { payload, updatedAt: ctx.now } })
    .returning({ id: workflowSteps.id });
  invariant(step, "a stopped order has no workflow step");
  await recordAudit(ctx, { action: "media_buy.governance_stopped", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: `Stopped: ${reason}` });
  const [tenant] = await ctx.db.select({ slug: tenants.slug }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  invariant(tenant, "no publisher");
  await queueStaffNotice(ctx, { eventKey: `governance:${step.id}`, title: `“${buy.name}” waits for the buyer's governance agent`, text: reason, path: `/p/${tenant.slug}/media-buys/${buy.id}`, mediaBuyId: buy.id });
  announceChange(ctx, "queue", step.id);
}

/** The end that staff choose for an order whose governance agents stay silent. */
export async function refuseUnanswered(ctx: Ctx, review: Review, note: string | undefined): Promise<void> {
  await moveReview(ctx, review, "refused");
  const error = { code: "GOVERNANCE_UNAVAILABLE", message: note ?? "The governance agent of the account gave no decision.", recovery: "transient", suggestion: "Ask the operator of the governance agent, then place the order again with a new idempotency_key." } as const;
  await refuseOrder(ctx, { mediaBuyId: review.mediaBuyId, taskId: review.taskId }, { error, message: "The governance agent of the account gave no decision.", action: "media_buy.rejected", summary: "The publisher refused the order, whose governance agent gave no decision" });
  await withdrawApproval(ctx, review.mediaBuyId);
  await closeQuestion(ctx, review.mediaBuyId, { decision: "give_up", reason: note ?? null });
  await finish(ctx, review);
}
