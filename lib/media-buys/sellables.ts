import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { type ProductCollection } from "../inventory-lists/match";
import { groupBy } from "../group-by";
import { currencyLimits, pricingOptions, products, productTargets } from "../products/schema";
import { type Audiences, loadAudiences } from "../products/visibility";
import { listPartners } from "../properties/queries";
import { tenants } from "../tenants/schema";

export type PricingOption = Pick<typeof pricingOptions.$inferSelect, "pricingOptionId" | "pricingModel" | "currency" | "rateMicros" | "floorMicros" | "minSpendMicros" | "isReserved">;
export type Limits = { minPackageMicros: bigint; maxDailyPackageMicros: bigint | null };
export type Connection = Pick<typeof adapterConfigs.$inferSelect, "id" | "kind" | "name" | "mode" | "status" | "currency">;
export type Target = { connection: Connection; config: Record<string, unknown> };
type ProductRow = Pick<typeof products.$inferSelect, "id" | "productId" | "name" | "deliveryType" | "formatIds" | "isReviewRequired" | "visibility" | "seededFor" | "termsPolicy"> & { inventory: { domains: string[]; collections: ProductCollection[] } };

export type Sellable = { product: ProductRow; options: Map<string, PricingOption>; targets: Map<string, Target> };
export type Catalog = {
  /** By product_id: what this buyer may buy, at the prices offered to them. */
  products: Map<string, Sellable>;
  limits: Map<string, Limits>;
  /** null when none of the products exists. */
  publisher: { slug: string; isReviewRequired: boolean; decisionTimeMinutes: number } | null;
  /** This buyer sees no amounts: a person confirms what they order. */
  arePricesHidden: boolean;
};

/** Whose catalogue, as of which version: see decision 004. */
export type CatalogKey = { catalogVersion: number; principalId: string };

/** One publisher's sellables at one version, as far as they were asked for. Nothing in it depends on the buyer. */
type KnownProduct = Sellable & { optionIds: Map<string, string> };
/** `products` by product_id: the publisher's, and test products that sandbox buyers made under the same id. */
type Known = { products: Map<string, KnownProduct[]>; limits: Map<string, Limits>; publisher: Catalog["publisher"]; audiences: Audiences; /** Domains that a product without its own runs on. */ partnerDomains: string[] };

const KNOWN_MAX = 200;
const known = new Map<string, Known>();

/**
 * What selling these products takes: products on sale, prices, targets with their connections, limits, the publisher's rule. From memory
 * where this version of the catalogue was read before; the version moves with everything that is read here.
 */
export async function loadCatalog(ctx: Ctx, { catalogVersion, principalId }: CatalogKey, productIds: string[]): Promise<Catalog> {
  const name = `${ctx.tenantId} ${catalogVersion}`;
  const found = known.get(name);
  const missing = productIds.filter((id) => !found?.products.has(id));
  const entry = found && missing.length === 0 ? found : await readProducts(ctx, missing, found);
  known.delete(name);
  known.set(name, entry);
  const oldest = known.keys().next();
  if (known.size > KNOWN_MAX && !oldest.done) known.delete(oldest.value);

  const products = new Map<string, Sellable>();
  for (const id of productIds) {
    const named = entry.products.get(id) ?? [];
    const item = named.find(({ product }) => product.seededFor === principalId) ?? named.find(({ product }) => product.seededFor === null);
    if (item && isFor(entry.audiences.byProduct.get(item.product.id), item.product.visibility === "selected", principalId)) products.set(id, optionsFor(item, entry.audiences, principalId));
  }
  return { products, limits: entry.limits, publisher: products.size > 0 ? entry.publisher : null, arePricesHidden: entry.audiences.priceless.has(principalId) };
}

function isFor(buyers: ReadonlySet<string> | undefined, isRestricted: boolean, principalId: string): boolean {
  return !isRestricted || (buyers?.has(principalId) ?? false);
}

function optionsFor(item: KnownProduct, audiences: Audiences, principalId: string): Sellable {
  const options = [...item.options].filter(([id, { isReserved }]) => isFor(audiences.byPrice.get(item.optionIds.get(id) ?? ""), isReserved, principalId));
  return options.length === item.options.size ? item : { ...item, options: new Map(options) };
}

