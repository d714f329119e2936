import { z } from "zod";
import { availableIn, type Window } from "../availability/days";
import { findFormat } from "../creatives/formats";
import { AppError } from "../errors";
import { DAY_MS } from "../time";
import { type CatalogItem, withPrices } from "./catalog";
import { COLLECTION_FEATURE, MEDIA_BUY_FEATURES } from "./features";

/**
 * get_products' filters (core/product-filters.json, with what 3.1 adds): each is honoured from what we know of a product, or refused by its
 * name. None is left out of account unsaid.
 */

const currencyCode = z.string().regex(/^[A-Z]{3}$/, "A currency code, such as USD.");

/** The filters that are honoured. 3.0's have been checked against its schema; those that only 3.1 knows are checked here. */
export const productFilters = z.looseObject({
  delivery_type: z.enum(["guaranteed", "non_guaranteed"]),
  exclusivity: z.string(),
  is_fixed_price: z.boolean(),
  pricing_currencies: z.array(currencyCode).min(1),
  format_ids: z.array(z.looseObject({ id: z.string() })),
  standard_formats_only: z.boolean(),
  min_exposures: z.number(),
  start_date: z.iso.date("A date, such as 2027-03-01."),
  end_date: z.iso.date("A date, such as 2027-03-31."),
  budget_range: z.looseObject({ min: z.number().optional(), max: z.number().optional(), currency: z.string() }),
  countries: z.array(z.string()),
  regions: z.array(z.string()),
  metros: z.array(z.looseObject({ system: z.string(), code: z.string() })),
  postal_areas: z.array(z.looseObject({ system: z.string() })),
  channels: z.array(z.string()),
  required_features: z.record(z.string(), z.unknown()),
  required_geo_targeting: z.array(z.looseObject({ level: z.string() })),
  required_performance_standards: z.array(z.looseObject({ metric: z.string(), threshold: z.number(), standard: z.string().optional(), vendor: z.looseObject({ domain: z.string() }) })),
  required_metrics: z.array(z.string()).min(1),
  required_vendor_metrics: z.array(z.looseObject({ vendor: z.looseObject({ domain: z.string() }).optional(), metric_id: z.string().optional() })).min(1),
  ext: z.unknown(),
}).partial();
export type ProductFilters = z.infer<typeof productFilters>;

/** The schema's filters that ask for what no product here has, and why. */
export const REFUSED_FILTERS: Readonly<Record<string, string>> = {
  required_axe_integrations: "Nothing here is sold through agentic ad exchanges.",
  trusted_match: "No product here takes part in trusted matching.",
  signal_targeting: "Packages cannot be targeted by signals here.",
  geo_proximity: "Packages cannot be targeted by distance here.",
  keywords: "Packages cannot be targeted by keywords here.",
  video_placement_types: "Products here do not declare video placement types.",
  audio_distribution_types: "Products here do not declare audio distribution types.",
  sponsored_placement_types: "Products here do not declare sponsored placement types.",
  social_placement_surfaces: "Products here do not declare social placement surfaces.",
};

/** Throws UNSUPPORTED_FEATURE for a filter that cannot be honoured, INVALID_REQUEST for one that contradicts itself; the field is its name. */
export function assertFilters(filters: ProductFilters): void {
  for (const name of Object.keys(filters)) {
    if (!Object.hasOwn(MATCHES, name)) throw refused(name.slice(0, 100), REFUSED_FILTERS[name] ?? "Products cannot be filtered by this here.");
  }
  const custom = filters.metros?.findIndex(({ system }) => system === "custom") ?? -1;
  if (custom >= 0) throw refused(`metros[${custom}].system`, "What another party's own metro areas cover is not known here.");
  const { start_date: from, end_date: to, budget_range: budget } = filters;
  if (from !== undefined && to !== undefined && to < from) throw new AppError("INVALID_REQUEST", "The end date lies before the start date.", { field: "filters.end_date" });
  if (budget?.min !== undefined && budget.max !== undefined && budget.max < budget.min) throw new AppError("INVALID_REQUEST", "The largest budget is below the smallest.", { field: "filters.budget_range.max" });
}

