import { adServerDeclaration } from "../ad-servers/registry";
import { type DesiredLine, type PlanProblem, type PricingModel } from "../ad-servers/types";
import { findFormat } from "../creatives/formats";
import { AppError } from "../errors";
import { formatMoney, MICROS, parseMicros } from "../money";
import { adServerTargeting, LIST_FIELDS } from "../inventory-lists/fields";
import { type mediaPackages } from "./schema";
import { type Connection, type Limits } from "./sellables";
import { computeUnits, type Flight, flightDays, flightPrice } from "./units";

/** Rules that a package keeps when it is sold and whenever it changes. `path` is its place in the request: `packages[0]`. */

export type PackageTerms = Pick<
  typeof mediaPackages.$inferSelect,
  "sold" | "pricingModel" | "rateMicros" | "currency" | "budgetMicros" | "units" | "startsAt" | "endsAt" | "pacing" | "targeting"
>;

/** A billion in any currency: sums of packages stay far inside a bigint column. */
const LARGEST_BUDGET_MICROS = 1_000_000_000n * MICROS;
/** JSON numbers are exact up to here. */
const LARGEST_UNITS = BigInt(Number.MAX_SAFE_INTEGER);

export function parseBudget(amount: number, path: string): bigint {
  const budgetMicros = parseMicros(amount, `${path}.budget`);
  if (budgetMicros <= 0n) throw new AppError("BUDGET_TOO_LOW", "The budget must be above zero.", { field: `${path}.budget` });
  if (budgetMicros > LARGEST_BUDGET_MICROS) throw new AppError("BUDGET_EXCEEDED", "The budget is larger than any order here.", { field: `${path}.budget` });
  return budgetMicros;
}

export type Price = { rateMicros: bigint | null; floorMicros: bigint | null; currency: string };

/** The price that this package pays: the fixed one, whatever is bid beside it, or the buyer's bid at or above the floor. */
export function agreeRate(option: Price, bid: number | undefined, path: string): bigint {
  const field = `${path}.bid_price`;
  if (option.rateMicros !== null) return option.rateMicros;
  const floor = option.floorMicros ?? 0n;
  const suggestion = `Bid ${formatMoney(floor, option.currency)} or more.`;
  if (bid === undefined) throw new AppError("VALIDATION_ERROR", "This price is set by auction: it needs a bid.", { field, suggestion });
  const bidMicros = parseMicros(bid, field);
  if (bidMicros < floor || bidMicros <= 0n) throw new AppError("VALIDATION_ERROR", `The bid is under the floor of ${formatMoney(floor, option.currency)}.`, { field, suggestion });
  return bidMicros;
}

/** Checks the budget against the publisher's limits and what was agreed, and returns what it buys. */
export function agreeUnits(terms: Flight & { pricingModel: PricingModel; rateMicros: bigint; budgetMicros: bigint; currency: string; minSpendMicros: bigint | null }, limits: Limits | undefined, path: string): bigint {
  const { budgetMicros, currency, minSpendMicros } = terms;
  const field = `${path}.budget`;
  const minimum = [limits?.minPackageMicros ?? 0n, minSpendMicros ?? 0n].reduce((a, b) => (a > b ? a : b));
  if (budgetMicros < minimum) {
    throw new AppError("BUDGET_TOO_LOW", `The budget is below the minimum of ${formatMoney(minimum, currency)}.`, { field, suggestion: `Send at least ${formatMoney(minimum, currency)}.` });
  }
  const daily = budgetMicros / flightDays(terms);
  if (limits?.maxDailyPackageMicros != null && daily > limits.maxDailyPackageMicros) {
    throw new AppError("BUDGET_EXCEEDED", `The budget comes to ${formatMoney(daily, currency)} a day; the most is ${formatMoney(limits.maxDailyPackageMicros, currency)}.`, { field, suggestion: "Lower the budget or lengthen the flight." });
  }
  const units = computeUnits(terms);
  if (units === 0n) {
    throw tooLittle(terms, field);
  }
  if (units > LARGEST_UNITS) throw new AppError("BUDGET_EXCEEDED", "The budget buys more units at this price than can be booked.", { field });
  return units;
}

function tooLittle({ pricingModel, rateMicros, currency, ...flight }: Flight & { pricingModel: PricingModel; rateMicros: bigint; currency: string }, field: string): AppError {
  if (pricingModel !== "time" && pricingModel !== "flat_rate") return new AppError("BUDGET_TOO_LOW", "The budget does not buy a single unit at this price.", { field });
  const price = formatMoney(flightPrice({ ...flight, pricingModel, rateMicros }), currency);
  const days = flightDays(flight);
  const whole = pricingModel === "flat_rate" ? `the flat rate of ${price}` : `${days} ${days === 1n ? "day" : "days"} at ${formatMoney(rateMicros, currency)} a day, which is ${price}`;
  return new AppError("BUDGET_TOO_LOW", `The budget does not cover ${whole}.`, { field, suggestion: `Send at least ${price}${pricingModel === "time" ? ", or shorten the flight" : ""}.` });
}

