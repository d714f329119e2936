import { orderRequest } from "@/test/buyer";
import { type BenchClient } from "./client";

const run = Math.random().toString(36).slice(2, 10);
let placed = 0;

/** Orders two packages that are sold without review. */
export async function placeOrder(client: BenchClient): Promise<string> {
  const answer = await client.call("create_media_buy", nextOrder());
  const { media_buy_id: id } = JSON.parse(answer) as { media_buy_id?: string };
  if (!id) throw new Error(`create_media_buy answered ${answer.slice(0, 400)}`);
  return id;
}

export function nextOrder(): Record<string, unknown> {
  placed += 1;
  return orderRequest(`bench-${run}-${String(placed).padStart(6, "0")}`, [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 500 }, { productId: "video_preroll", pricingOptionId: "cpm_usd_fixed", budget: 800 }]);
}
