import { and, eq, isNull } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { addMs } from "../time";
import { overlapMs, type RotationInput, type TokenInput, tokenInput } from "./input";
import { principals, principalTokens } from "./schema";
import { lockPrincipal, type PrincipalRow } from "./service";
import { createToken } from "./tokens";

export type IssuedToken = {
  tokenId: string;
  /** The token itself: shown once, stored nowhere. */
  token: string;
  prefix: string;
  expiresAt: Date | null;
};

type TokenRow = typeof principalTokens.$inferSelect;

/** A new bearer token of a buyer. Throws REFERENCE_NOT_FOUND, VALIDATION_ERROR. */
export async function issueToken(ctx: Ctx, input: TokenInput): Promise<IssuedToken> {
  requirePermission(ctx.actor, "buyer.edit");
  const parsed = tokenInput.safeParse(input);
  if (!parsed.success) throw new AppError("VALIDATION_ERROR", parsed.error.issues[0]?.message ?? "The token is not valid.", { field: parsed.error.issues[0]?.path.join(".") });
  const principal = await lockPrincipal(ctx, input.principalId);
  const issued = await insertToken(ctx, principal, parsed.data);
  await recordAudit(ctx, {
    action: "token.issued", objectKind: "buyer", objectId: principal.id,
    summary: `Issued token ${issued.prefix}… of buyer “${principal.name}”`, after: { prefix: issued.prefix, name: parsed.data.name, scopes: parsed.data.scopes, expiresAt: issued.expiresAt?.toISOString() ?? null },
  });
  announceChange(ctx, "buyer", principal.id);
  return issued;
}

/**
 * A new token with the same name and scopes; the old one works `overlapHours` longer, but never longer than it would have. Throws
 * REFERENCE_NOT_FOUND, VALIDATION_ERROR, INVALID_STATE when the token works no more or was rotated already.
 */
export async function rotateToken(ctx: Ctx, input: RotationInput): Promise<IssuedToken & { oldWorksUntil: Date }> {
  requirePermission(ctx.actor, "buyer.edit");
  const { token, principal } = await lockToken(ctx, input.tokenId);
  if (token.revokedAt || (token.expiresAt && token.expiresAt <= ctx.now)) throw new AppError("INVALID_STATE", "This token no longer works. Issue a new one.");
  if (token.replacedById) throw new AppError("INVALID_STATE", "This token was rotated already. Rotate the one that replaced it.");
  const overlapEnd = addMs(ctx.now, overlapMs(input.overlapHours));
  const oldWorksUntil = token.expiresAt && token.expiresAt < overlapEnd ? token.expiresAt : overlapEnd;
  const issued = await insertToken(ctx, principal, { name: token.name, scopes: token.scopes, expiresAt: input.expiresAt });
  await ctx.db.update(principalTokens).set({ replacedById: issued.tokenId, expiresAt: oldWorksUntil }).where(ownToken(ctx, token.id));
  await recordAudit(ctx, {
    action: "token.rotated", objectKind: "buyer", objectId: principal.id,
    summary: `Rotated token ${token.prefix}… of buyer “${principal.name}” to ${issued.prefix}…; the old one works until ${oldWorksUntil.toISOString()}`,
    before: { prefix: token.prefix, expiresAt: token.expiresAt?.toISOString() ?? null },
    after: { prefix: issued.prefix, expiresAt: issued.expiresAt?.toISOString() ?? null, oldWorksUntil: oldWorksUntil.toISOString() },
  });
  announceChange(ctx, "buyer", principal.id);
  return { ...issued, oldWorksUntil };
}

/** Ends a token at once and for ever. One that was revoked already stays as it is. Throws REFERENCE_NOT_FOUND. */
export async function revokeToken(ctx: Ctx, input: { tokenId: string }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const { token, principal } = await lockToken(ctx, input.tokenId);
  if (token.revokedAt) return;
  await ctx.db.update(principalTokens).set({ revokedAt: ctx.now }).where(ownToken(ctx, token.id));
  await recordAudit(ctx, { action: "token.revoked", objectKind: "buyer", objectId: principal.id, summary: `Revoked token ${token.prefix}… of buyer “${principal.name}”`, before: { prefix: token.prefix, name: token.name } });
  announceChange(ctx, "buyer", principal.id);
}

async function insertToken(ctx: Ctx, principal: PrincipalRow, { name, scopes, expiresAt }: { name: string; scopes: string[]; expiresAt: Date | null }): Promise<IssuedToken> {
  if (expiresAt && expiresAt <= ctx.now) throw new AppError("VALIDATION_ERROR", "The token would have expired already.", { field: "expiresAt" });
  const { token, tokenHash, prefix } = createToken();
  const tokenId = newId(ctx.now.getTime());
  await ctx.db.insert(principalTokens).values({ tenantId: ctx.tenantId, id: tokenId, principalId: principal.id, name, scopes, expiresAt, tokenHash, prefix, createdAt: ctx.now });
  return { tokenId, token, prefix, expiresAt };
}

async function lockToken(ctx: Ctx, tokenId: string): Promise<{ token: TokenRow; principal: PrincipalRow }> {
  const [found] = isUuid(tokenId)
    ? await ctx.db.select({ token: principalTokens, principal: principals }).from(principalTokens)
      .innerJoin(principals, and(eq(principals.tenantId, principalTokens.tenantId), eq(principals.id, principalTokens.principalId), isNull(principals.archivedAt)))
      .where(ownToken(ctx, tokenId)).for("update")
    : [];
  if (!found) throw new AppError("REFERENCE_NOT_FOUND", "This token does not exist.");
  return found;
}

function ownToken(ctx: Ctx, id: string) {
  return and(eq(principalTokens.tenantId, ctx.tenantId), eq(principalTokens.id, id));
}
