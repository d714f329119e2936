import { and, asc, eq, inArray, lte, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { decryptSecret, encryptSecret } from "../crypto";
import { env } from "../env";
import { inTenant, type Transacting } from "../fulfilment/call";
import { addMs, MINUTE_MS, SECOND_MS } from "../time";
import { type Resolver } from "../webhooks/address";
import { agentSecrets } from "./agents";
import { type Answer, askGovernance, NoAnswer, type Question } from "./ask";
import { reviewSecrets } from "./open";
import { loadPlannedDelivery } from "./planned-delivery";
import { checkSecrets } from "./present";
import { governanceAgents, governanceChecks, governanceReviews } from "./schema";
import { settleReview } from "./settle";

export type Governing = Transacting & { resolve: Resolver };

/** After the first attempt and each that brought no decision; then a person must choose. */
export const RETRY_DELAYS_MS = [5 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS];
/** Longer than a question may take: whoever claimed a check and died holds it for this long. */
const CLAIM_MS = MINUTE_MS;

export type ReviewStep = { next: "stop" } | { next: "later"; delayMs: number };
type Check = typeof governanceChecks.$inferSelect;
type Claimed = { check: Check; question: Question | null };

/** One round for one order: asks every agent whose answer is due, outside any transaction, and moves the order on once all have answered. */
export async function runReview(governing: Governing, input: { tenantId: string; reviewId: string }): Promise<ReviewStep> {
  const claimed = await inTenant(governing, input.tenantId, (ctx) => claimDue(ctx, input.reviewId));
  await Promise.all(claimed.map(async ({ check, question }) => {
    const outcome = question === null ? new NoAnswer("The account does not name this governance agent any more.", true) : await ask(governing, question);
    await inTenant(governing, input.tenantId, (ctx) => (outcome instanceof NoAnswer ? noteNoAnswer(ctx, check, outcome) : noteAnswer(ctx, check, outcome)));
  }));
  await inTenant(governing, input.tenantId, (ctx) => settleReview(ctx, input.reviewId));
  return inTenant(governing, input.tenantId, (ctx) => nextStep(ctx, input.reviewId));
}

async function ask({ resolve, now, log }: Governing, question: Question): Promise<Answer | NoAnswer> {
  try {
    return await askGovernance(resolve, question, now());
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    log.warn("A governance agent gave no decision.", { host: new URL(question.url).host, error: error.message });
    return error;
  }
}

const ofReview = (ctx: Ctx, reviewId: string) => and(eq(governanceChecks.tenantId, ctx.tenantId), eq(governanceChecks.reviewId, reviewId));

async function claimDue(ctx: Ctx, reviewId: string): Promise<Claimed[]> {
  const [review] = await ctx.db.select().from(governanceReviews).where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.id, reviewId), eq(governanceReviews.state, "asking")));
  if (!review) return [];
  const checks = await ctx.db.update(governanceChecks)
    .set({ attempts: sql`${governanceChecks.attempts} + 1`, nextAttemptAt: addMs(ctx.now, CLAIM_MS), updatedAt: ctx.now })
    .where(and(ofReview(ctx, reviewId), eq(governanceChecks.state, "pending"), lte(governanceChecks.nextAttemptAt, ctx.now))).returning();
  if (checks.length === 0) return [];
  const agents = await ctx.db.select().from(governanceAgents).where(and(eq(governanceAgents.tenantId, ctx.tenantId), inArray(governanceAgents.id, checks.map(({ agentId }) => agentId))));
  const delivery = await loadPlannedDelivery(ctx, review.mediaBuyId);
  const own = review.contextEncrypted === null ? undefined : decryptSecret(review.contextEncrypted, reviewSecrets(ctx.tenantId, review.id));
  return checks.map((check) => {
    const agent = agents.find(({ id }) => id === check.agentId);
    if (!agent || agent.archivedAt !== null) return { check, question: null };
    const token = check.contextEncrypted === null ? own : decryptSecret(check.contextEncrypted, checkSecrets(ctx.tenantId, check.id));
    return { check, question: {
      url: agent.url,
      authentication: { scheme: agent.authScheme, credentials: decryptSecret(agent.credentialsEncrypted, agentSecrets(ctx.tenantId, agent.id)) },
      // planned_delivery, and neither tool nor payload, makes it the seller's check of a commitment.
      request: { plan_id: review.planId, caller: `${env().publicUrl}/mcp`, purchase_type: "media_buy", phase: "purchase", planned_delivery: delivery, ...(token === undefined ? {} : { governance_context: token }) },
    } };
  });
}

const its = (ctx: Ctx, check: Check) => and(eq(governanceChecks.tenantId, ctx.tenantId), eq(governanceChecks.id, check.id), eq(governanceChecks.state, "pending"), eq(governanceChecks.attempts, check.attempts));

async function noteAnswer(ctx: Ctx, check: Check, answer: Answer): Promise<void> {
  await ctx.db.update(governanceChecks).set({
    state: answer.status, checkId: answer.check_id, explanation: answer.explanation, findings: answer.findings, conditions: answer.conditions, expiresAt: answer.expires_at ?? null, code: null, lastError: null, answeredAt: ctx.now, updatedAt: ctx.now,
    ...(answer.governance_context === undefined ? {} : { contextEncrypted: encryptSecret(answer.governance_context, checkSecrets(ctx.tenantId, check.id)) }),
  }).where(its(ctx, check));
}

async function noteNoAnswer(ctx: Ctx, check: Check, { message, isFinal, code }: NoAnswer): Promise<void> {
  const delayMs = isFinal ? undefined : RETRY_DELAYS_MS[check.attempts - 1];
  const end = isFinal && code !== undefined ? { state: "denied", explanation: message } as const : { state: "unanswered" } as const;
  const set = delayMs === undefined ? end : { nextAttemptAt: addMs(ctx.now, delayMs) };
  await ctx.db.update(governanceChecks).set({ ...set, code: code ?? null, lastError: message, updatedAt: ctx.now }).where(its(ctx, check));
}

async function nextStep(ctx: Ctx, reviewId: string): Promise<ReviewStep> {
  const [row] = await ctx.db.select({ nextAttemptAt: governanceChecks.nextAttemptAt }).from(governanceChecks)
    .innerJoin(governanceReviews, and(eq(governanceReviews.tenantId, governanceChecks.tenantId), eq(governanceReviews.id, governanceChecks.reviewId), eq(governanceReviews.state, "asking")))
    .where(and(ofReview(ctx, reviewId), eq(governanceChecks.state, "pending"))).orderBy(asc(governanceChecks.nextAttemptAt)).limit(1);
  return row ? { next: "later", delayMs: Math.max(SECOND_MS, row.nextAttemptAt.getTime() - ctx.now.getTime()) } : { next: "stop" };
}
