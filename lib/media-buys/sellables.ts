import { and, eq, inArray, isNull } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { currencyLimits, pricingOptions, products, productTargets } from "../products/schema";
import { tenants } from "../tenants/schema";

export type PricingOption = Pick<typeof pricingOptions.$inferSelect, "pricingOptionId" | "pricingModel" | "currency" | "rateMicros" | "floorMicros" | "minSpendMicros">;
export type Limits = { minPackageMicros: bigint; maxDailyPackageMicros: bigint | null };
export type Connection = Pick<typeof adapterConfigs.$inferSelect, "id" | "kind" | "name" | "mode" | "status" | "currency">;
export type Target = { connection: Connection; config: Record<string, unknown> };
type ProductRow = Pick<typeof products.$inferSelect, "id" | "productId" | "name" | "deliveryType" | "formatIds" | "isReviewRequired">;

export type Sellable = { product: ProductRow; options: Map<string, PricingOption>; targets: Map<string, Target> };
export type Catalog = {
  products: Map<string, Sellable>;
  limits: Map<string, Limits>;
  /** null when none of the products exists. */
  publisher: { slug: string; isReviewRequired: boolean; decisionTimeMinutes: number } | null;
};

/** Everything that selling these products takes, in one query: products on sale, the named prices, targets with their connections, limits, the publisher's rule. */
export async function loadCatalog(ctx: Ctx, productIds: string[], pricingOptionIds: string[]): Promise<Catalog> {
  const rows = await ctx.db
    .select({
      product: { id: products.id, productId: products.productId, name: products.name, deliveryType: products.deliveryType, formatIds: products.formatIds, isReviewRequired: products.isReviewRequired },
      publisher: { slug: tenants.slug, isReviewRequired: tenants.isReviewRequired, decisionTimeMinutes: tenants.decisionTimeMinutes },
      option: {
        pricingOptionId: pricingOptions.pricingOptionId, pricingModel: pricingOptions.pricingModel, currency: pricingOptions.currency,
        rateMicros: pricingOptions.rateMicros, floorMicros: pricingOptions.floorMicros, minSpendMicros: pricingOptions.minSpendMicros,
      },
      limits: { minPackageMicros: currencyLimits.minPackageMicros, maxDailyPackageMicros: currencyLimits.maxDailyPackageMicros },
      target: productTargets.config,
      connection: { id: adapterConfigs.id, kind: adapterConfigs.kind, name: adapterConfigs.name, mode: adapterConfigs.mode, status: adapterConfigs.status, currency: adapterConfigs.currency },
    })
    .from(products)
    .innerJoin(tenants, eq(tenants.id, products.tenantId))
    .leftJoin(pricingOptions, and(
      eq(pricingOptions.tenantId, products.tenantId), eq(pricingOptions.productId, products.id), inArray(pricingOptions.pricingOptionId, pricingOptionIds), isNull(pricingOptions.archivedAt),
    ))
    .leftJoin(currencyLimits, and(eq(currencyLimits.tenantId, products.tenantId), eq(currencyLimits.currency, pricingOptions.currency)))
    .leftJoin(productTargets, and(eq(productTargets.tenantId, products.tenantId), eq(productTargets.productId, products.id)))
    .leftJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId), isNull(adapterConfigs.archivedAt)))
    .where(and(eq(products.tenantId, ctx.tenantId), inArray(products.productId, productIds), isNull(products.archivedAt)));

  const catalog: Catalog = { products: new Map(), limits: new Map(), publisher: rows[0]?.publisher ?? null };
  for (const row of rows) {
    const sellable = catalog.products.get(row.product.productId) ?? { product: row.product, options: new Map(), targets: new Map() };
    catalog.products.set(row.product.productId, sellable);
    if (row.option) sellable.options.set(row.option.pricingOptionId, row.option);
    if (row.option && row.limits) catalog.limits.set(row.option.currency, row.limits);
    if (row.connection && row.target) sellable.targets.set(row.connection.id, { connection: row.connection, config: row.target });
  }
  return catalog;
}

/** Limits of one currency, for a change of what is already sold. */
export async function loadLimits(ctx: Ctx, currency: string): Promise<Limits | undefined> {
  const [limits] = await ctx.db.select({ minPackageMicros: currencyLimits.minPackageMicros, maxDailyPackageMicros: currencyLimits.maxDailyPackageMicros })
    .from(currencyLimits).where(and(eq(currencyLimits.tenantId, ctx.tenantId), eq(currencyLimits.currency, currency)));
  return limits;
}

/** The connections that packages were sold through, archived and unverified ones included. */
export async function loadConnections(ctx: Ctx, ids: string[]): Promise<Map<string, Connection>> {
  const rows = await ctx.db
    .select({ id: adapterConfigs.id, kind: adapterConfigs.kind, name: adapterConfigs.name, mode: adapterConfigs.mode, status: adapterConfigs.status, currency: adapterConfigs.currency })
    .from(adapterConfigs).where(and(eq(adapterConfigs.tenantId, ctx.tenantId), inArray(adapterConfigs.id, ids)));
  return new Map(rows.map((row) => [row.id, row]));
}
