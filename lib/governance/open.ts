import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { AppError } from "../errors";
import { newId } from "../ids";
import { type AgentRow, loadAgents } from "./agents";
import { requestChecks } from "./request";
import { governanceChecks, governanceReviews } from "./schema";

export const reviewSecrets = (tenantId: string, reviewId: string) => `governance_reviews:${tenantId}:${reviewId}`;

const governedRequest = z.looseObject({ plan_id: z.string().min(1).max(255).optional(), governance_context: z.string().min(1).max(4_096).regex(/^[\x20-\x7E]+$/).optional() });

/** What an order must pass before it is accepted. */
export type Governance = { planId: string; contextToken: string | null; agents: AgentRow[] };

/**
 * Which agents an order needs the agreement of; null: none. A check is of a plan, so an order that spends money must name one. A sandbox
 * order spends none: without a plan there is nothing to authorise.
 */
export async function findGovernance(ctx: Ctx, account: AccountRow, request: Record<string, unknown>): Promise<Governance | null> {
  if (!account.isGoverned) return null;
  const parsed = governedRequest.safeParse(request);
  if (!parsed.success) throw new AppError("VALIDATION_ERROR", "The plan, or the governance token, is not readable.", { field: parsed.error.issues[0]?.path.join(".") });
  const { plan_id: planId, governance_context: contextToken } = parsed.data;
  if (planId === undefined && account.isSandbox) return null;
  if (planId === undefined) throw new AppError("VALIDATION_ERROR", "This account has governance agents: its orders name the plan they belong to.", { field: "plan_id", suggestion: "Send the plan_id that the governance agent knows." });
  return { planId, contextToken: contextToken ?? null, agents: await loadAgents(ctx, [account.id]) };
}

/** Notes what the order waits for, and wakes whoever asks the agents. In the transaction that stores the order. */
export async function openReview(ctx: Ctx, input: { mediaBuyId: string; taskId: string; isReviewRequired: boolean; governance: Governance }): Promise<void> {
  const { planId, contextToken, agents } = input.governance;
  const { tenantId, now } = ctx;
  const id = newId(now.getTime());
  await ctx.db.insert(governanceReviews).values({
    tenantId, id, mediaBuyId: input.mediaBuyId, taskId: input.taskId, planId, isReviewRequired: input.isReviewRequired,
    contextEncrypted: contextToken === null ? null : encryptSecret(contextToken, reviewSecrets(tenantId, id)), createdAt: now, updatedAt: now,
  });
  await ctx.db.insert(governanceChecks).values(agents.map(({ id: agentId }) => ({ tenantId, id: newId(now.getTime()), reviewId: id, agentId, nextAttemptAt: now, createdAt: now, updatedAt: now })));
  await requestChecks(ctx, id, "first");
}
