import { describe, expect, test } from "vitest";
import { DAY_MS } from "../time";
import { computeUnits, flightDays } from "./units";

const startsAt = new Date("2027-03-01T00:00:00Z");
const flight = (days: number) => ({ startsAt, endsAt: new Date(startsAt.getTime() + days * DAY_MS) });
const MICROS = 1_000_000n;

/** Deterministic pseudo-random numbers: a failure can be repeated. */
function* randoms(seed: number): Generator<bigint> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield BigInt(state);
  }
}

describe("units", () => {
  test("known values", () => {
    expect(computeUnits({ ...flight(30), pricingModel: "cpm", budgetMicros: 1000n * MICROS, rateMicros: 12_500_000n })).toBe(80_000n);
    expect(computeUnits({ ...flight(30), pricingModel: "cpm", budgetMicros: 10n * MICROS, rateMicros: 3n * MICROS })).toBe(3_333n);
    expect(computeUnits({ ...flight(30), pricingModel: "cpc", budgetMicros: 10n * MICROS, rateMicros: 300_000n })).toBe(33n);
    expect(computeUnits({ ...flight(7), pricingModel: "flat_rate", budgetMicros: 700n * MICROS, rateMicros: 700n * MICROS })).toBe(7n);
    expect(computeUnits({ ...flight(7), pricingModel: "time", budgetMicros: 4900n * MICROS, rateMicros: 700n * MICROS })).toBe(7n);
  });

  test("nothing is bought by less than one unit's price, by nothing, or at no price", () => {
    expect(computeUnits({ ...flight(1), pricingModel: "cpc", budgetMicros: 1n, rateMicros: 2n })).toBe(0n);
    expect(computeUnits({ ...flight(1), pricingModel: "flat_rate", budgetMicros: 699n, rateMicros: 700n })).toBe(0n);
    expect(computeUnits({ ...flight(7), pricingModel: "time", budgetMicros: 4899n, rateMicros: 700n })).toBe(0n);
    for (const pricingModel of ["cpm", "cpc", "time", "flat_rate"] as const) {
      expect(computeUnits({ ...flight(1), pricingModel, budgetMicros: 0n, rateMicros: 5n })).toBe(0n);
      expect(computeUnits({ ...flight(1), pricingModel, budgetMicros: 5n, rateMicros: 0n })).toBe(0n);
    }
  });

  test("what is bought never costs more than the budget, and one unit more would", () => {
    const random = randoms(42);
    const next = () => random.next().value as bigint;
    for (let i = 0; i < 2_000; i += 1) {
      const budgetMicros = 1n + next() * (1n + (next() % 10_000n));
      const rateMicros = 1n + (next() % 100_000_000n);
      const cpm = computeUnits({ ...flight(1), pricingModel: "cpm", budgetMicros, rateMicros });
      expect(cpm * rateMicros <= budgetMicros * 1000n && (cpm + 1n) * rateMicros > budgetMicros * 1000n).toBe(true);
      const cpc = computeUnits({ ...flight(1), pricingModel: "cpc", budgetMicros, rateMicros });
      expect(cpc * rateMicros <= budgetMicros && (cpc + 1n) * rateMicros > budgetMicros).toBe(true);
    }
  });

  test("a begun day counts", () => {
    expect(flightDays(flight(0.01))).toBe(1n);
    expect(flightDays(flight(1))).toBe(1n);
    expect(flightDays(flight(1.05))).toBe(2n);
    // From midnight to midnight in Berlin, over the end of summer time.
    expect(flightDays({ startsAt: new Date("2026-10-01T00:00:00+02:00"), endsAt: new Date("2026-10-31T00:00:00+01:00") })).toBe(30n);
  });
});
