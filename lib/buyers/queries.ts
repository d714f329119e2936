import { and, asc, count, desc, eq, gt, ilike, inArray, isNotNull, isNull, max, or, sql } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { buyerSigningKeys, principals, principalTokens } from "./schema";

const SORT_COLUMNS = { name: sql`lower(${principals.name})`, created: principals.createdAt };

export type PrincipalListInput = PageQuery & { search: string; state: "active" | "archived"; sort: keyof typeof SORT_COLUMNS; direction: "asc" | "desc" };
export type PrincipalListRow = Awaited<ReturnType<typeof listPrincipals>>["rows"][number];

/** The publisher's buyers with how many tokens, keys and accounts they have, and when they last called. */
export async function listPrincipals(ctx: Ctx, input: PrincipalListInput) {
  requirePermission(ctx.actor, "buyer.read");
  const matches = and(eq(principals.tenantId, ctx.tenantId), input.search === "" ? undefined : ilike(principals.name, containsPattern(input.search)));
  const where = and(matches, input.state === "archived" ? isNotNull(principals.archivedAt) : isNull(principals.archivedAt));
  const order = input.direction === "desc" ? desc : asc;
  const { limit, offset } = pageWindow(input);
  const [found, [counted]] = await Promise.all([
    ctx.db.select().from(principals).where(where).orderBy(order(SORT_COLUMNS[input.sort]), order(principals.id)).limit(limit).offset(offset),
    ctx.db.select({ all: count(), archived: count(principals.archivedAt) }).from(principals).where(matches),
  ]);
  const ids = found.map(({ id }) => id);
  const [tokens, keys, owned] = ids.length === 0 ? [[], [], []] : await Promise.all([
    ctx.db.select({ principalId: principalTokens.principalId, lastUsedAt: max(principalTokens.lastUsedAt), working: sql<number>`count(*) filter (where ${working(ctx)})::int` })
      .from(principalTokens).where(and(eq(principalTokens.tenantId, ctx.tenantId), inArray(principalTokens.principalId, ids))).groupBy(principalTokens.principalId),
    ctx.db.select({ principalId: buyerSigningKeys.principalId, count: count() }).from(buyerSigningKeys)
      .where(and(eq(buyerSigningKeys.tenantId, ctx.tenantId), inArray(buyerSigningKeys.principalId, ids), isNull(buyerSigningKeys.revokedAt))).groupBy(buyerSigningKeys.principalId),
    ctx.db.select({ principalId: accounts.principalId, count: count() }).from(accounts)
      .where(and(eq(accounts.tenantId, ctx.tenantId), inArray(accounts.principalId, ids))).groupBy(accounts.principalId),
  ]);
  const rows = found.map(({ id, name, isSandbox, createdAt, archivedAt }) => {
    const used = tokens.find(({ principalId }) => principalId === id);
    return {
      id, name, isSandbox, createdAt, archivedAt,
      workingTokenCount: used?.working ?? 0,
      lastUsedAt: used?.lastUsedAt ?? null,
      signingKeyCount: keys.find(({ principalId }) => principalId === id)?.count ?? 0,
      accountCount: owned.find(({ principalId }) => principalId === id)?.count ?? 0,
    };
  });
  const { all, archived } = counted ?? { all: 0, archived: 0 };
  const counts = { active: all - archived, archived };
  return { rows, total: counts[input.state], counts };
}

export type PrincipalView = Awaited<ReturnType<typeof loadPrincipal>>;
export type TokenState = "working" | "replaced" | "expired" | "revoked";

/** A buyer with its tokens (never the tokens themselves) and signing keys, newest first. Throws REFERENCE_NOT_FOUND. */
export async function loadPrincipal(ctx: Ctx, id: string) {
  requirePermission(ctx.actor, "buyer.read");
  const [principal] = isUuid(id) ? await ctx.db.select().from(principals).where(and(eq(principals.tenantId, ctx.tenantId), eq(principals.id, id))) : [];
  if (!principal) throw new AppError("REFERENCE_NOT_FOUND", "This buyer does not exist.");
  const [tokens, keys] = await Promise.all([
    ctx.db.select({
      id: principalTokens.id, name: principalTokens.name, prefix: principalTokens.prefix, scopes: principalTokens.scopes, createdAt: principalTokens.createdAt,
      expiresAt: principalTokens.expiresAt, revokedAt: principalTokens.revokedAt, lastUsedAt: principalTokens.lastUsedAt, replacedById: principalTokens.replacedById,
    }).from(principalTokens).where(and(eq(principalTokens.tenantId, ctx.tenantId), eq(principalTokens.principalId, id))).orderBy(desc(principalTokens.createdAt), desc(principalTokens.id)),
    ctx.db.select({ id: buyerSigningKeys.id, kid: buyerSigningKeys.kid, algorithm: sql<string>`${buyerSigningKeys.publicJwk}->>'alg'`, createdAt: buyerSigningKeys.createdAt, lastUsedAt: buyerSigningKeys.lastUsedAt, revokedAt: buyerSigningKeys.revokedAt })
      .from(buyerSigningKeys).where(and(eq(buyerSigningKeys.tenantId, ctx.tenantId), eq(buyerSigningKeys.principalId, id))).orderBy(desc(buyerSigningKeys.createdAt), desc(buyerSigningKeys.id)),
  ]);
  const { name, isSandbox, isSigningRequired, arePricesHidden, rateLimits, createdAt, archivedAt } = principal;
  return { id, name, isSandbox, isSigningRequired, arePricesHidden, rateLimits, createdAt, archivedAt, tokens: tokens.map((token) => ({ ...token, state: tokenState(token, ctx.now) })), keys };
}

function tokenState({ revokedAt, expiresAt, replacedById }: { revokedAt: Date | null; expiresAt: Date | null; replacedById: string | null }, now: Date): TokenState {
  if (revokedAt) return "revoked";
  if (expiresAt && expiresAt <= now) return "expired";
  return replacedById ? "replaced" : "working";
}

function working(ctx: Ctx) {
  return and(isNull(principalTokens.revokedAt), or(isNull(principalTokens.expiresAt), gt(principalTokens.expiresAt, ctx.now)));
}
