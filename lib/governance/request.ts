import { and, eq, inArray, notInArray, sql } from "drizzle-orm";
import { workflowSteps } from "../approvals/schema";
import { type Ctx } from "../context";
import { enqueueEvents } from "../events/outbox";
import { newId } from "../ids";
import { announceChange } from "../live";
import { mediaBuys } from "../media-buys/schema";
import { type governanceAgents, governanceChecks, governanceReviews } from "./schema";

/** Wakes whoever asks the agents. `why` names the occasion: a second event of the same one is dropped. */
export async function requestChecks(ctx: Ctx, reviewId: string, why: string): Promise<void> {
  await enqueueEvents(ctx, "greenlight/governance.requested", [{ eventId: `governance.requested:${reviewId}:${why}`, data: { tenantId: ctx.tenantId, reviewId } }]);
}

/** Has every agent whose answer is missing, or has lapsed, asked anew. `from`: in which states the review may be; false: it was in none of them. */
export async function askAgain(ctx: Ctx, reviewId: string, from: readonly ("stopped" | "approved" | "asking")[]): Promise<boolean> {
  const [review] = await ctx.db.update(governanceReviews).set({ state: "asking", updatedAt: ctx.now })
    .where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.id, reviewId), inArray(governanceReviews.state, [...from]))).returning({ mediaBuyId: governanceReviews.mediaBuyId });
  if (!review) return false;
  const lapses = sql`(${governanceChecks.state} in ('approved','conditions') and ${governanceChecks.expiresAt} <= ${ctx.now.toISOString()})`;
  await ctx.db.update(governanceChecks).set({ state: "pending", attempts: 0, nextAttemptAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(governanceChecks.tenantId, ctx.tenantId), eq(governanceChecks.reviewId, reviewId), sql`(${governanceChecks.state} = 'unanswered' or ${lapses})`));
  await requestChecks(ctx, reviewId, `again:${newId(ctx.now.getTime())}`);
  announceChange(ctx, "media_buy", review.mediaBuyId);
  return true;
}

/** Orders that wait are asked about at the agents that their account names now. */
export async function renewReviews(ctx: Ctx, accountId: string, agents: Pick<typeof governanceAgents.$inferSelect, "id">[]): Promise<void> {
  const waiting = await ctx.db.select({ id: governanceReviews.id, mediaBuyId: governanceReviews.mediaBuyId }).from(governanceReviews)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, governanceReviews.tenantId), eq(mediaBuys.id, governanceReviews.mediaBuyId)))
    .where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(mediaBuys.accountId, accountId), eq(mediaBuys.status, "pending_approval"), inArray(governanceReviews.state, ["asking", "stopped"])))
    .orderBy(governanceReviews.id);
  for (const { id: reviewId, mediaBuyId } of waiting) {
    await ctx.db.update(governanceChecks).set({ state: "withdrawn", updatedAt: ctx.now }).where(and(
      eq(governanceChecks.tenantId, ctx.tenantId), eq(governanceChecks.reviewId, reviewId), inArray(governanceChecks.state, ["pending", "unanswered"]), notInArray(governanceChecks.agentId, agents.map(({ id }) => id)),
    ));
    await ctx.db.insert(governanceChecks)
      .values(agents.map(({ id: agentId }) => ({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), reviewId, agentId, nextAttemptAt: ctx.now, createdAt: ctx.now, updatedAt: ctx.now })))
      .onConflictDoNothing({ target: [governanceChecks.tenantId, governanceChecks.reviewId, governanceChecks.agentId] });
    await closeQuestion(ctx, mediaBuyId, { decision: "withdrawn", reason: "The buyer named its governance agents anew." });
    await askAgain(ctx, reviewId, ["asking", "stopped"]);
  }
}

/** Closes what was asked of staff about agents that do not answer. */
export async function closeQuestion(ctx: Ctx, mediaBuyId: string, { decision, reason }: { decision: string; reason: string | null }): Promise<void> {
  const closed = await ctx.db.update(workflowSteps)
    .set({ state: "completed", decision, reason, decidedBy: ctx.actor.kind === "user" ? ctx.actor.userId : null, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.mediaBuyId, mediaBuyId), eq(workflowSteps.kind, "governance_stopped"), eq(workflowSteps.state, "pending")))
    .returning({ id: workflowSteps.id });
  for (const { id } of closed) announceChange(ctx, "queue", id);
}
