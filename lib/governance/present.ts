import { and, asc, eq, ne } from "drizzle-orm";
import { type Ctx } from "../context";
import { decryptSecret } from "../crypto";
import { governanceAgents, governanceChecks, governanceReviews } from "./schema";

export type CheckRow = typeof governanceChecks.$inferSelect;
export type AgentAnswer = { check: CheckRow; url: string };
export type GovernanceState = { review: typeof governanceReviews.$inferSelect; answers: AgentAnswer[] };

export const checkSecrets = (tenantId: string, checkId: string) => `governance_checks:${tenantId}:${checkId}`;

/** Where an order stands with its governance agents; null: it needs none. */
export async function loadGovernance(ctx: Ctx, mediaBuyId: string): Promise<GovernanceState | null> {
  const [review] = await ctx.db.select().from(governanceReviews).where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.mediaBuyId, mediaBuyId)));
  return review ? { review, answers: await loadAnswers(ctx, review.id) } : null;
}

/** In the order in which the account names its agents; those that it no longer names, and that never answered, are left out. */
export async function loadAnswers(ctx: Ctx, reviewId: string): Promise<AgentAnswer[]> {
  return ctx.db.select({ check: governanceChecks, url: governanceAgents.url }).from(governanceChecks)
    .innerJoin(governanceAgents, and(eq(governanceAgents.tenantId, governanceChecks.tenantId), eq(governanceAgents.id, governanceChecks.agentId)))
    .where(and(eq(governanceChecks.tenantId, ctx.tenantId), eq(governanceChecks.reviewId, reviewId), ne(governanceChecks.state, "withdrawn"))).orderBy(asc(governanceAgents.position), asc(governanceChecks.id));
}

/** What the result of a governed order says besides: the agent's token, and in `ext.governance` what the agents said. Empty without agents. */
export async function presentGovernance(ctx: Ctx, mediaBuyId: string): Promise<Record<string, unknown>> {
  const state = await loadGovernance(ctx, mediaBuyId);
  if (!state) return {};
  const sealed = state.answers.map(({ check }) => check).find((check) => check.contextEncrypted !== null);
  return {
    ...(sealed?.contextEncrypted ? { governance_context: decryptSecret(sealed.contextEncrypted, checkSecrets(ctx.tenantId, sealed.id)) } : {}),
    ext: { governance: { plan_id: state.review.planId, checks: state.answers.map(presentAnswer) } },
  };
}

/** An agent's answer as the buyer reads it, its findings and conditions unchanged. */
export function presentAnswer({ check, url }: AgentAnswer): Record<string, unknown> {
  return {
    agent_url: url, status: check.state,
    ...(check.checkId === null ? {} : { check_id: check.checkId }),
    ...(check.explanation === null ? {} : { explanation: check.explanation }),
    ...(check.findings.length > 0 ? { findings: check.findings } : {}),
    ...(check.conditions.length > 0 ? { conditions: check.conditions } : {}),
    ...(check.expiresAt === null ? {} : { expires_at: check.expiresAt.toISOString() }),
  };
}
