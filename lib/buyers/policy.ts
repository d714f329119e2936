import { and, eq, isNull } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { announceChange } from "../live";
import { assertUnchanged, versionOf } from "../version-of";
import { rateOverrides } from "./rate-limits";
import { buyerSigningKeys, principals } from "./schema";
import { lockPrincipal } from "./service";

/** Sets how fast a buyer may call, per token and tool; null: the default. Takes effect with the next block of calls. Throws VALIDATION_ERROR, REFERENCE_NOT_FOUND, CONFLICT when they were set by somebody else since `version`. */
export async function setRateLimits(ctx: Ctx, input: { principalId: string; version: string; readPerSecond: number | null; writePerSecond: number | null }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const principal = await lockPrincipal(ctx, input.principalId);
  assertUnchanged("The limits", input.version, versionOf(principal.rateLimits));
  const parsed = rateOverrides.safeParse({ ...(input.readPerSecond === null ? {} : { read: input.readPerSecond }), ...(input.writePerSecond === null ? {} : { write: input.writePerSecond }) });
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path[0] === "write" ? "writePerSecond" : "readPerSecond";
    throw new AppError("VALIDATION_ERROR", "Enter between 0.1 and 100000 calls per second.", { field });
  }
  await ctx.db.update(principals).set({ rateLimits: parsed.data }).where(own(ctx, principal.id));
  await recordAudit(ctx, { action: "buyer.rate_limits", objectKind: "buyer", objectId: principal.id, summary: `Changed how fast buyer “${principal.name}” may call`, before: principal.rateLimits, after: parsed.data });
  announceChange(ctx, "buyer", principal.id);
}

/** Whether changes of this buyer must be signed. Throws INVALID_STATE when it has no key to sign with, REFERENCE_NOT_FOUND. */
export async function setSigningRequired(ctx: Ctx, input: { principalId: string; isRequired: boolean }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const principal = await lockPrincipal(ctx, input.principalId);
  if (principal.isSigningRequired === input.isRequired) return;
  const keys = await ctx.db.$count(buyerSigningKeys, and(eq(buyerSigningKeys.tenantId, ctx.tenantId), eq(buyerSigningKeys.principalId, principal.id), isNull(buyerSigningKeys.revokedAt)));
  if (input.isRequired && keys === 0) throw new AppError("INVALID_STATE", "This buyer has no signing key yet. Register one first, or it could change nothing any more.");
  await ctx.db.update(principals).set({ isSigningRequired: input.isRequired }).where(own(ctx, principal.id));
  await recordAudit(ctx, {
    action: "buyer.signing_required", objectKind: "buyer", objectId: principal.id,
    summary: input.isRequired ? `Changes of buyer “${principal.name}” must be signed` : `Changes of buyer “${principal.name}” need not be signed`, before: { isSigningRequired: principal.isSigningRequired }, after: { isSigningRequired: input.isRequired },
  });
  announceChange(ctx, "buyer", principal.id);
}

function own(ctx: Ctx, id: string) {
  return and(eq(principals.tenantId, ctx.tenantId), eq(principals.id, id));
}
