import { isDeepStrictEqual } from "node:util";
import { and, eq, inArray } from "drizzle-orm";
import { type Ctx } from "../context";
import { invariant } from "../errors";
import { loadPackages, type PackageRow } from "../media-buys/queries";
import { mediaBuys } from "../media-buys/schema";
import { type MediaBuyRow } from "../media-buys/transitions";
import { microsToNumber } from "../money";
import { products } from "../products/schema";

type Line = Pick<PackageRow, "targeting" | "canceledAt" | "productId">;

/** What an order will deliver. It stays as it is until it is decided. */
export async function loadPlannedDelivery(ctx: Ctx, mediaBuyId: string): Promise<Record<string, unknown>> {
  const [buy] = await ctx.db.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, mediaBuyId)));
  invariant(buy, `no media buy ${mediaBuyId}`);
  const packages = await loadPackages(ctx, [mediaBuyId]);
  const sold = await ctx.db.select({ id: products.id, channels: products.channels }).from(products).where(and(eq(products.tenantId, ctx.tenantId), inArray(products.id, packages.map(({ productId }) => productId))));
  return planDelivery(buy, packages, new Map(sold.map(({ id, channels }) => [id, channels])));
}

/** What will be delivered, as an agent checks it (core/planned-delivery.json). Pure. `channels`: by our id of the product. */
export function planDelivery(buy: Pick<MediaBuyRow, "startsAt" | "endsAt" | "budgetMicros" | "currency">, packages: Line[], channels: Map<string, string[]>): Record<string, unknown> {
  const lines = packages.filter(({ canceledAt }) => canceledAt === null);
  const sold = [...new Set(lines.flatMap(({ productId }) => channels.get(productId) ?? []))].sort();
  const cap = commonValue(lines.map(({ targeting }) => targeting.frequency_cap));
  return {
    ...geoOf(lines),
    ...(sold.length > 0 ? { channels: sold } : {}),
    start_time: buy.startsAt.toISOString(),
    end_time: buy.endsAt.toISOString(),
    ...(cap === undefined ? {} : { frequency_cap: cap }),
    total_budget: microsToNumber(buy.budgetMicros),
    currency: buy.currency,
  };
}

/** One package without countries runs everywhere, so that nothing can be said of the whole. */
function geoOf(lines: Line[]): { geo?: { countries: string[] } } {
  const named = lines.map(({ targeting }) => targeting.geo_countries);
  if (!named.every((countries): countries is string[] => Array.isArray(countries) && countries.length > 0)) return {};
  return { geo: { countries: [...new Set(named.flat())].sort() } };
}

function commonValue(values: unknown[]): unknown {
  const [first] = values;
  return first !== undefined && values.every((value) => isDeepStrictEqual(value, first)) ? first : undefined;
}
