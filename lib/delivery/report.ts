import { toWireError } from "../adcp/wire-error";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { groupBy } from "../group-by";
import { toWireId } from "../ids";
import { microsToNumber } from "../money";
import { loadPackages, type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";
import { addMs, SECOND_MS } from "../time";
import { type Cut, presentCuts, sortSlices } from "./cuts";
import { type Period, presentPeriod, toPeriod } from "./period";
import { effectiveRate, presentDay, presentMetrics } from "./present";
import { addFigures, type DayRange, type Known, loadCreativeIds, loadPackageDays, loadPackageSlices, loadPackageTotals, loadPublisherDefaults, loadZones, NOTHING, oldest, type PackageDay, type PackageSlice } from "./queries";
import { canHaveDelivered, deliveryStatus, pacingIndex, realStart, round } from "./standing";
import { type DeliveryFigures } from "./service";
import { mediaBuyWireId } from "../media-buys/media-buy-id";

export type ReportOptions = { range: DayRange; hasPackageDays: boolean; cuts: Cut[] };

type Facts = {
  totals: Map<string, Known>;
  days: Map<string, PackageDay[]>;
  slices: Map<string, PackageSlice[]>;
  creativeIds: Map<string, string>;
  zones: Map<string, string>;
  fallbackZone: string;
};

/** Delivery is pulled at least this often. */
export const REPORT_INTERVAL_MS = 60 * 60 * SECOND_MS;

/**
 * What is known of these media buys' delivery, in the form of media-buy/get-media-buy-delivery-response.json, from stored rows alone. Where
 * something can have been delivered but nobody has reported, it says so instead of zero. The number of queries does not depend on the orders'.
 */
export async function reportDelivery(ctx: Ctx, buys: MediaBuyRow[], options: ReportOptions): Promise<Record<string, unknown>> {
  const ids = buys.map(({ id }) => id);
  const packages = groupBy(await loadPackages(ctx, ids), (row) => row.mediaBuyId);
  const facts = await loadFacts(ctx, ids, [...packages.values()].flat(), options);
  const reports = buys.map((buy) => reportBuy(ctx, buy, packages.get(buy.id) ?? [], facts, options));
  const currencies = [...new Set(buys.map((buy) => buy.currency))];
  const asOf = oldest(reports.flatMap((report) => report.asOf ?? []));
  return {
    reporting_period: presentWhole(reports.map(({ period, zone }) => presentPeriod(period, zone)), presentPeriod(toPeriod(options.range, facts.fallbackZone, { from: ctx.now, to: ctx.now }, ctx.now), facts.fallbackZone)),
    currency: currencies[0] ?? (await loadPublisherDefaults(ctx)).currency,
    // Amounts of several currencies have no sum.
    ...(currencies.length > 1 ? {} : { aggregated_totals: presentTotals(reports.map(({ figures }) => figures ?? NOTHING), buys.length) }),
    media_buy_deliveries: reports.map(({ presented }) => presented),
    ...(currencies.length > 1 ? { errors: [toWireError(new AppError("VALIDATION_ERROR", `These media buys are in ${currencies.join(", ")}: there is no total. Each package names its own currency.`, { field: "media_buy_ids", suggestion: "Ask for media buys of one currency." }))] } : {}),
    ...(asOf ? { ext: { delivery: presentAge(ctx, asOf) } } : {}),
    ...(buys.some((buy) => buy.isSandbox) ? { sandbox: true } : {}),
  };
}

async function loadFacts(ctx: Ctx, ids: string[], packages: PackageRow[], options: ReportOptions): Promise<Facts> {
  // Asked in one go; what creatives are called follows from the slices.
  const [slices, totals, days, zones, { timeZone: fallbackZone }] = await Promise.all([
    loadPackageSlices(ctx, ids, ["creative", ...options.cuts.map(({ dimension }) => dimension)], options.range),
    loadPackageTotals(ctx, ids),
    loadPackageDays(ctx, ids, options.range),
    loadZones(ctx, [...new Set(packages.flatMap((row) => row.sold.targets.map(({ adapterConfigId }) => adapterConfigId)))]),
    loadPublisherDefaults(ctx),
  ]);
  const creatives = slices.filter(({ dimension }) => dimension === "creative").map(({ key }) => key);
  return { totals, days: groupBy(days, (row) => row.packageId), slices: groupBy(slices, (row) => row.packageId), creativeIds: await loadCreativeIds(ctx, [...new Set(creatives)]), zones, fallbackZone };
}

type BuyReport = { presented: Record<string, unknown>; /** null: unknown. */ figures: DeliveryFigures | null; asOf: Date | null; period: Period; zone: string };

function reportBuy(ctx: Ctx, buy: MediaBuyRow, rows: PackageRow[], facts: Facts, options: ReportOptions): BuyReport {
  const zone = facts.zones.get(rows[0]?.sold.targets[0]?.adapterConfigId ?? "") ?? facts.fallbackZone;
  const period = toPeriod(options.range, zone, { from: buy.effectiveStartsAt ?? buy.startsAt, to: ctx.now }, ctx.now);
  const parts = rows.map((row) => ({ row, ...standOf(row, buy, period, facts) }));
  const known = parts.filter((part) => part.figures !== null);
  const figures = known.length > 0 || rows.length === 0 ? addFigures(known.map((part) => part.figures ?? NOTHING)) : null;
  const missing = parts.filter((part) => part.figures === null).map((part) => toWireId("package", part.row.id));
  const asOf = oldest(parts.flatMap(({ asOf: at }) => at ?? []));
  const models = [...new Set(rows.map((row) => row.pricingModel))];
  const rate = figures && models.length === 1 && models[0] ? effectiveRate(models[0], figures) : undefined;
  const presented = {
    media_buy_id: mediaBuyWireId(buy),
    status: figures === null ? "reporting_delayed" : buy.status,
    media_buy_status: buy.status,
    ...(figures === null ? { expected_availability: expectedReport(buy, ctx.now).toISOString() } : {}),
    ...(models.length === 1 ? { pricing_model: models[0] } : {}),
    totals: figures === null ? { spend: 0 } : { ...presentMetrics(figures), ...(rate === undefined ? {} : { effective_rate: rate }) },
    by_package: parts.map((part) => presentPackage(ctx, buy, part, period, facts, options)),
    daily_breakdown: byDay(rows.flatMap((row) => facts.days.get(row.id) ?? [])).map(([day, items]) => presentDay(day, addFigures(items))),
    ext: { delivery: { ...(asOf ? presentAge(ctx, asOf) : {}), time_zone: zone, ...(missing.length > 0 ? { not_reported: missing } : {}) } },
  };
  return { presented, figures, asOf, period, zone };
}

type Standing = { figures: DeliveryFigures | null; lifetime: Known | undefined; asOf: Date | null };

/** Of a period without rows: nothing if nothing can have been delivered by its end or the ad server has reported since it began, else unknown. */
function standOf(row: PackageRow, buy: MediaBuyRow, period: Period, facts: Facts): Standing {
  const lifetime = facts.totals.get(row.id);
  const days = facts.days.get(row.id) ?? [];
  const isReported = days.length > 0 || !canHaveDelivered(row, buy, period.to) || (lifetime !== undefined && period.from <= lifetime.asOf);
  return { figures: isReported ? addFigures(days) : null, lifetime, asOf: lifetime?.asOf ?? null };
}

function presentPackage(ctx: Ctx, buy: MediaBuyRow, { row, figures, lifetime, asOf }: Standing & { row: PackageRow }, period: Period, facts: Facts, options: ReportOptions): Record<string, unknown> {
  const slices = facts.slices.get(row.id) ?? [];
  const measuredUntil = asOf && asOf < period.to ? asOf : period.to;
  const pace = figures && pacingIndex(row, buy, figures, { from: period.from, to: measuredUntil });
  const status = deliveryStatus(row, buy, lifetime ?? NOTHING, ctx.now);
  const isAuction = row.sold.floorMicros !== undefined;
  const creatives = presentCreatives(slices, facts.creativeIds);
  return {
    package_id: toWireId("package", row.id),
    ...(figures === null ? { spend: 0 } : presentMetrics(figures)),
    pricing_model: row.pricingModel,
    rate: (isAuction && figures ? effectiveRate(row.pricingModel, figures) : undefined) ?? microsToNumber(row.rateMicros),
    currency: row.currency,
    ...(pace === null ? {} : { pacing_index: pace }),
    ...(status === null || status === "not_delivering" ? {} : { delivery_status: status }),
    paused: row.isPaused || buy.status === "paused",
    ...(creatives.length > 0 ? { by_creative: creatives } : {}),
    ...presentCuts(options.cuts, slices),
    ...(options.hasPackageDays ? { daily_breakdown: (facts.days.get(row.id) ?? []).map((day) => presentDay(day.day, day)) } : {}),
  };
}

/** `weight` is each creative's share of what creatives delivered, in per cent. */
function presentCreatives(slices: PackageSlice[], creativeIds: Map<string, string>): Record<string, unknown>[] {
  const own = slices.filter(({ dimension, key }) => dimension === "creative" && creativeIds.has(key));
  const total = own.reduce((sum, { impressions }) => sum + impressions, 0);
  return sortSlices(own, "impressions").map((slice) => ({ creative_id: creativeIds.get(slice.key), ...(total > 0 ? { weight: round((slice.impressions / total) * 100) } : {}), ...presentMetrics(slice) }));
}

function byDay(days: PackageDay[]): [string, PackageDay[]][] {
  return [...groupBy(days, ({ day }) => day)].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** By then the next pull has been. */
function expectedReport(buy: MediaBuyRow, now: Date): Date {
  const start = realStart(buy, buy);
  return addMs(start > now ? start : now, REPORT_INTERVAL_MS);
}

function presentTotals(figures: DeliveryFigures[], count: number): Record<string, unknown> {
  const { ctr: _ctr, cost_per_click: _cost, ...totals } = presentMetrics(addFigures(figures));
  return { ...totals, media_buy_count: count };
}

/** From the first of these periods to the last: zones differ by connection. */
function presentWhole(periods: { start: string; end: string }[], fallback: { start: string; end: string }): { start: string; end: string } {
  return periods.reduce((whole, period) => ({ start: period.start < whole.start ? period.start : whole.start, end: period.end > whole.end ? period.end : whole.end }), periods[0] ?? fallback);
}

function presentAge(ctx: Ctx, asOf: Date): Record<string, unknown> {
  return { as_of: asOf.toISOString(), age_seconds: Math.max(0, Math.round((ctx.now.getTime() - asOf.getTime()) / SECOND_MS)) };
}
