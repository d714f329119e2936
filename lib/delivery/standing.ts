import { type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";
import { type DeliveryFigures } from "./service";

type Buy = Pick<MediaBuyRow, "effectiveStartsAt" | "canceledAt" | "status">;
type Package = Pick<PackageRow, "startsAt" | "endsAt" | "canceledAt" | "pricingModel" | "units" | "budgetMicros" | "pacing">;

/** When a package starts for real: not before its order's confirmation allows. */
export function realStart(row: Pick<Package, "startsAt">, buy: Pick<Buy, "effectiveStartsAt">): Date {
  return buy.effectiveStartsAt && buy.effectiveStartsAt > row.startsAt ? buy.effectiveStartsAt : row.startsAt;
}

function stopOf(row: Package, buy: Buy): Date | null {
  if (row.canceledAt && buy.canceledAt) return row.canceledAt < buy.canceledAt ? row.canceledAt : buy.canceledAt;
  return row.canceledAt ?? buy.canceledAt;
}

/** Whether anything can have been delivered by then. If not, zero is the truth; if so, without a report nothing is known. */
export function canHaveDelivered(row: Package, buy: Buy, by: Date): boolean {
  const start = realStart(row, buy);
  const stop = stopOf(row, buy);
  return buy.status !== "rejected" && by > start && (stop === null || stop > start);
}

/** What counts towards the package's goal. null: its goal is days, or nobody counts what it is sold by. */
function deliveredUnits(row: Package, figures: DeliveryFigures): number | null {
  return row.pricingModel === "cpm" ? figures.impressions : row.pricingModel === "cpc" ? figures.clicks : null;
}

/**
 * Delivered against what an even pace would have delivered in this time: 1 is on track. null where that means nothing: no goal in units,
 * another pace was ordered, or no time has passed.
 * @param period what the figures cover, as far as they go
 */
export function pacingIndex(row: Package, buy: Buy, figures: DeliveryFigures, period: { from: Date; to: Date }): number | null {
  const delivered = deliveredUnits(row, figures);
  if (delivered === null || row.pacing !== "even") return null;
  const start = realStart(row, buy).getTime();
  const end = row.endsAt.getTime();
  const elapsed = Math.min(period.to.getTime(), end) - Math.max(period.from.getTime(), start);
  if (elapsed <= 0 || end <= start) return null;
  const expected = (Number(row.units) * elapsed) / (end - start);
  return expected <= 0 ? null : round(delivered / expected);
}

export type DeliveryStatus = "delivering" | "not_delivering" | "completed" | "budget_exhausted" | "flight_ended" | "goal_met";

/** @param lifetime all that is known of the package @param staleAfter from when on silence means something: see the snapshot's schema */
export function deliveryStatus(row: Package, buy: Buy, lifetime: DeliveryFigures, now: Date, staleAfter?: Date): DeliveryStatus | null {
  if (buy.status === "completed") return "completed";
  const delivered = deliveredUnits(row, lifetime);
  if (delivered !== null && delivered >= Number(row.units)) return "goal_met";
  if (lifetime.spendMicros >= row.budgetMicros) return "budget_exhausted";
  if (now >= row.endsAt) return "flight_ended";
  if (stopOf(row, buy) !== null || buy.status !== "active") return null;
  if (lifetime.impressions > 0) return "delivering";
  return staleAfter !== undefined && now >= staleAfter ? "not_delivering" : null;
}

const PLACES = 10_000;

export function round(ratio: number): number {
  return Math.round(ratio * PLACES) / PLACES;
}
