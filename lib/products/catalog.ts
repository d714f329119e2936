import { and, asc, eq, isNull } from "drizzle-orm";
import { adServerDeclaration } from "../ad-servers/registry";
import { adapterConfigs } from "../ad-servers/schema";
import { type AvailableDays } from "../availability/days";
import { loadAvailability } from "../availability/service";
import { toFormatId } from "../creatives/formats";
import { type Tx, withTenant } from "../db/client";
import { loadProductPerformance } from "../delivery/performance";
import { groupBy } from "../group-by";
import { type ProductCollection } from "../inventory-lists/match";
import { microsToNumber } from "../money";
import { publisherPartners } from "../properties/schema";
import { reportingCapabilities } from "../reporting/capabilities";
import { tenants } from "../tenants/schema";
import { pricingOptions, products, productTargets } from "./schema";
import { type Audiences, loadAudiences } from "./visibility";

/** One product as get_products shows it, with what its filters and its ranking look at. */
export type CatalogItem = {
  /** products.id */
  id: string;
  productId: string;
  name: string;
  deliveryType: "guaranteed" | "non_guaranteed";
  channels: readonly string[];
  formatIds: readonly string[];
  countries: readonly string[] | null;
  enforcedPolicies: readonly string[];
  exclusivity: string;
  /** In the order of `wire.pricing_options`; `buyers` null: for everybody who sees the product. */
  prices: readonly { currency: string; isFixed: boolean; minSpend: number; buyers: ReadonlySet<string> | null }[];
  /** null: everybody sees it. */
  buyers: ReadonlySet<string> | null;
  /** The sandbox buyer whose test product it is. */
  seededFor: string | null;
  /** What buyers said of campaigns on it, when the catalogue was read: 1 is as expected; null: too little. */
  performance: number | null;
  /** As of the last sync; null: no ad server said. */
  availability: AvailableDays | null;
  /** Everything a brief is compared with, in lower case. */
  text: string;
  wire: Record<string, unknown>;
};

export type Catalog = {
  items: readonly CatalogItem[];
  /** Buyers whose view may differ from that of all others with a token. */
  named: ReadonlySet<string>;
  /** Buyers who see no amounts. */
  priceless: ReadonlySet<string>;
  publisherName: string;
  publisherDomains: readonly string[];
  channels: readonly string[];
  pricingModels: readonly string[];
  /** What every ad server that products are sold through can target. */
  targetingDimensions: readonly string[];
  /** Some product names the collections it runs in. */
  hasCollections: boolean;
};

type Key = { tenantId: string; catalogVersion: number; agentUrl: string };

/**
 * Catalogues in memory. The version comes with each caller's session and moves with everything shown here, so an entry is never stale;
 * old versions fall out by age of use.
 */
const CATALOGS_MAX = 200;
const catalogs = new Map<string, Promise<Catalog>>();

export async function readCatalog(key: Key): Promise<Catalog> {
  const name = `${key.tenantId} ${key.catalogVersion} ${key.agentUrl}`;
  const known = catalogs.get(name);
  catalogs.delete(name);
  const catalog = known ?? withTenant(key.tenantId, (tx) => loadCatalog(tx, key));
  catalogs.set(name, catalog);
  const oldest = catalogs.keys().next();
  if (catalogs.size > CATALOGS_MAX && !oldest.done) catalogs.delete(oldest.value);
  try {
    return await catalog;
  } catch (error) {
    if (catalogs.get(name) === catalog) catalogs.delete(name);
    throw error;
  }
}

