import { z } from "zod";
import { type PageRequest, toPage } from "../adcp/cursor";
import { AppError } from "../errors";
import { type Catalog, type CatalogItem, itemsFor, withoutAmounts, withoutPrices } from "./catalog";
import { listHolds } from "../inventory-lists/match";
import { type UsedList } from "../inventory-lists/use";
import { type Match, type RefinedProposals } from "../proposals/service";
import { asOf, presentForecast, usualWindows } from "../availability/days";
import { applyFilters, assertFilters, exposuresOf, productFilters, type ProductFilters, unappliedFilters, windowOf } from "./filters";
import { relevanceOf, wordsOf } from "./search";

/** What get_products reads of its request; the schema has been checked, further fields pass through. */
const discoveryInput = z.looseObject({
  buying_mode: z.enum(["brief", "wholesale", "refine"]),
  brief: z.string().optional(),
  refine: z.array(z.looseObject({ scope: z.enum(["request", "product", "proposal"]), ask: z.string().optional(), action: z.string().optional(), product_id: z.string().optional(), proposal_id: z.string().optional() })).optional(),
  filters: productFilters.default({}),
  required_policies: z.array(z.string()).default([]),
  preferred_delivery_types: z.array(z.string()).default([]),
  fields: z.array(z.string()).optional(),
  catalog: z.unknown().optional(),
});
type Discovery = z.infer<typeof discoveryInput>;
type Refinement = NonNullable<Discovery["refine"]>[number];

/** Fields that the product schema requires: `fields` never takes them away. */
const REQUIRED_FIELDS = ["product_id", "name", "description", "publisher_properties", "format_ids", "delivery_type", "pricing_options", "reporting_capabilities"];

type Ranked = { item: CatalogItem; score: number; relevance: string | null; place: number };

/** The payload of get_products: the publisher's products that pass the filters, best match of the brief first. */
export function discoverProducts(catalog: Catalog, request: Record<string, unknown>, options: { page: PageRequest; now: Date; buyer: { principalId: string; isSandbox: boolean } | null; proposals?: RefinedProposals; /** undefined: the request names none. */ list?: UsedList }): { payload: Record<string, unknown>; matches: Match[] } {
  const input = readInput(request);
  assertMode(input);
  assertFilters(input.filters);
  const { buyer } = options;
  const domains = options.list?.state === "read" ? new Set(options.list.domains) : null;
  const hasPrices = buyer !== null && !catalog.priceless.has(buyer.principalId);
  const offered = itemsFor(catalog.items, buyer?.principalId ?? null).map((item) => (hasPrices ? upToDate(item, options.now) : withoutAmounts(item)));
  const refined = applyRefinements(offered, input.refine ?? [], options.proposals);
  const allowed = refined.items.filter((item) => (!domains || isWithin(item, domains)) && input.required_policies.every((policy) => item.enforcedPolicies.includes(policy)));
  const ranked = rank(applyFilters(allowed, input.filters, catalog.targetingDimensions), refined.words ?? wordsOf(input.buying_mode === "brief" ? (input.brief ?? "") : ""), input.preferred_delivery_types);
  const rest = options.page.after ? ranked.slice(indexAfter(ranked, options.page.after)) : ranked;
  const { rows, pagination } = toPage(rest.slice(0, options.page.limit + 1), options.page, ({ item, place }) => [place, item.productId], ranked.length);
  const incomplete = [...listGaps(options.list), ...incompleteOf(rows, hasPrices, input)];
  const unapplied = unappliedFilters(input.filters);
  const notes = {
    ...(hasPrices ? {} : { prices: buyer === null ? "Prices are shown to buyers with a token." : "Ask the publisher for prices: your orders are confirmed by a person." }),
    ...(unapplied.length > 0 ? { filters_not_applied: unapplied } : {}),
  };
  const payload = {
    products: rows.map((row) => presentProduct(row, hasPrices, input)),
    pagination,
    ...(incomplete.length > 0 ? { incomplete } : {}),
    ...(input.refine ? { refinement_applied: refined.applied } : {}),
    ...(options.list ? { property_list_applied: options.list.state === "read" } : {}),
    ...(input.catalog === undefined ? {} : { catalog_applied: false }),
    ...(buyer?.isSandbox ? { sandbox: true } : {}),
    ...(Object.keys(notes).length > 0 ? { ext: { greenlight: notes } } : {}),
  };
  // What is sold for no amount is proposed for none.
  return { payload, matches: hasPrices ? ranked : [] };
}

