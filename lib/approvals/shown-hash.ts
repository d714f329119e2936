import { createHash } from "node:crypto";
import { type AssignedCreative, type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";

type Shown = {
  buy: MediaBuyRow;
  packages: PackageRow[];
  assigned: AssignedCreative[];
  /** Where the order will be booked; no advertiser: one may be created there, or none is chosen. */
  destinations: { adapterConfigId: string; advertiserId: string | null }[];
  isAdvertiserCreationAllowed: boolean;
};

/** Names what a person looked at: the order, its packages, their creatives and where it will be booked. It moves with each of them, and with nothing else. */
export function hashShown({ buy, packages, assigned, destinations, isAdvertiserCreationAllowed }: Shown): string {
  const shown = {
    buy: [buy.id, buy.revision, buy.desiredVersion, buy.status, buy.name, buy.poNumber, buy.currency, buy.budgetMicros, buy.startsAt, buy.endsAt],
    packages: packages.map((row) => [row.id, row.sold, row.pricingModel, row.rateMicros, row.budgetMicros, row.units, row.startsAt, row.endsAt, row.pacing, row.targeting, row.isPaused, row.hold, row.canceledAt]),
    creatives: assigned.map(({ packageId, weight, creative }) => [packageId, weight, creative.id, creative.version, creative.status]),
    destinations: destinations.map(({ adapterConfigId, advertiserId }) => [adapterConfigId, advertiserId]),
    isAdvertiserCreationAllowed,
  };
  return createHash("sha256").update(JSON.stringify(shown, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value))).digest("hex");
}
