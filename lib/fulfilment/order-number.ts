import { sql } from "drizzle-orm";
import { z } from "zod";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { invariant } from "../errors";
import { fulfilments } from "./schema";

const numberRow = z.object({ number: z.number().int() });

/**
 * Draws the fulfilment's external order number, once and for ever, from the connection's own range. It is committed before the ad
 * server hears of it: whatever dies later, the order is looked up under the same number.
 */
export async function drawOrderNumber(ctx: Ctx, fulfilment: { id: string; adapterConfigId: string; externalOrderNumber: number | null }): Promise<number> {
  if (fulfilment.externalOrderNumber !== null) return fulfilment.externalOrderNumber;
  const [drawn] = numberRow.array().parse([...(await ctx.db.execute(sql`
    with drawn as (
      update ${adapterConfigs} set external_id_used = external_id_used + 1
      where tenant_id = ${ctx.tenantId} and id = ${fulfilment.adapterConfigId} returning external_id_base::bigint + external_id_used as number
    )
    update ${fulfilments} set external_order_number = drawn.number from drawn
    where tenant_id = ${ctx.tenantId} and id = ${fulfilment.id} and external_order_number is null returning external_order_number as number`))]);
  invariant(drawn, `the order number of fulfilment ${fulfilment.id} was drawn twice`);
  return drawn.number;
}
