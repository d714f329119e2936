import { formatMoney } from "@/lib/money";

export const PRICING_WORDS = { cpm: "CPM", cpc: "CPC", time: "per day", flat_rate: "Flat rate" } as const;
export const UNIT_WORDS = { cpm: "impressions", cpc: "clicks", time: "days", flat_rate: "days" } as const;

/** "$12.50 CPM". */
export function rateInWords(model: keyof typeof PRICING_WORDS, rateMicros: bigint, currency: string): string {
  return `${formatMoney(rateMicros, currency)} ${PRICING_WORDS[model]}`;
}

export function formatCount(value: bigint | number): string {
  return value.toLocaleString("en-US");
}

/** Names of targeting dimensions for people; what is not listed is shown under its own name, spaced. */
const TARGETING_WORDS: Record<string, string> = {
  geo_countries: "Countries", geo_countries_exclude: "Not in countries", geo_regions: "Regions", geo_regions_exclude: "Not in regions",
  geo_metros: "Metro areas", geo_metros_exclude: "Not in metro areas", geo_postal_areas: "Postal areas", geo_postal_areas_exclude: "Not in postal areas",
  device_type: "Devices", device_type_exclude: "Not on devices", device_platform: "Operating systems", language: "Languages", frequency_cap: "Frequency cap",
  axe_include_segment: "Include segment", axe_exclude_segment: "Exclude segment", daypart_targets: "Hours", audience_include: "Audiences", audience_exclude: "Not audiences",
  property_list: "Within property list", collection_list: "Within collection list", collection_list_exclude: "Not in collection list",
};

/** A targeting overlay as lines of words: [["Countries", "US, CA"]]. */
export function targetingInWords(targeting: Record<string, unknown>): [label: string, value: string][] {
  return Object.entries(targeting).map(([key, value]) => [TARGETING_WORDS[key] ?? capitalise(key.replaceAll("_", " ")), valueInWords(value)]);
}

function valueInWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueInWords).join(", ");
  if (isListReference(value)) return `${value.list_id} at ${URL.canParse(value.agent_url) ? new URL(value.agent_url).host : value.agent_url}`;
  if (typeof value === "object" && value !== null) return Object.entries(value).map(([key, item]) => `${key.replaceAll("_", " ")} ${valueInWords(item)}`).join(", ");
  return String(value);
}

function isListReference(value: unknown): value is { agent_url: string; list_id: string } {
  return typeof value === "object" && value !== null && "agent_url" in value && typeof value.agent_url === "string" && "list_id" in value && typeof value.list_id === "string";
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