/** A stated impression goal must be the one that the budget buys: nobody should find out later which of the two counted. */
export function assertImpressions(impressions: number | undefined, { pricingModel, rateMicros, currency, units }: Pick<PackageTerms, "pricingModel" | "rateMicros" | "currency" | "units">, path: string): void {
  if (impressions === undefined) return;
  const field = `${path}.impressions`;
  if (pricingModel !== "cpm") throw new AppError("UNSUPPORTED_FEATURE", "An impression goal needs a price per thousand.", { field, suggestion: "Leave impressions out." });
  if (Math.abs(impressions - Number(units)) <= 1) return;
  const budgetMicros = impressions <= Number(LARGEST_UNITS) ? (BigInt(Math.ceil(impressions)) * rateMicros + 999n) / 1000n : 0n;
  const suggestion = budgetMicros > 0n && budgetMicros <= LARGEST_BUDGET_MICROS ? `Leave impressions out, or send the budget that buys them: ${formatMoney(budgetMicros, currency)}.` : "Leave impressions out.";
  throw new AppError("VALIDATION_ERROR", `At this price the budget buys ${units} impressions.`, { field, suggestion });
}

/** Throws unless every ad server that this package is sold through can express it. */
export function assertExpressible(terms: PackageTerms, connections: Map<string, Connection>, path: string): void {
  for (const { adapterConfigId, config } of terms.sold.targets) {
    const connection = connections.get(adapterConfigId);
    if (!connection) continue;
    const declaration = adServerDeclaration(connection.kind);
    const { pricingModels, targetingDimensions } = declaration.capabilities;
    if (!pricingModels.includes(terms.pricingModel)) {
      throw new AppError("UNSUPPORTED_FEATURE", `${declaration.label} cannot sell by ${terms.pricingModel}.`, { field: `${path}.pricing_option_id`, suggestion: "Choose another pricing option." });
    }
    for (const dimension of Object.keys(adServerTargeting(terms.targeting))) {
      if (targetingDimensions.includes(dimension)) continue;
      throw new AppError("UNSUPPORTED_FEATURE", `This product cannot be targeted by ${dimension}.`, { field: `${path}.targeting_overlay.${dimension}`, suggestion: `It can be targeted by ${[...targetingDimensions, ...LIST_FIELDS].join(", ")}.` });
    }
    const [problem] = declaration.checkLine(toLine(terms, config));
    if (problem) throw toAppError(problem, path);
  }
}

/** What an ad server objects to is the buyer's to correct, or else a mistake in the product's configuration. */
function toAppError({ code, message }: PlanProblem, path: string): AppError {
  const details = { reason: code };
  if (code.startsWith("targeting")) return new AppError("UNSUPPORTED_FEATURE", message, { field: `${path}.targeting_overlay`, details });
  if (code.startsWith("pricing")) return new AppError("UNSUPPORTED_FEATURE", message, { field: `${path}.pricing_option_id`, suggestion: "Choose another pricing option.", details });
  if (code.startsWith("mixed") || code.endsWith("sizes")) return new AppError("UNSUPPORTED_FEATURE", message, { field: `${path}.format_ids`, suggestion: "Choose among the product's formats.", details });
  return new AppError("PRODUCT_UNAVAILABLE", message, { field: path, suggestion: "Choose another product, or ask the publisher to complete its configuration.", details });
}

/** The line as an ad server would get it, without its creatives: enough to ask whether it can be expressed. */
function toLine(terms: PackageTerms, target: Record<string, unknown>): DesiredLine {
  return {
    packageId: "", name: terms.sold.productName, productName: terms.sold.productName, target, deliveryType: terms.sold.deliveryType, pricingModel: terms.pricingModel,
    rateMicros: terms.rateMicros.toString(), budgetMicros: terms.budgetMicros.toString(), currency: terms.currency, units: terms.units.toString(),
    startsAt: terms.startsAt.toISOString(), endsAt: terms.endsAt.toISOString(), pacing: terms.pacing, isPaused: false, isHeld: false, isCanceled: false, targeting: adServerTargeting(terms.targeting), creatives: [],
    placeholders: terms.sold.formatIds.flatMap((id) => {
      const format = findFormat(id);
      return format ? [{ width: format.width, height: format.height, kind: format.kind }] : [];
    }),
  };
}
