import { and, asc, desc, eq } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { SECOND_MS } from "../time";
import { versionOf } from "../version-of";
import { defaultPerSecond, RATE_CLASSES, type RateClass, rateLimit } from "./rate-limits";
import { buyerSigningKeys, principals, principalTokens, rateBuckets } from "./schema";

export type RateUsage = Awaited<ReturnType<typeof loadRateUsage>>;

/**
 * How fast a buyer may call, and how much of it is used: per token (or signing key) and tool, with what was taken and refused since
 * `countedSince`. `version` names the limits for setRateLimits. Processes take calls in blocks ahead, so that `taken` may run ahead of the calls by one block each. Throws REFERENCE_NOT_FOUND.
 */
export async function loadRateUsage(ctx: Ctx, principalId: string) {
  requirePermission(ctx.actor, "buyer.read");
  const [principal] = isUuid(principalId) ? await ctx.db.select({ rateLimits: principals.rateLimits }).from(principals).where(and(eq(principals.tenantId, ctx.tenantId), eq(principals.id, principalId))) : [];
  if (!principal) throw new AppError("REFERENCE_NOT_FOUND", "This buyer does not exist.");
  const classes: RateClass[] = ["read", "write"];
  const limits = classes.map((rateClass) => ({
    rateClass, label: RATE_CLASSES[rateClass], ...rateLimit(rateClass, principal.rateLimits), defaultPerSecond: defaultPerSecond(rateClass), isOverridden: principal.rateLimits[rateClass] !== undefined,
  }));
  const buckets = await ctx.db.select({ bucket: rateBuckets, prefix: principalTokens.prefix, kid: buyerSigningKeys.kid }).from(rateBuckets)
    .leftJoin(principalTokens, and(eq(principalTokens.tenantId, rateBuckets.tenantId), eq(principalTokens.id, rateBuckets.subjectId)))
    .leftJoin(buyerSigningKeys, and(eq(buyerSigningKeys.tenantId, rateBuckets.tenantId), eq(buyerSigningKeys.id, rateBuckets.subjectId)))
    .where(and(eq(rateBuckets.tenantId, ctx.tenantId), eq(rateBuckets.principalId, principalId))).orderBy(desc(rateBuckets.refilledAt), asc(rateBuckets.tool)).limit(100);
  const usage = buckets.map(({ bucket, prefix, kid }) => ({
    credential: prefix ?? kid ?? "", isSigningKey: kid !== null, tool: bucket.tool, perSecond: bucket.perSecond, burst: bucket.burst,
    available: Math.floor(Math.min(bucket.burst, bucket.available + Math.max(0, (ctx.now.getTime() - bucket.refilledAt.getTime()) / SECOND_MS) * bucket.perSecond)),
    taken: bucket.taken, refused: bucket.refused, countedSince: bucket.countedSince, lastTakenAt: bucket.refilledAt,
  }));
  return { limits, usage, version: versionOf(principal.rateLimits) };
}
