import { z } from "zod";
import { type PackageSlice } from "./queries";
import { type DeliveryDimension } from "./schema";
import { type DeliveryFigures } from "./service";
import { presentMetrics } from "./present";

/** The breakdowns that a buyer may ask for. Those that no ad server of ours reports are left out of the answer, as the protocol wants. */

const cut = z.looseObject({ limit: z.number().int().min(1).optional(), sort_by: z.string().optional() });
export const reportingDimensions = z.looseObject({ geo: cut.extend({ geo_level: z.string() }).optional(), device_type: cut.optional(), device_platform: cut.optional(), placement: cut.optional() });

export type Cut = { dimension: DeliveryDimension; name: "by_geo" | "by_device_type" | "by_device_platform" | "by_placement"; limit: number | undefined; sortBy: string };

const LIMIT_DEFAULT = 25;
const GEO_LEVELS: Record<string, DeliveryDimension> = { country: "country", region: "region" };

export function readCuts(asked: z.infer<typeof reportingDimensions> = {}): Cut[] {
  const { geo, device_type: deviceType, device_platform: devicePlatform, placement } = asked;
  const geoDimension = geo && GEO_LEVELS[geo.geo_level];
  const make = (dimension: DeliveryDimension, name: Cut["name"], wanted: z.infer<typeof cut>, limit?: number): Cut => ({ dimension, name, limit: wanted.limit ?? limit, sortBy: wanted.sort_by ?? "spend" });
  return [
    ...(geo && geoDimension ? [make(geoDimension, "by_geo", geo, LIMIT_DEFAULT)] : []),
    ...(deviceType ? [make("device_type", "by_device_type", deviceType)] : []),
    ...(devicePlatform ? [make("device_platform", "by_device_platform", devicePlatform)] : []),
    ...(placement ? [make("placement", "by_placement", placement, LIMIT_DEFAULT)] : []),
  ];
}

/** A package's breakdowns, largest first. None is shown of which nothing is known. */
export function presentCuts(cuts: Cut[], slices: PackageSlice[]): Record<string, unknown> {
  return Object.assign({}, ...cuts.map(({ dimension, name, limit, sortBy }) => {
    const sorted = sortSlices(slices.filter((slice) => slice.dimension === dimension), sortBy);
    if (sorted.length === 0) return {};
    const shown = limit === undefined ? sorted : sorted.slice(0, limit);
    return { [name]: shown.map((slice) => ({ ...keyFields(slice), ...presentMetrics(slice) })), [`${name}_truncated`]: shown.length < sorted.length };
  }));
}

function keyFields({ dimension, key, label }: PackageSlice): Record<string, unknown> {
  switch (dimension) {
    case "country":
    case "region":
      return { geo_level: dimension, geo_code: key, ...(label === null ? {} : { geo_name: label }) };
    case "placement":
      return { placement_id: key, ...(label === null ? {} : { placement_name: label }) };
    default:
      return { [dimension]: key };
  }
}

/** By the wanted metric, or by spend if that is not measured here. */
export function sortSlices<T extends DeliveryFigures & { key: string }>(slices: T[], sortBy: string): T[] {
  const metric = (slice: T, name: string) => presentMetrics(slice)[name];
  const by = slices.some((slice) => typeof metric(slice, sortBy) === "number") ? sortBy : "spend";
  return [...slices].sort((a, b) => Number(metric(b, by) ?? 0) - Number(metric(a, by) ?? 0) || (a.key < b.key ? -1 : 1));
}
