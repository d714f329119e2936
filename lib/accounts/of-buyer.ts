import { and, asc, eq, isNull } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { accounts } from "./schema";

const ACCOUNTS_MAX = 200;

export type BuyerAccount = Awaited<ReturnType<typeof listAccountsOfBuyer>>[number];

/** A buyer's accounts as staff see them, by name, at most two hundred. */
export async function listAccountsOfBuyer(ctx: Ctx, principalId: string) {
  requirePermission(ctx.actor, "account.read");
  return ctx.db.select({
    id: accounts.id, name: accounts.name, brandDomain: accounts.brandDomain, operator: accounts.operator, status: accounts.status, statusReason: accounts.statusReason, isSandbox: accounts.isSandbox, isGoverned: accounts.isGoverned,
    billing: accounts.billing, createdAt: accounts.createdAt, updatedAt: accounts.updatedAt,
  }).from(accounts).where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.principalId, principalId), isNull(accounts.archivedAt))).orderBy(asc(accounts.name), asc(accounts.id)).limit(ACCOUNTS_MAX);
}