function refused(name: string, why: string): AppError {
  return new AppError("UNSUPPORTED_FEATURE", why, { field: `filters.${name}`, suggestion: "Leave this filter out." });
}

type Known = { filters: ProductFilters; /** What a package can be targeted by. */ targetingDimensions: readonly string[] };
type Matches = { [Name in keyof typeof productFilters.shape]: (item: CatalogItem, wanted: NonNullable<ProductFilters[Name]>, known: Known) => boolean };

/** Whether a product passes a filter, with the prices that pass. Products that say nothing of countries are sold everywhere. */
const MATCHES: Matches = {
  delivery_type: (item, wanted) => item.deliveryType === wanted,
  exclusivity: (item, wanted) => item.exclusivity === wanted,
  // The prices have been narrowed to those that fit: there is one.
  is_fixed_price: () => true,
  pricing_currencies: () => true,
  format_ids: (item, wanted) => wanted.some(({ id }) => item.formatIds.includes(findFormat(id)?.id ?? id)),
  standard_formats_only: (item, wanted) => !wanted || item.formatIds.some(isStandardFormat),
  min_exposures: (item, wanted, { filters }) => (exposuresOf(item, filters) ?? Infinity) >= wanted,
  start_date: (item, _wanted, { filters }) => hasRoom(item, filters),
  end_date: (item, _wanted, { filters }) => hasRoom(item, filters),
  budget_range: (item, { currency, max = Infinity }) => item.prices.some((price) => price.currency === currency && price.minSpend <= max),
  countries: (item, wanted) => reaches(item, wanted),
  regions: (item, wanted) => reaches(item, wanted.map((region) => region.slice(0, 2))),
  metros: (item, wanted) => reaches(item, wanted.map(({ system, code }) => METRO_COUNTRIES[system] ?? nutsCountry(code))),
  // Systems begin with their country: us_zip, gb_outward.
  postal_areas: (item, wanted) => reaches(item, wanted.map(({ system }) => system.slice(0, 2).toUpperCase())),
  channels: (item, wanted) => wanted.some((channel) => item.channels.includes(channel)),
  required_features: ({ wire }, wanted) => Object.entries(wanted).every(([name, isRequired]) => isRequired !== true || MEDIA_BUY_FEATURES[name] === true || (name === COLLECTION_FEATURE && wire.collections !== undefined)),
  required_geo_targeting: (_item, wanted, { targetingDimensions }) => wanted.every(({ level }) => level === "country" && targetingDimensions.includes("geo_countries")),
  required_performance_standards: ({ wire }, wanted) => wanted.every((one) => declaredStandards.parse(wire.performance_standards).some((own) => keeps(own, one))),
  required_metrics: ({ wire }, wanted) => wanted.every((metric) => declaredReporting.parse(wire.reporting_capabilities).available_metrics.includes(metric)),
  required_vendor_metrics: ({ wire }, wanted) => wanted.every(({ vendor, metric_id: metric }) => declaredReporting.parse(wire.reporting_capabilities).vendor_metrics
    .some((own) => (vendor === undefined || own.vendor.domain === vendor.domain) && (metric === undefined || own.metric_id === metric))),
  // Namespaces of other sellers': see `unappliedFilters`.
  ext: () => true,
};

/** Names of filters that are taken and change nothing: the answer says so. */
export function unappliedFilters(filters: ProductFilters): string[] {
  return filters.ext === undefined ? [] : ["ext"];
}