async function readProducts(ctx: Ctx, productIds: string[], before: Known | undefined): Promise<Known> {
  const audiences = before?.audiences ?? (await loadAudiences(ctx.db, ctx.tenantId));
  const partnerDomains = before?.partnerDomains ?? (await listPartners(ctx.db, ctx.tenantId, undefined)).map(({ publisherDomain }) => publisherDomain);
  const rows = await ctx.db
    .select({
      product: { id: products.id, productId: products.productId, name: products.name, deliveryType: products.deliveryType, formatIds: products.formatIds, isReviewRequired: products.isReviewRequired, visibility: products.visibility, seededFor: products.seededFor, termsPolicy: products.termsPolicy },
      publisher: { slug: tenants.slug, isReviewRequired: tenants.isReviewRequired, decisionTimeMinutes: tenants.decisionTimeMinutes },
      properties: sql<unknown>`${products.details} -> 'publisher_properties'`,
      collections: products.collections,
      optionId: pricingOptions.id,
      option: {
        pricingOptionId: pricingOptions.pricingOptionId, pricingModel: pricingOptions.pricingModel, currency: pricingOptions.currency,
        rateMicros: pricingOptions.rateMicros, floorMicros: pricingOptions.floorMicros, minSpendMicros: pricingOptions.minSpendMicros, isReserved: pricingOptions.isReserved,
      },
      limits: { minPackageMicros: currencyLimits.minPackageMicros, maxDailyPackageMicros: currencyLimits.maxDailyPackageMicros },
      target: productTargets.config,
      connection: { id: adapterConfigs.id, kind: adapterConfigs.kind, name: adapterConfigs.name, mode: adapterConfigs.mode, status: adapterConfigs.status, currency: adapterConfigs.currency },
    })
    .from(products)
    .innerJoin(tenants, eq(tenants.id, products.tenantId))
    .leftJoin(pricingOptions, and(eq(pricingOptions.tenantId, products.tenantId), eq(pricingOptions.productId, products.id), isNull(pricingOptions.archivedAt)))
    .leftJoin(currencyLimits, and(eq(currencyLimits.tenantId, products.tenantId), eq(currencyLimits.currency, pricingOptions.currency)))
    .leftJoin(productTargets, and(eq(productTargets.tenantId, products.tenantId), eq(productTargets.productId, products.id)))
    .leftJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId), isNull(adapterConfigs.archivedAt)))
    .where(and(eq(products.tenantId, ctx.tenantId), inArray(products.productId, productIds), isNull(products.archivedAt)));

  // A new entry, not a change of the old one: other orders may be reading that.
  const entry: Known = { products: new Map(before?.products), limits: new Map(before?.limits), publisher: before?.publisher ?? rows[0]?.publisher ?? null, audiences, partnerDomains };
  const fresh = new Map<string, KnownProduct>();
  for (const row of rows) {
    const sellable = fresh.get(row.product.id) ?? { product: { ...row.product, inventory: { domains: domainsOf(row.properties) ?? partnerDomains, collections: row.collections } }, options: new Map(), optionIds: new Map(), targets: new Map() };
    fresh.set(row.product.id, sellable);
    if (row.option && row.optionId) {
      sellable.options.set(row.option.pricingOptionId, row.option);
      sellable.optionIds.set(row.option.pricingOptionId, row.optionId);
      if (row.limits) entry.limits.set(row.option.currency, row.limits);
    }
    if (row.connection && row.target) sellable.targets.set(row.connection.id, { connection: row.connection, config: row.target });
  }
  for (const [id, sellables] of groupBy([...fresh.values()], ({ product }) => product.productId)) entry.products.set(id, sellables);
  return entry;
}

/** Domains of publisher_properties; undefined: the product names none. */
function domainsOf(properties: unknown): string[] | undefined {
  const parsed = publisherProperties.safeParse(properties);
  return parsed.success && parsed.data.length > 0 ? [...new Set(parsed.data.map(({ publisher_domain: domain }) => domain))] : undefined;
}

const publisherProperties = z.array(z.looseObject({ publisher_domain: z.string() }));

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