/** Continues after the product that ended the last page, wherever it stands now; where it was, if it is gone. */
function indexAfter(ranked: Ranked[], [place, productId]: PageRequest["after"] & object): number {
  const index = ranked.findIndex(({ item }) => item.productId === productId);
  return index < 0 ? Number(place) : index + 1;
}

/** Throws INVALID_REQUEST for what the protocol's schema leaves open and we cannot read. */
function readInput(request: Record<string, unknown>): Discovery {
  const { data, error } = discoveryInput.safeParse(request);
  if (data) return data;
  const [issue] = error.issues;
  const field = (issue?.path ?? []).map((part, index) => (typeof part === "number" ? `[${part}]` : `${index > 0 ? "." : ""}${String(part)}`)).join("");
  throw new AppError("INVALID_REQUEST", `${field}: ${issue?.message ?? "not readable"}`, { field });
}

/** Without figures that are too old, or days that are over. */
function upToDate(item: CatalogItem, now: Date): CatalogItem {
  return item.availability ? { ...item, availability: asOf(item.availability, now) } : item;
}

function assertMode({ buying_mode: mode, brief, refine }: Discovery): void {
  // Clients send the brief of the first call along when they refine: it has been answered already.
  if (mode === "wholesale" && brief !== undefined) throw new AppError("INVALID_REQUEST", "A brief does not go with buying_mode wholesale.", { field: "brief" });
  if (mode === "refine" && !refine) throw new AppError("INVALID_REQUEST", "buying_mode refine needs the refine list.", { field: "refine" });
  if (mode !== "refine" && refine) throw new AppError("INVALID_REQUEST", `The refine list does not go with buying_mode ${mode}.`, { field: "refine" });
}

function rank(items: readonly CatalogItem[], words: string[], preferred: string[]): Ranked[] {
  const preference = (item: CatalogItem) => {
    const index = preferred.indexOf(item.deliveryType);
    return index < 0 ? preferred.length : index;
  };
  return items
    .map((item) => {
      const { score, matched } = relevanceOf(item, words);
      return { item, score: score + (score > 0 ? performanceBonus(item) : 0), matched };
    })
    .sort((a, b) => b.score - a.score || preference(a.item) - preference(b.item))
    .map(({ item, score, matched }, index) => ({ item, score, place: index + 1, relevance: matched.length > 0 ? `Matches the brief in: ${matched.join(", ")}.${performanceWords(item)}` : null }));
}

/** Past performance decides between products that match alike: less than a word's worth. */
function performanceBonus({ performance }: CatalogItem): number {
  return performance === null ? 0 : Math.max(-0.4, Math.min(0.4, (performance - 1) / 2));
}

/** In words alone: whose campaigns they were, and how they did exactly, is theirs. */
function performanceWords({ performance }: CatalogItem): string {
  if (performance === null || (performance > 0.9 && performance < 1.1)) return "";
  return performance >= 1.1 ? " Past campaigns on it did better than expected." : " Past campaigns on it did worse than expected.";
}

function presentProduct({ item, relevance }: Ranked, hasPrices: boolean, { fields, filters }: Discovery): Record<string, unknown> {
  const forecast = hasPrices ? forecastOf(item, filters) : undefined;
  const whole = { ...(hasPrices ? item.wire : withoutPrices(item.wire)), ...(forecast ? { forecast } : {}), ...(relevance === null ? {} : { brief_relevance: relevance }) };
  return fields ? Object.fromEntries(Object.entries(whole).filter(([name]) => REQUIRED_FIELDS.includes(name) || fields.includes(name))) : whole;
}

/** All or nothing, unless the product may be narrowed to some of its properties. */
function isWithin({ wire }: CatalogItem, list: ReadonlySet<string>): boolean {
  const domains = propertiesOf(wire).map(({ publisher_domain: domain }) => domain);
  return wire.property_targeting_allowed === true ? domains.some((domain) => listHolds(list, domain)) : domains.length > 0 && domains.every((domain) => listHolds(list, domain));
}

const publisherProperties = z.array(z.looseObject({ publisher_domain: z.string() })).catch([]);

