import { and, eq, isNull, or, sql } from "drizzle-orm";
import { type Tx } from "../db/client";
import { mediaPackages } from "../media-buys/schema";
import { performanceFeedback } from "./schema";

/** Fewer say nothing of a product, and too much of a buyer. */
const FEEDBACK_MIN = 3;
const WITHIN_DAYS = 180;

/** products.id → mean performance index that buyers gave campaigns on it: 1 is as expected. Products with little feedback are left out. */
export async function loadProductPerformance(tx: Tx, tenantId: string): Promise<Map<string, number>> {
  const rows = await tx.select({ productId: mediaPackages.productId, mean: sql<number>`avg(least(${performanceFeedback.performanceIndex}, 10))::float8` }).from(performanceFeedback)
    .innerJoin(mediaPackages, and(
      eq(mediaPackages.tenantId, performanceFeedback.tenantId), eq(mediaPackages.mediaBuyId, performanceFeedback.mediaBuyId),
      or(isNull(performanceFeedback.packageId), eq(mediaPackages.id, performanceFeedback.packageId)),
    ))
    .where(and(eq(performanceFeedback.tenantId, tenantId), sql`${performanceFeedback.createdAt} > now() - make_interval(days => ${WITHIN_DAYS})`))
    .groupBy(mediaPackages.productId).having(sql`count(*) >= ${FEEDBACK_MIN}`);
  return new Map(rows.map(({ productId, mean }) => [productId, mean]));
}
