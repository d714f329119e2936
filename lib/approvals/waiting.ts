import { and, count, eq, inArray } from "drizzle-orm";
import { type Ctx } from "../context";
import { workflowSteps } from "./schema";

/** How many things wait for a person: the number beside Approvals. */
export async function countWaiting(ctx: Ctx): Promise<number> {
  const [row] = await ctx.db.select({ waiting: count() }).from(workflowSteps)
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), inArray(workflowSteps.state, ["requires_approval", "pending"])));
  return row?.waiting ?? 0;
}