async function loadCatalog(tx: Tx, { tenantId, agentUrl }: Key): Promise<Catalog> {
  const [tenant] = await tx.select({ name: tenants.name, timeZone: tenants.timeZone }).from(tenants).where(eq(tenants.id, tenantId));
  if (!tenant) throw new Error(`Invariant broken: no tenant ${tenantId}`);
  const partners = await tx.select({ domain: publisherPartners.publisherDomain }).from(publisherPartners)
    .where(and(eq(publisherPartners.tenantId, tenantId), isNull(publisherPartners.archivedAt))).orderBy(asc(publisherPartners.publisherDomain));
  const rows = await tx.select().from(products).where(and(eq(products.tenantId, tenantId), isNull(products.archivedAt))).orderBy(asc(products.position), asc(products.id));
  const prices = await tx.select().from(pricingOptions).where(and(eq(pricingOptions.tenantId, tenantId), isNull(pricingOptions.archivedAt))).orderBy(asc(pricingOptions.createdAt), asc(pricingOptions.id));
  const audiences = await loadAudiences(tx, tenantId);
  const availability = await loadAvailability(tx, tenantId);
  const performance = await loadProductPerformance(tx, tenantId);
  const targets = await loadTargets(tx, tenantId);
  const publisherDomains = partners.length > 0 ? partners.map(({ domain }) => domain) : [new URL(agentUrl).hostname];
  const items = rows.flatMap((row): CatalogItem[] => {
    const options = prices.filter((price) => price.productId === row.id);
    // Without a price there is nothing to buy.
    return options.length === 0 ? [] : [toItem(row, options, audiences, { availability: availability.get(row.id) ?? null, performance: performance.get(row.id) ?? null, inventory: inventoryNames(targets.get(row.id) ?? []) }, { agentUrl, publisherDomains, timeZone: tenant.timeZone })];
  });
  const open = items.filter(({ buyers }) => buyers === null);
  return {
    items,
    named: audiences.named,
    priceless: audiences.priceless,
    publisherDomains,
    channels: [...new Set(open.flatMap((item) => item.channels))],
    pricingModels: [...new Set(prices.filter(({ productId, isReserved }) => !isReserved && open.some((item) => item.id === productId)).map(({ pricingModel }) => pricingModel))],
    targetingDimensions: await loadTargetingDimensions(tx, tenantId),
    hasCollections: rows.some(({ collections, seededFor }) => seededFor === null && collections.length > 0),
    publisherName: tenant.name,
  };
}

async function loadTargetingDimensions(tx: Tx, tenantId: string): Promise<string[]> {
  const kinds = await tx.selectDistinct({ kind: adapterConfigs.kind }).from(productTargets)
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId)))
    .where(and(eq(productTargets.tenantId, tenantId), isNull(adapterConfigs.archivedAt)));
  const [first = [], ...others] = kinds.map(({ kind }) => adServerDeclaration(kind).capabilities.targetingDimensions);
  return first.filter((dimension) => others.every((dimensions) => dimensions.includes(dimension)));
}

type ProductRow = typeof products.$inferSelect;
type PriceRow = typeof pricingOptions.$inferSelect;

/** What is known of a product beside its own row. `inventory`: names of what it is mapped to. */
type Known = { availability: AvailableDays | null; performance: number | null; inventory: string[] };

async function loadTargets(tx: Tx, tenantId: string): Promise<Map<string, Record<string, unknown>[]>> {
  const rows = await tx.select({ productId: productTargets.productId, config: productTargets.config }).from(productTargets).where(eq(productTargets.tenantId, tenantId));
  return new Map([...groupBy(rows, ({ productId }) => productId)].map(([productId, of]) => [productId, of.map(({ config }) => config)]));
}

/** A target's `names` are those of its ids, for people; briefs name sections as people do. */
function inventoryNames(targets: Record<string, unknown>[]): string[] {
  return targets.flatMap(({ names }) => (typeof names === "object" && names !== null ? Object.values(names).filter((name) => typeof name === "string") : []));
}

const countries = new Intl.DisplayNames("en", { type: "region" });

function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? `${code} ${countries.of(code) ?? ""}` : code;
}

const NOBODY: ReadonlySet<string> = new Set();

