import { and, eq } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { tellAccountReceiver } from "./receiver";
import { type ACCOUNT_STATUSES, accounts } from "./schema";

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

/** The publisher's word on an account; its buyer is told. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND, CONFLICT when it cannot become that (any more). */
export async function decideAccount(ctx: Ctx, input: { accountId: string; status: AccountStatus }): Promise<void> {
  requirePermission(ctx.actor, "account.decide");
  const its = and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, input.accountId));
  const [account] = isUuid(input.accountId) ? await ctx.db.select().from(accounts).where(its).for("update") : [];
  if (!account || account.archivedAt !== null) throw new AppError("REFERENCE_NOT_FOUND", "This account does not exist.");
  if (!accountDecisions(account.status).includes(input.status)) throw new AppError("CONFLICT", `This account is ${account.status.replaceAll("_", " ")}: it cannot become ${input.status.replaceAll("_", " ")}.`, { suggestion: "Reload to see where it stands." });
  await ctx.db.update(accounts).set({ status: input.status, updatedAt: ctx.now }).where(its);
  await recordAudit(ctx, { action: "account.decided", objectKind: "account", objectId: account.id, summary: `The account ${account.name} is ${input.status.replaceAll("_", " ")}.`, before: { status: account.status }, after: { status: input.status } });
  await tellAccountReceiver(ctx, { ...account, status: input.status });
}
