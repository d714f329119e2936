import { and, eq, isNull, sql } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { invariant } from "../errors";
import { fulfilments } from "./schema";

/**
 * Draws the fulfilment's external order number, once and for ever, from the connection's own range. It is committed before the ad
 * server hears of it: whatever dies later, the order is looked up under the same number.
 */
export async function drawOrderNumber(ctx: Ctx, fulfilment: { id: string; adapterConfigId: string; externalOrderNumber: number | null }): Promise<number> {
  if (fulfilment.externalOrderNumber !== null) return fulfilment.externalOrderNumber;
  const [drawn] = await ctx.db.update(adapterConfigs)
    .set({ externalIdUsed: sql`${adapterConfigs.externalIdUsed} + 1` })
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, fulfilment.adapterConfigId)))
    .returning({ base: adapterConfigs.externalIdBase, used: adapterConfigs.externalIdUsed });
  invariant(drawn, `no connection ${fulfilment.adapterConfigId}`);
  const number = drawn.base + drawn.used;
  invariant(number <= 2_147_483_647, "the connection's range of order numbers is used up");
  const kept = await ctx.db.update(fulfilments)
    .set({ externalOrderNumber: number })
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, fulfilment.id), isNull(fulfilments.externalOrderNumber)))
    .returning({ id: fulfilments.id });
  invariant(kept.length === 1, "an order number was drawn twice");
  return number;
}
