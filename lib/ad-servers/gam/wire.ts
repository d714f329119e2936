import { type CreativeFields, type Size } from "./creatives";
import { type LineItemFields } from "./line-items";
import { type InventoryFlags } from "./operations";
import { type Targeting } from "./targeting";

/** Our fields in the API's JSON: ids become resource names, micros google.type.Money. Pure. */

export type Money = { currencyCode: string; units: string; nanos: number };

const MICROS = 1_000_000n;

/** Exact: 12_500_000 micros are 12 units and 500,000,000 nanos. */
export function toMoney(micros: string, currencyCode: string): Money {
  const value = BigInt(micros);
  return { currencyCode, units: (value / MICROS).toString(), nanos: Number((value % MICROS) * 1000n) };
}

export function moneyToMicros({ units, nanos }: Pick<Money, "units" | "nanos">): bigint {
  return BigInt(units) * MICROS + BigInt(nanos) / 1000n;
}

/** The key of each field on the wire, and so its path in an update mask. */
export const MASK = {
  displayName: "displayName", lineItemType: "lineItemType", priority: "priority", costType: "costType", rateMicros: "rate", currency: "rate", goal: "goal", targetEndTime: "targetEndTime",
  deliveryRateType: "deliveryRateType", creativeRotationType: "creativeRotationType", placeholders: "creativePlaceholders", environmentType: "environmentType",
  maxVideoSeconds: "maxVideoCreativeDuration", targeting: "targeting", frequencyCaps: "frequencyCaps",
} as const satisfies Record<keyof LineItemFields, string>;

/** JSON of these fields alone; of all when none are named. */
export function lineItemToWire(network: string, fields: LineItemFields, keys: readonly (keyof LineItemFields)[] = ALL_FIELDS): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [MASK[key], fieldToWire(network, fields, key)] as const).filter(([, value]) => value !== undefined));
}

function fieldToWire(network: string, fields: LineItemFields, key: keyof LineItemFields): unknown {
  switch (key) {
    case "rateMicros":
    case "currency": return toMoney(fields.rateMicros, fields.currency);
    case "placeholders": return fields.placeholders.map((size) => ({ size }));
    case "maxVideoSeconds": return fields.maxVideoSeconds === null ? undefined : `${fields.maxVideoSeconds}s`;
    case "targeting": return targetingToWire(network, fields.targeting);
    case "frequencyCaps": return fields.frequencyCaps;
    default: return fields[key];
  }
}

const ALL_FIELDS: readonly (keyof LineItemFields)[] = [
  "displayName", "lineItemType", "priority", "costType", "rateMicros", "goal", "targetEndTime", "deliveryRateType", "creativeRotationType", "placeholders", "environmentType",
  "maxVideoSeconds", "targeting", "frequencyCaps",
];

/** Input only: they count for the request that carries them. */
export function flagsToWire({ allowOverbook, skipInventoryCheck }: InventoryFlags): Record<string, true> {
  return { ...(allowOverbook ? { allowOverbook: true as const } : {}), ...(skipInventoryCheck ? { skipInventoryCheck: true as const } : {}) };
}

function targetingToWire(network: string, { adUnits, placements, geos, excludedGeos, custom }: Targeting): Record<string, unknown> {
  const names = (collection: string, ids: string[]) => ids.map((id) => `${network}/${collection}/${id}`);
  return {
    inventoryTargeting: {
      ...(adUnits.length > 0 ? { targetedAdUnits: adUnits.map(({ id, includeDescendants }) => ({ adUnit: `${network}/adUnits/${id}`, includeDescendants })) } : {}),
      ...(placements.length > 0 ? { targetedPlacements: names("placements", placements) } : {}),
    },
    ...(geos.length + excludedGeos.length > 0 ? { geoTargeting: { targetedGeos: names("geoTargets", geos), excludedGeos: names("geoTargets", excludedGeos) } } : {}),
    ...(custom.length > 0 ? {
      customTargeting: {
        customTargetingClauses: [{
          customTargetingLiterals: custom.map(({ keyId, valueIds, isNegative }) => ({
            customTargetingKey: `${network}/customTargetingKeys/${keyId}`, customTargetingValues: names("customTargetingValues", valueIds), ...(isNegative ? { negative: true } : {}),
          })),
        }],
      },
    } : {}),
  };
}

export function creativeToWire({ displayName, size, type, details }: CreativeFields, advertiser: string): Record<string, unknown> {
  return { displayName, advertiser, size, [type]: details };
}

export function isSameSize(a: Pick<Size, "width" | "height"> & { sizeType: string }, b: Pick<Size, "width" | "height"> & { sizeType: string } | undefined): boolean {
  return b !== undefined && a.width === b.width && a.height === b.height && a.sizeType === b.sizeType;
}
