import { and, eq, inArray } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { parsePublicKeys } from "./jwk";
import { buyerSigningKeys } from "./schema";
import { lockPrincipal } from "./service";

/**
 * Registers the public keys with which a buyer signs its requests, from a pasted JWK or JWK set. Throws VALIDATION_ERROR (in words, with
 * field `keys`), REFERENCE_NOT_FOUND. A key that this buyer has already is left as it is.
 */
export async function registerSigningKeys(ctx: Ctx, input: { principalId: string; keys: string }): Promise<{ registered: string[] }> {
  requirePermission(ctx.actor, "buyer.edit");
  const principal = await lockPrincipal(ctx, input.principalId);
  const keys = parsePublicKeys(input.keys);
  if (typeof keys === "string") throw new AppError("VALIDATION_ERROR", keys, { field: "keys" });
  const known = await ctx.db.select().from(buyerSigningKeys).where(and(eq(buyerSigningKeys.tenantId, ctx.tenantId), inArray(buyerSigningKeys.kid, keys.map(({ kid }) => kid))));
  const wanted = keys.filter((key) => {
    const same = known.find(({ kid }) => kid === key.kid);
    if (!same) return true;
    if (same.principalId === principal.id && !same.revokedAt && same.publicJwk.x === key.x && same.publicJwk.y === key.y) return false;
    throw new AppError("VALIDATION_ERROR", same.revokedAt ? `The key id ${key.kid} belongs to a revoked key. The buyer must choose another.` : `The key id ${key.kid} is taken. The buyer must choose another.`, { field: "keys" });
  });
  if (wanted.length === 0) return { registered: [] };
  const rows = wanted.map((key) => ({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), principalId: principal.id, kid: key.kid, publicJwk: key, createdAt: ctx.now }));
  const inserted = await ctx.db.insert(buyerSigningKeys).values(rows).onConflictDoNothing().returning({ kid: buyerSigningKeys.kid });
  if (inserted.length !== rows.length) throw new AppError("CONFLICT", "Somebody else is registering a key with this id. Try again.");
  const registered = wanted.map(({ kid }) => kid);
  await recordAudit(ctx, {
    action: "signing_key.registered", objectKind: "buyer", objectId: principal.id,
    summary: `Registered ${registered.length === 1 ? "signing key" : "signing keys"} ${registered.join(", ")} of buyer “${principal.name}”`, after: { kids: registered },
  });
  announceChange(ctx, "buyer", principal.id);
  return { registered };
}

/** Ends a key for ever: what it signs is refused from now on, with a token or without. One that was revoked already stays so. Throws REFERENCE_NOT_FOUND. */
export async function revokeSigningKey(ctx: Ctx, input: { keyId: string }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const own = and(eq(buyerSigningKeys.tenantId, ctx.tenantId), eq(buyerSigningKeys.id, input.keyId));
  const [key] = isUuid(input.keyId) ? await ctx.db.select().from(buyerSigningKeys).where(own).for("update") : [];
  if (!key) throw new AppError("REFERENCE_NOT_FOUND", "This key does not exist.");
  if (key.revokedAt) return;
  await ctx.db.update(buyerSigningKeys).set({ revokedAt: ctx.now }).where(own);
  await recordAudit(ctx, { action: "signing_key.revoked", objectKind: "buyer", objectId: key.principalId, summary: `Revoked signing key ${key.kid}` });
  announceChange(ctx, "buyer", key.principalId);
}
