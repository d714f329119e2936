import { findFormat } from "../creatives/formats";
import { AppError } from "../errors";
import { assertForward, assertTimeLeft, assertWithin, effectiveStart, parseInstant } from "./flight";
import { type PackageHold, withoutListTokens } from "../inventory-lists/fields";
import { agreeLists, type PackageList, type PackageLists } from "../inventory-lists/packages";
import { agreeMeasurement } from "./measurement-terms";
import { type PackageRequest, refuseUnsupported } from "./request";
import { type SoldSnapshot } from "./schema";
import { type Catalog, type Connection, type Sellable, type Target } from "./sellables";
import { agreeRate, agreeUnits, assertExpressible, assertImpressions, type PackageTerms, parseBudget } from "./terms";
import { type Flight } from "./units";

const UNSUPPORTED = new Set(["catalogs", "optimization_goals", "format_option_refs", "format_kind", "params", "committed_metrics"]);

/** A package that may be sold: its terms as they will be stored, and what its request said beside them. */
export type SoldPackage = PackageTerms & { productId: string; isPaused: boolean; buyerContext: Record<string, unknown> | null; connections: Connection[]; isReviewRequired: boolean; hold: PackageHold | null; lists: readonly PackageList[]; request: PackageRequest };

/**
 * Checks one package against the catalogue, and freezes what is sold. Throws a typed error that names the field.
 * @param lists what is known of the lists that the request's packages name
 * @param order with `joinsAt` when it is confirmed already: the package is sold for what is left of its flight then
 */
export function sellPackage(input: PackageRequest, catalog: Catalog, order: Flight & { isSandbox: boolean; joinsAt?: Date }, path: string, lists: PackageLists): SoldPackage {
  const sellable = catalog.products.get(input.product_id);
  if (!sellable) throw new AppError("PRODUCT_NOT_FOUND", "There is no product with this id.", { field: `${path}.product_id`, suggestion: "Find products with get_products." });
  refuseUnsupported(input, (field) => UNSUPPORTED.has(field), path);
  const measurementTerms = agreeMeasurement(input, sellable.product.termsPolicy, path);

  const option = sellable.options.get(input.pricing_option_id);
  if (!option) throw new AppError("VALIDATION_ERROR", "This product has no such pricing option.", { field: `${path}.pricing_option_id`, suggestion: "Take pricing_option_id from this product's pricing_options in get_products." });
  refuseOtherCurrency(input, option.currency, path);
  const budgetMicros = parseBudget(input.budget, path);
  const rateMicros = agreeRate(option, input.bid_price, path);

  const asked = {
    startsAt: input.start_time === undefined ? order.startsAt : parseInstant(input.start_time, `${path}.start_time`),
    endsAt: input.end_time === undefined ? order.endsAt : parseInstant(input.end_time, `${path}.end_time`),
  };
  assertForward(asked, `${path}.end_time`);
  assertWithin(asked, order, path);
  if (order.joinsAt) assertTimeLeft(asked, order.joinsAt, `${path}.end_time`);
  const flight = order.joinsAt ? { ...asked, startsAt: effectiveStart(asked.startsAt, order.joinsAt) } : asked;

  const { pricingModel, currency } = option;
  const units = agreeUnits({ ...flight, pricingModel, rateMicros, budgetMicros, currency, minSpendMicros: option.minSpendMicros }, catalog.limits.get(currency), path);
  assertImpressions(input.impressions, { pricingModel, rateMicros, currency, units }, path);

  const targets = mappedTargets(sellable, currency, order.isSandbox, path);
  const sold: SoldSnapshot = {
    productId: sellable.product.productId, productName: sellable.product.name, deliveryType: sellable.product.deliveryType, pricingOptionId: option.pricingOptionId,
    ...(option.floorMicros === null ? {} : { floorMicros: option.floorMicros.toString() }),
    ...(option.minSpendMicros === null ? {} : { minSpendMicros: option.minSpendMicros.toString() }),
    ...(measurementTerms === undefined ? {} : { measurementTerms }),
    formatIds: chosenFormats(input, sellable, path),
    ...sellable.product.inventory,
    targets: targets.map(({ connection, config }) => ({ adapterConfigId: connection.id, config })),
  };
  const terms: PackageTerms = { sold, pricingModel, rateMicros, currency, budgetMicros, units, ...flight, pacing: input.pacing ?? "even", targeting: withoutListTokens(input.targeting_overlay ?? {}) };
  const connections = targets.map(({ connection }) => connection);
  const own = lists.get(path) ?? [];
  const hold = agreeLists(own, sellable.product.inventory, path);
  assertExpressible(terms, new Map(connections.map((connection) => [connection.id, connection])), path);
  return {
    ...terms, productId: sellable.product.id, isPaused: input.paused ?? false, buyerContext: input.context ?? null, connections, request: input, hold, lists: own,
    isReviewRequired: catalog.arePricesHidden || (sellable.product.isReviewRequired ?? catalog.publisher?.isReviewRequired ?? true),
  };
}

function refuseOtherCurrency(input: PackageRequest, currency: string, path: string): void {
  if (input.currency === undefined || input.currency === currency) return;
  throw new AppError("VALIDATION_ERROR", `This pricing option is in ${currency}.`, { field: `${path}.currency`, suggestion: `Send the budget in ${currency}.` });
}

function chosenFormats(input: PackageRequest, sellable: Sellable, path: string): string[] {
  if (!input.format_ids) return sellable.product.formatIds;
  return input.format_ids.map(({ id: wireId }, index) => {
    const id = findFormat(wireId)?.id ?? wireId;
    if (sellable.product.formatIds.includes(id)) return id;
    throw new AppError("VALIDATION_ERROR", "This product does not take this creative format.", { field: `${path}.format_ids[${index}]`, suggestion: `It takes ${sellable.product.formatIds.join(", ")}.` });
  });
}

/**
 * The connections that will carry the package: verified, of the order's own world (sandbox orders run on simulated connections only) and
 * of its currency. None is the publisher's mistake and says so; there is no fallback to another one.
 */
function mappedTargets(sellable: Sellable, currency: string, isSandbox: boolean, path: string): Target[] {
  const mode = isSandbox ? "simulated" : "live";
  const ofThisWorld = [...sellable.targets.values()].filter(({ connection }) => connection.mode === mode);
  const verified = ofThisWorld.filter(({ connection }) => connection.status === "verified");
  const targets = verified.filter(({ connection }) => connection.currency === currency);
  if (targets.length > 0) return targets;
  const [reason, message] = verified.length > 0
    ? ["connection_currency", `The publisher's ad server does not sell this product in ${currency}.`]
    : ofThisWorld.length > 0
      ? ["connection_unverified", "The publisher's connection to its ad server is not verified."]
      : ["connection_missing", `The publisher has not mapped this product to an ad server for ${isSandbox ? "sandbox" : "live"} orders.`];
  throw new AppError("PRODUCT_UNAVAILABLE", message, { field: `${path}.product_id`, suggestion: "Choose another product, or ask the publisher to complete its configuration.", details: { reason } });
}
