import { type PricingModel } from "../ad-servers/types";
import { countDays } from "../time";

export type Flight = { startsAt: Date; endsAt: Date };

/** Days of a flight, begun ones included; at least 1. */
export function flightDays({ startsAt, endsAt }: Flight): bigint {
  return countDays(startsAt, endsAt);
}

/** What a flight costs that is bought by the day, or for one price. Micros. */
export function flightPrice({ pricingModel, rateMicros, ...flight }: Flight & { pricingModel: "time" | "flat_rate"; rateMicros: bigint }): bigint {
  return pricingModel === "time" ? rateMicros * flightDays(flight) : rateMicros;
}

/**
 * What a package buys with its own budget at its own rate: impressions (cpm), clicks (cpc) or days (time, flat_rate).
 * 0n when the budget does not reach for one unit. A rate per day and a flat rate buy the whole flight or nothing.
 */
export function computeUnits(input: Flight & { pricingModel: PricingModel; budgetMicros: bigint; rateMicros: bigint }): bigint {
  const { pricingModel, budgetMicros, rateMicros } = input;
  if (budgetMicros <= 0n || rateMicros <= 0n) return 0n;
  switch (pricingModel) {
    case "cpm":
      return (budgetMicros * 1000n) / rateMicros;
    case "cpc":
      return budgetMicros / rateMicros;
    case "time":
    case "flat_rate":
      return budgetMicros >= flightPrice({ ...input, pricingModel }) ? flightDays(input) : 0n;
  }
}