function propertiesOf(wire: Record<string, unknown>): z.infer<typeof publisherProperties> {
  return publisherProperties.parse(wire.publisher_properties);
}

/** Why the products are not narrowed by the list that the request names. */
function listGaps(list: UsedList | undefined): Record<string, unknown>[] {
  if (!list || list.state === "read") return [];
  if (list.state === "reading") return [{ scope: "products", description: "The property list is being read; ask again in some seconds. These products are not narrowed by it.", estimated_wait: { interval: 5, unit: "seconds" } }];
  return [{ scope: "products", description: `The property list could not be read: ${list.message} These products are not narrowed by it.` }];
}

/** For the dates that the filters name, else for the stretches that are usual. */
function forecastOf({ availability, prices }: CatalogItem, filters: ProductFilters): Record<string, unknown> | undefined {
  const window = windowOf(filters);
  const [price] = prices;
  return availability && price ? presentForecast(availability, price.currency, window ? [window] : usualWindows(availability)) : undefined;
}

/** What the answer cannot tell of products that it shows. */
function incompleteOf(rows: readonly Ranked[], hasPrices: boolean, { filters, fields }: Discovery): Record<string, unknown>[] {
  const { min_exposures: exposures, budget_range: budget } = filters;
  const isForecastAsked = exposures !== undefined || windowOf(filters) !== undefined || fields?.includes("forecast") === true;
  if (!hasPrices) {
    return [
      ...(budget && rows.length > 0 ? [{ scope: "pricing", description: "Without prices products are not compared with the budget, but for its currency." }] : []),
      ...(isForecastAsked && rows.length > 0 ? [{ scope: "forecast", description: "Forecasts go with prices; products are shown without, whatever is free." }] : []),
    ];
  }
  const silent = isForecastAsked ? rows.filter(({ item }) => exposuresOf(item, filters) === null).map(({ item }) => item.productId) : [];
  if (silent.length === 0) return [];
  return [{ scope: "forecast", description: `The ad server has told nothing about these dates, or too long ago, for ${silent.slice(0, 20).join(", ")}${silent.length > 20 ? ` and ${silent.length - 20} more` : ""}; they are shown without.` }];
}

type Applied = { scope: string; product_id?: string; proposal_id?: string; status: "applied" | "partial" | "unable"; notes?: string };

/** Refinement by text match: includes narrow the list, omissions shorten it, asks order it. What proposals hold is included. */
function applyRefinements(items: readonly CatalogItem[], refinements: Refinement[], proposals: RefinedProposals | undefined): { items: readonly CatalogItem[]; words: string[] | null; applied: Applied[] } {
  const proposed = new Set(proposals?.shown.flatMap(({ allocations }) => allocations.map(({ productId }) => productId)));
  const included = new Set<CatalogItem>(items.filter(({ productId }) => proposed.has(productId)));
  const omitted = new Set<CatalogItem>();
  const words: string[] = [];
  const applied = refinements.map((entry): Applied => {
    if (entry.scope === "request") {
      words.push(...wordsOf(entry.ask ?? ""));
      return { scope: "request", status: "partial", notes: "The products are ordered by how well their descriptions match." };
    }
    if (entry.scope === "proposal") {
      const id = entry.proposal_id ?? "";
      return { scope: "proposal", proposal_id: id, ...(proposals?.applied.get(id) ?? { status: "unable", notes: "Proposals are made for buyers with a token." }) };
    }
    const productId = entry.product_id ?? "";
    const item = items.find((candidate) => candidate.productId === productId);
    if (!item) return { scope: "product", product_id: productId, status: "unable", notes: "There is no such product." };
    if (entry.action === "omit") {
      omitted.add(item);
      return { scope: "product", product_id: productId, status: "applied" };
    }
    included.add(item);
    if (entry.action === "more_like_this") for (const other of items) if (other.channels.some((channel) => item.channels.includes(channel))) included.add(other);
    words.push(...wordsOf(entry.ask ?? ""));
    return { scope: "product", product_id: productId, ...(entry.ask === undefined ? { status: "applied" } : { status: "partial", notes: "The product is shown as it is sold." }) };
  });
  const kept = items.filter((item) => !omitted.has(item) && (included.size === 0 || included.has(item)));
  return { items: kept, words: words.length > 0 ? words : null, applied };
}
