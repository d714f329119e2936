import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { announceChange } from "../live";
import { changedSinceOpened } from "../version-of";
import { tellAccountReceiver } from "./receiver";
import { ACCOUNT_STATUSES, accounts } from "./schema";

type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** What the publisher may make of an account. What it rejected or closed stays so. */
const DECISIONS: Record<AccountStatus, readonly AccountStatus[]> = {
  pending_approval: ["active", "rejected"],
  active: ["suspended", "payment_required", "closed"],
  payment_required: ["active", "suspended", "closed"],
  suspended: ["active", "closed"],
  rejected: [],
  closed: [],
};

/** The statuses that staff may choose for an account now. */
export function accountDecisions(status: AccountStatus): readonly AccountStatus[] {
  return DECISIONS[status];
}

export const accountDecisionInput = z.strictObject({
  accountId: z.uuid(),
  /** As it stood when the decision was begun. */
  seen: z.enum(ACCOUNT_STATUSES),
  status: z.enum(ACCOUNT_STATUSES, "Choose a status."),
  /** Read by the buyer. */
  reason: z.string().trim().min(1, "Say why: the buyer reads it.").max(500, "Use at most 500 characters."),
});

/**
 * The publisher's word on an account, with its reason; its buyer is told both. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND, CONFLICT when somebody
 * else has decided since, or when it cannot become that.
 */
export async function decideAccount(ctx: Ctx, input: z.infer<typeof accountDecisionInput>): Promise<void> {
  requirePermission(ctx.actor, "account.decide");
  const its = and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, input.accountId));
  const [account] = isUuid(input.accountId) ? await ctx.db.select().from(accounts).where(its).for("update") : [];
  if (!account || account.archivedAt !== null) throw new AppError("REFERENCE_NOT_FOUND", "This account does not exist.");
  if (account.status !== input.seen) throw changedSinceOpened("The account's status");
  if (!accountDecisions(account.status).includes(input.status)) throw new AppError("CONFLICT", `This account is ${account.status.replaceAll("_", " ")}: it cannot become ${input.status.replaceAll("_", " ")}.`, { suggestion: "Reload to see where it stands." });
  const decided = { status: input.status, statusReason: input.reason };
  await ctx.db.update(accounts).set({ ...decided, updatedAt: ctx.now }).where(its);
  await recordAudit(ctx, {
    action: "account.decided", objectKind: "account", objectId: account.id, summary: `The account ${account.name} is ${input.status.replaceAll("_", " ")}: ${input.reason}`,
    before: { status: account.status, reason: account.statusReason }, after: { status: input.status, reason: input.reason },
  });
  await tellAccountReceiver(ctx, { ...account, ...decided });
  announceChange(ctx, "buyer", account.principalId);
}
