import { and, asc, eq, inArray, isNotNull, notInArray, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { requestConvergence } from "../fulfilment/request";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { creativeAssignments } from "./schema";

const ENDED = ["completed", "rejected", "canceled"] as const;

/**
 * Held to the end of the transaction by everybody who changes an account's creatives, or confirms or changes what serves them: otherwise a
 * creative that changes while an order is being confirmed reaches no ad server. It comes before any media buy's lock.
 */
export async function lockLibrary(ctx: Ctx, accountId: string): Promise<void> {
  await ctx.db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${accountId}, 0))`);
}

/**
 * The confirmed media buys that run these creatives and have not ended, locked in the order of their ids: a media buy's lock comes before
 * its fulfilments', and everybody who takes several takes them in this order.
 */
export async function lockServingMediaBuys(ctx: Ctx, creativeIds: string[]): Promise<string[]> {
  if (creativeIds.length === 0) return [];
  const serving = ctx.db.selectDistinct({ id: mediaPackages.mediaBuyId }).from(creativeAssignments)
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
    .where(and(eq(creativeAssignments.tenantId, ctx.tenantId), inArray(creativeAssignments.creativeId, creativeIds)));
  return lockMediaBuys(ctx, inArray(mediaBuys.id, serving));
}

export async function lockMediaBuysById(ctx: Ctx, ids: string[]): Promise<string[]> {
  return ids.length === 0 ? [] : lockMediaBuys(ctx, inArray(mediaBuys.id, ids));
}

async function lockMediaBuys(ctx: Ctx, which: ReturnType<typeof inArray>): Promise<string[]> {
  const rows = await ctx.db.select({ id: mediaBuys.id }).from(mediaBuys)
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), which, isNotNull(mediaBuys.confirmedAt), notInArray(mediaBuys.status, [...ENDED])))
    .orderBy(asc(mediaBuys.id)).for("update");
  return rows.map(({ id }) => id);
}

/** Tells every ad server that holds these media buys to reflect them anew. */
export async function reconverge(ctx: Ctx, mediaBuyIds: string[]): Promise<void> {
  for (const id of mediaBuyIds) await requestConvergence(ctx, id);
}
