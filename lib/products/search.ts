import { findFormat } from "../creatives/formats";
import { availableIn, type Window } from "../availability/days";
import { DAY_MS } from "../time";
import { type CatalogItem } from "./catalog";

/** get_products' filters that change what is shown. Those that our products say nothing about never exclude them. */
export type ProductFilters = {
  delivery_type?: "guaranteed" | "non_guaranteed";
  exclusivity?: string;
  is_fixed_price?: boolean;
  format_ids?: { id: string }[];
  channels?: string[];
  countries?: string[];
  budget_range?: { min?: number; max?: number; currency: string };
  /** Impressions that must be free on the dates, or in the next 30 days. A product of which nothing is known stays. */
  min_exposures?: number;
  start_date?: string;
  end_date?: string;
};

/** The days that the filters are about; undefined: they name none. One date alone means a month from it, or up to it. */
export function windowOf({ start_date: from, end_date: to }: ProductFilters): Window | undefined {
  if (from === undefined && to === undefined) return undefined;
  return { from: from ?? shift(to ?? "", -USUAL_DAYS), to: to ?? shift(from ?? "", USUAL_DAYS) };
}

const USUAL_DAYS = 29;

function shift(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Impressions that are free for what the filters ask; null: not known. */
export function exposuresOf({ availability }: CatalogItem, filters: ProductFilters): number | null {
  if (!availability) return null;
  return availableIn(availability, windowOf(filters) ?? { from: availability.firstDay, to: shift(availability.firstDay, USUAL_DAYS) });
}

export function matchesFilters(item: CatalogItem, filters: ProductFilters, requiredPolicies: readonly string[]): boolean {
  const { delivery_type: deliveryType, exclusivity, is_fixed_price: isFixed, format_ids: formats, channels, countries, budget_range: budget } = filters;
  const { countries: ownCountries } = item;
  return (deliveryType === undefined || item.deliveryType === deliveryType)
    && (exclusivity === undefined || item.exclusivity === exclusivity)
    && (isFixed === undefined || item.prices.some((price) => price.isFixed === isFixed))
    && (!formats || formats.some(({ id }) => item.formatIds.includes(findFormat(id)?.id ?? id)))
    && (!channels || channels.some((channel) => item.channels.includes(channel)))
    && (!countries || ownCountries === null || countries.some((country) => ownCountries.includes(country)))
    && (!budget || item.prices.some((price) => price.currency === budget.currency && price.minSpend <= (budget.max ?? Infinity)))
    && (filters.min_exposures === undefined || (exposuresOf(item, filters) ?? Infinity) >= filters.min_exposures)
    && requiredPolicies.every((policy) => item.enforcedPolicies.includes(policy));
}

/** Words that say nothing about inventory. */
const STOP_WORDS = new Set("a an and are as at be brand budget by campaign can for from i in is it looking me need of on or our over per please run the their to us want we with you your".split(" "));

const SYNONYMS: Record<string, readonly string[]> = {
  banner: ["display"], banners: ["display"], ctv: ["video"], olv: ["video"], preroll: ["video"], podcast: ["audio"], radio: ["audio"],
  programmatic: ["non", "guaranteed"], auction: ["non", "guaranteed"], reserved: ["guaranteed"], direct: ["guaranteed"],
};

/** The beginning of a brief says what it wants; each word costs a look at every product. */
const BRIEF_LENGTH_MAX = 10_000;
const WORDS_MAX = 200;

export function wordsOf(brief: string): string[] {
  const words = brief.slice(0, BRIEF_LENGTH_MAX).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.filter((word) => word.length > 1 && !STOP_WORDS.has(word)))].slice(0, WORDS_MAX);
}

export type Relevance = { score: number; matched: string[] };

/** How many of the brief's words the product's texts hold; words count in full, beginnings and synonyms by half. */
export function relevanceOf(item: CatalogItem, words: readonly string[]): Relevance {
  const own = new Set(item.text.split(/[^\p{L}\p{N}]+/u));
  let score = 0;
  const matched: string[] = [];
  for (const word of words) {
    const stem = word.replace(/(ing|ers|er|es|s)$/, "");
    const gain = own.has(word) ? 1 : (stem.length > 3 && [...own].some((candidate) => candidate.startsWith(stem))) || SYNONYMS[word]?.some((synonym) => own.has(synonym)) ? 0.5 : 0;
    if (gain > 0) matched.push(word);
    score += gain;
  }
  return { score, matched };
}
