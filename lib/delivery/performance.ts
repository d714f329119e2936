import { and, avg, count, eq, gte, isNull, or, sql } from "drizzle-orm";
import { type Tx } from "../db/client";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { performanceFeedback } from "./schema";

/** Fewer say nothing of a product, and too much of one of them. */
const BUYERS_MIN = 3;
const WITHIN_DAYS = 180;

/** products.id → mean performance index of campaigns on it, each buyer counted once: 1 is as expected. What sandbox buyers say counts nothing. Products that few spoke of are left out. */
export async function loadProductPerformance(tx: Tx, tenantId: string): Promise<Map<string, number>> {
  const byBuyer = tx.select({ productId: mediaPackages.productId, mean: sql<number>`avg(least(${performanceFeedback.performanceIndex}, 10))`.as("mean") }).from(performanceFeedback)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, performanceFeedback.tenantId), eq(mediaBuys.id, performanceFeedback.mediaBuyId), eq(mediaBuys.isSandbox, false)))
    .innerJoin(mediaPackages, and(
      eq(mediaPackages.tenantId, performanceFeedback.tenantId), eq(mediaPackages.mediaBuyId, performanceFeedback.mediaBuyId),
      or(isNull(performanceFeedback.packageId), eq(mediaPackages.id, performanceFeedback.packageId)),
    ))
    .where(and(eq(performanceFeedback.tenantId, tenantId), sql`${performanceFeedback.createdAt} > now() - make_interval(days => ${WITHIN_DAYS})`))
    .groupBy(mediaPackages.productId, performanceFeedback.principalId).as("by_buyer");
  const rows = await tx.select({ productId: byBuyer.productId, mean: avg(byBuyer.mean).mapWith(Number) }).from(byBuyer).groupBy(byBuyer.productId).having(gte(count(), BUYERS_MIN));
  return new Map(rows.flatMap(({ productId, mean }) => (mean === null ? [] : [[productId, mean] as const])));
}