/** The products that pass every filter, each with the prices that do. */
export function applyFilters(items: readonly CatalogItem[], filters: ProductFilters, targetingDimensions: readonly string[]): CatalogItem[] {
  const known = { filters, targetingDimensions };
  const conditions = (Object.keys(filters) as (keyof Matches)[]).map((name) => {
    const matches = MATCHES[name] as (item: CatalogItem, wanted: unknown, known: Known) => boolean;
    return (item: CatalogItem) => matches(item, filters[name], known);
  });
  const { is_fixed_price: isFixed, pricing_currencies: currencies } = filters;
  return items.flatMap((item) => {
    const priced = isFixed === undefined && currencies === undefined ? item
      : withPrices(item, (price) => (isFixed === undefined || price.isFixed === isFixed) && (currencies?.includes(price.currency) ?? true));
    return priced && conditions.every((matches) => matches(priced)) ? [priced] : [];
  });
}

/** IAB Tech Lab's: the sizes of its ad portfolio, spots of up to 30 s, native by its specification. */
const STANDARD_SIZES = new Set(["300x250", "728x90", "160x600", "300x600", "970x250", "320x50"]);
const STANDARD_SPOT_MS = 30_000;

function isStandardFormat(id: string): boolean {
  const format = findFormat(id);
  if (!format) return false;
  if (format.kind === "display") return STANDARD_SIZES.has(`${format.width}x${format.height}`);
  return format.kind === "native" || (format.durationMs !== undefined && format.durationMs <= STANDARD_SPOT_MS);
}

function reaches({ countries }: CatalogItem, wanted: readonly string[]): boolean {
  return countries === null || wanted.some((country) => countries.includes(country));
}

const METRO_COUNTRIES: Record<string, string | undefined> = { nielsen_dma: "US", uk_itl1: "GB", uk_itl2: "GB" };

/** NUTS codes begin with their country, in ISO 3166 but for two. */
function nutsCountry(code: string): string {
  const country = code.slice(0, 2).toUpperCase();
  return { EL: "GR", UK: "GB" }[country] ?? country;
}

const declaredStandards = z.array(z.looseObject({ metric: z.string(), threshold: z.number(), standard: z.string().optional(), vendor: z.looseObject({ domain: z.string() }) })).catch([]);
type Standard = z.infer<typeof declaredStandards>[number];

const declaredReporting = z.looseObject({
  available_metrics: z.array(z.string()).catch([]),
  vendor_metrics: z.array(z.looseObject({ vendor: z.looseObject({ domain: z.string() }), metric_id: z.string() })).catch([]),
}).catch({ available_metrics: [], vendor_metrics: [] });

/** Invalid traffic has a ceiling, everything else a floor. */
function keeps(own: Standard, wanted: Standard): boolean {
  return own.metric === wanted.metric && own.vendor.domain === wanted.vendor.domain && (wanted.standard === undefined || own.standard === wanted.standard)
    && (wanted.metric === "ivt" ? own.threshold <= wanted.threshold : own.threshold >= wanted.threshold);
}

/** The days that the filters are about; undefined: they name none. One date alone means a month from it, or up to it. */
export function windowOf({ start_date: from, end_date: to }: ProductFilters): Window | undefined {
  if (from === undefined && to === undefined) return undefined;
  return { from: from ?? shift(to ?? "", -USUAL_DAYS), to: to ?? shift(from ?? "", USUAL_DAYS) };
}

const USUAL_DAYS = 29;

function shift(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Impressions that are free for what the filters ask, on their dates or in the next 30 days; null: not known. */
export function exposuresOf({ availability }: CatalogItem, filters: ProductFilters): number | null {
  if (!availability) return null;
  return availableIn(availability, windowOf(filters) ?? { from: availability.firstDay, to: shift(availability.firstDay, USUAL_DAYS) });
}

/** What is guaranteed needs impressions that nobody has reserved; what is not may win others'. */
function hasRoom(item: CatalogItem, filters: ProductFilters): boolean {
  return item.deliveryType === "non_guaranteed" || exposuresOf(item, filters) !== 0;
}
