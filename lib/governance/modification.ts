import { and, eq } from "drizzle-orm";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { type MediaBuyRow } from "../media-buys/transitions";
import { governanceReviews } from "./schema";

/**
 * What governance agents agreed to is what was ordered: more money, or a longer flight, would be spent without their word. Such a change is
 * refused rather than made unseen; an order of its own, under the same plan, is checked as every other. Throws UNSUPPORTED_FEATURE.
 */
export async function refuseUngovernedRaise(ctx: Ctx, buy: MediaBuyRow, next: { endsAt: Date; budgetMicros: bigint }): Promise<void> {
  const isRaised = next.budgetMicros > buy.budgetMicros;
  if (!isRaised && next.endsAt <= buy.endsAt) return;
  const [review] = await ctx.db.select({ planId: governanceReviews.planId }).from(governanceReviews).where(and(eq(governanceReviews.tenantId, ctx.tenantId), eq(governanceReviews.mediaBuyId, buy.id)));
  if (!review) return;
  throw new AppError("UNSUPPORTED_FEATURE", `The governance agents of the account agreed to this order as it was placed: its ${isRaised ? "budget cannot be raised" : "flight cannot be lengthened"} here.`, {
    field: isRaised ? "packages" : "end_time", suggestion: "Place another order under the plan for what is to be added.", details: { plan_id: review.planId },
  });
}
