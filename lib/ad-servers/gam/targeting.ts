import { z } from "zod";
import { type GamTarget } from "./config";
import { countryName, findCountryGeoTarget } from "./countries";

/** Where and to whom a line item serves, in ids. Pure. */

export type Targeting = {
  adUnits: { id: string; includeDescendants: boolean }[];
  placements: string[];
  geos: string[];
  excludedGeos: string[];
  custom: { keyId: string; valueIds: string[]; isNegative: boolean }[];
};

export type FrequencyCap = { maxImpressions: string; timeAmount: string; timeUnit: "MINUTE" | "HOUR" | "DAY" | "LIFETIME" };

/** Fields of the protocol's targeting overlay that a line item can express without a look-up in the ad server. */
export const TARGETING_DIMENSIONS = ["geo_countries", "geo_countries_exclude", "frequency_cap"];

const durationSchema = z.object({ interval: z.number().int().min(1), unit: z.enum(["seconds", "minutes", "hours", "days", "campaign"]) });
const frequencyCapSchema = z.object({
  suppress: durationSchema.optional(),
  suppress_minutes: z.number().min(0).optional(),
  max_impressions: z.number().int().min(1).optional(),
  per: z.string().optional(),
  window: durationSchema.optional(),
});

export type Overlay = { geos: string[]; excludedGeos: string[]; frequencyCaps: FrequencyCap[]; words: string[]; problems: string[] };

/** Reads the protocol's targeting overlay. `problems` says in words what a line item cannot express. */
export function readOverlay(overlay: Record<string, unknown>): Overlay {
  const result: Overlay = { geos: [], excludedGeos: [], frequencyCaps: [], words: [], problems: [] };
  for (const [key, value] of Object.entries(overlay)) {
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) continue;
    if (key === "geo_countries") result.geos = readCountries(value, "only in", result);
    else if (key === "geo_countries_exclude") result.excludedGeos = readCountries(value, "not in", result);
    else if (key === "frequency_cap") readFrequencyCap(value, result);
    else result.problems.push(`Google Ad Manager line items cannot express the targeting “${key.replaceAll("_", " ")}” here.`);
  }
  return result;
}

function readCountries(value: unknown, preposition: string, result: Overlay): string[] {
  const countries = z.array(z.string()).safeParse(value);
  if (!countries.success) {
    result.problems.push("Countries must be a list of ISO 3166-1 alpha-2 codes.");
    return [];
  }
  const ids: string[] = [];
  for (const country of countries.data) {
    const id = findCountryGeoTarget(country);
    if (id) ids.push(id);
    else result.problems.push(`“${country}” is no ISO 3166-1 alpha-2 country code.`);
  }
  if (ids.length > 0) result.words.push(`${preposition} ${countries.data.map(countryName).join(", ")}`);
  return [...new Set(ids)].sort();
}

function readFrequencyCap(value: unknown, result: Overlay): void {
  const cap = frequencyCapSchema.safeParse(value);
  if (!cap.success) {
    result.problems.push("The frequency cap cannot be read.");
    return;
  }
  const { suppress, suppress_minutes: minutes, max_impressions: max, per, window } = cap.data;
  const pause = suppress ?? (minutes ? { interval: minutes, unit: "minutes" as const } : undefined);
  if (pause) addCap(1, pause, result);
  if (max === undefined) return;
  if (per !== undefined && per !== "devices" && per !== "cookies") result.problems.push(`Google Ad Manager caps frequency per browser or device, not per “${per}”.`);
  else if (!window) result.problems.push("The frequency cap lacks its window.");
  else addCap(max, window, result);
}

function addCap(max: number, window: z.infer<typeof durationSchema>, result: Overlay): void {
  const time = toCapWindow(window);
  if (!time) {
    result.problems.push("Google Ad Manager caps frequency by whole minutes, hours or days.");
    return;
  }
  result.frequencyCaps.push({ maxImpressions: String(max), ...time });
  result.words.push(`at most ${max} ${max === 1 ? "time" : "times"} per ${time.timeUnit === "LIFETIME" ? "campaign" : `${time.timeAmount} ${time.timeUnit.toLowerCase()}${time.timeAmount === "1" ? "" : "s"}`}`);
}

function toCapWindow({ interval, unit }: z.infer<typeof durationSchema>): Omit<FrequencyCap, "maxImpressions"> | undefined {
  if (unit === "campaign") return { timeAmount: "1", timeUnit: "LIFETIME" };
  const amount = unit === "seconds" ? interval / 60 : interval;
  if (!Number.isInteger(amount)) return undefined;
  return { timeAmount: String(amount), timeUnit: unit === "hours" ? "HOUR" : unit === "days" ? "DAY" : "MINUTE" };
}

/** Lists are sorted, so that equal targeting is equal JSON. */
export function toTargeting(target: GamTarget, overlay: Pick<Overlay, "geos" | "excludedGeos">): Targeting {
  return {
    adUnits: [...new Set(target.adUnitIds)].sort().map((id) => ({ id, includeDescendants: target.includeDescendants ?? true })),
    placements: [...new Set(target.placementIds)].sort(),
    geos: overlay.geos,
    excludedGeos: overlay.excludedGeos,
    custom: (target.customTargeting ?? [])
      .map(({ keyId, valueIds, operator }) => ({ keyId, valueIds: [...new Set(valueIds)].sort(), isNegative: operator === "IS_NOT" }))
      .sort((a, b) => a.keyId.localeCompare(b.keyId) || Number(a.isNegative) - Number(b.isNegative)),
  };
}

/** "Homepage Top, placement Sport; section is news", with ids where names are not known. */
export function describeInventory(target: GamTarget): string {
  const name = (id: string, fallback: string) => target.names?.[id] ?? `${fallback} ${id}`;
  const places = [...target.adUnitIds.map((id) => name(id, "ad unit")), ...target.placementIds.map((id) => name(id, "placement"))];
  const shown = places.length > 4 ? `${places.slice(0, 4).join(", ")} and ${places.length - 4} more` : places.join(", ");
  const custom = (target.customTargeting ?? []).map(({ keyId, valueIds, operator }) =>
    `${name(keyId, "key")} ${operator === "IS_NOT" ? "is not" : "is"} ${valueIds.map((id) => name(id, "value")).join(" or ")}`);
  return [shown, ...custom].join("; ");
}
