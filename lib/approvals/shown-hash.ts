import { createHash } from "node:crypto";
import { type AssignedCreative, type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";

/** Names what a person looked at: the order, its packages and their creatives. It moves with each of them, and with nothing else. */
export function hashShown(buy: MediaBuyRow, packages: PackageRow[], assigned: AssignedCreative[]): string {
  const shown = {
    buy: [buy.id, buy.revision, buy.desiredVersion, buy.status, buy.name, buy.poNumber, buy.currency, buy.budgetMicros, buy.startsAt, buy.endsAt],
    packages: packages.map((row) => [row.id, row.sold, row.pricingModel, row.rateMicros, row.budgetMicros, row.units, row.startsAt, row.endsAt, row.pacing, row.targeting, row.isPaused, row.canceledAt]),
    creatives: assigned.map(({ packageId, weight, creative }) => [packageId, weight, creative.id, creative.version, creative.status]),
  };
  return createHash("sha256").update(JSON.stringify(shown, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value))).digest("hex");
}