function toItem(row: ProductRow, options: PriceRow[], audiences: Audiences, known: Known, publisher: { agentUrl: string; publisherDomains: readonly string[]; timeZone: string }): CatalogItem {
  const details = row.details;
  return {
    id: row.id,
    productId: row.productId,
    name: row.name,
    deliveryType: row.deliveryType,
    channels: row.channels,
    formatIds: row.formatIds,
    countries: stringsOf(details.countries),
    enforcedPolicies: stringsOf(details.enforced_policies) ?? [],
    exclusivity: typeof details.exclusivity === "string" ? details.exclusivity : "none",
    prices: options.map((option) => ({ currency: option.currency, isFixed: option.rateMicros !== null, minSpend: option.minSpendMicros === null ? 0 : microsToNumber(option.minSpendMicros), buyers: option.isReserved ? (audiences.byPrice.get(option.id) ?? NOBODY) : null })),
    availability: known.availability,
    performance: known.performance,
    seededFor: row.seededFor,
    buyers: row.visibility === "selected" ? (audiences.byProduct.get(row.id) ?? NOBODY) : null,
    text: [row.name, row.description, row.productId, ...row.channels, ...row.formatIds, row.deliveryType, ...known.inventory, ...row.collections.map(({ name }) => name), ...(stringsOf(details.countries) ?? []).map(countryName)].join(" ").replaceAll(/[_-]+/g, " ").toLowerCase(),
    wire: {
      publisher_properties: publisher.publisherDomains.map((domain) => ({ publisher_domain: domain, selection_type: "all" })),
      reporting_capabilities: reportingCapabilities(publisher.timeZone),
      ...details,
      ...(row.collections.length > 0 ? { collections: collectionSelectors(row.collections) } : {}),
      product_id: row.productId,
      name: row.name,
      description: row.description,
      ...(row.channels.length > 0 ? { channels: row.channels } : {}),
      format_ids: row.formatIds.map((id) => toFormatId(id, publisher.agentUrl)),
      delivery_type: row.deliveryType,
      pricing_options: options.map(presentPrice),
    },
  };
}

/** core/collection-selector.json: one a publisher's domain. */
function collectionSelectors(collections: readonly ProductCollection[]): Record<string, unknown>[] {
  return [...groupBy(collections, ({ publisherDomain }) => publisherDomain)].map(([domain, of]) => ({ publisher_domain: domain, collection_ids: of.map(({ collectionId }) => collectionId) }));
}

function presentPrice(option: PriceRow): Record<string, unknown> {
  return {
    pricing_option_id: option.pricingOptionId,
    pricing_model: option.pricingModel,
    currency: option.currency,
    ...(option.rateMicros === null ? {} : { fixed_price: microsToNumber(option.rateMicros) }),
    ...(option.floorMicros === null ? {} : { floor_price: microsToNumber(option.floorMicros) }),
    ...(option.priceGuidance === null ? {} : { price_guidance: option.priceGuidance }),
    ...(option.pricingModel === "time" ? { parameters: { time_unit: "day" } } : {}),
    ...(option.minSpendMicros === null ? {} : { min_spend_per_package: microsToNumber(option.minSpendMicros) }),
  };
}

/**
 * The products that a buyer sees, with the prices offered to them; null: a caller without a token. What is for others is not there, and a test
 * product of the buyer's own stands in the place of the publisher's with its id.
 */
export function itemsFor(items: readonly CatalogItem[], principalId: string | null): readonly CatalogItem[] {
  const isFor = (buyers: ReadonlySet<string> | null) => buyers === null || (principalId !== null && buyers.has(principalId));
  const seeded = new Set(items.filter(({ seededFor }) => seededFor !== null && seededFor === principalId).map(({ productId }) => productId));
  return items.flatMap((item): CatalogItem[] => {
    const isShadowed = item.seededFor === null && seeded.has(item.productId);
    const offered = isFor(item.buyers) && !isShadowed ? withPrices(item, ({ buyers }) => isFor(buyers)) : null;
    return offered ? [offered] : [];
  });
}

/** The product with some of its prices; null: with none there is nothing to buy. */
export function withPrices(item: CatalogItem, isKept: (price: CatalogItem["prices"][number]) => boolean): CatalogItem | null {
  const prices = item.prices.filter(isKept);
  if (prices.length === item.prices.length) return item;
  const options = Array.isArray(item.wire.pricing_options) ? item.wire.pricing_options : [];
  return prices.length === 0 ? null : { ...item, prices, wire: { ...item.wire, pricing_options: options.filter((_option, index) => item.prices[index] !== undefined && prices.includes(item.prices[index])) } };
}

/** For who sees no prices: nothing that tells an amount can be found out by filtering either. */
export function withoutAmounts(item: CatalogItem): CatalogItem {
  return { ...item, availability: null, prices: item.prices.map((price) => ({ ...price, minSpend: 0 })) };
}

/** For callers without a token: how it is priced, not what it costs. */
export function withoutPrices(wire: Record<string, unknown>): Record<string, unknown> {
  const options = Array.isArray(wire.pricing_options) ? wire.pricing_options : [];
  const { forecast: _forecast, ...rest } = wire;
  return { ...rest, pricing_options: options.map(({ pricing_option_id, pricing_model, currency }: Record<string, unknown>) => ({ pricing_option_id, pricing_model, currency })) };
}

function stringsOf(value: unknown): string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
}
