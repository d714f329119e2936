import { and, asc, eq, gte, inArray, lte, sql } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { creatives } from "../creatives/schema";
import { invariant } from "../errors";
import { groupBy } from "../group-by";
import { tenants } from "../tenants/schema";
import { deliveryDaily, type DeliveryDimension, deliverySlices } from "./schema";
import { type DeliveryFigures } from "./service";

/** Days of delivery, both ends included; undefined: from or to wherever there is anything. */
export type DayRange = { from?: string; to?: string };

export type PackageDay = DeliveryFigures & { mediaBuyId: string; packageId: string; day: string; syncedAt: Date; changedAt: Date };
export type PackageSlice = DeliveryFigures & { mediaBuyId: string; packageId: string; dimension: DeliveryDimension; key: string; label: string | null };

const whole = (column: unknown) => sql<number>`sum(${column})`.mapWith(Number);
/** Sums of what nobody measured are unknown, not zero. */
const measured = (column: unknown) => sql<number | null>`sum(${column})`.mapWith((value: string | null) => (value === null ? null : Number(value)));

function figuresOf(table: typeof deliveryDaily | typeof deliverySlices) {
  return {
    impressions: whole(table.impressions), spendMicros: sql<bigint>`sum(${table.spendMicros})`.mapWith(BigInt),
    clicks: measured(table.clicks), completedViews: measured(table.completedViews), conversions: measured(table.conversions),
  };
}

/** What is known of these media buys by package and day, all connections together, oldest day first. */
export async function loadPackageDays(ctx: Ctx, mediaBuyIds: string[], range: DayRange = {}): Promise<PackageDay[]> {
  if (mediaBuyIds.length === 0) return [];
  return ctx.db.select({
    mediaBuyId: deliveryDaily.mediaBuyId, packageId: deliveryDaily.packageId, day: deliveryDaily.day, ...figuresOf(deliveryDaily),
    syncedAt: sql<Date>`min(${deliveryDaily.syncedAt})`.mapWith(deliveryDaily.syncedAt), changedAt: sql<Date>`max(${deliveryDaily.changedAt})`.mapWith(deliveryDaily.changedAt),
  }).from(deliveryDaily)
    .where(and(
      eq(deliveryDaily.tenantId, ctx.tenantId), inArray(deliveryDaily.mediaBuyId, mediaBuyIds),
      range.from === undefined ? undefined : gte(deliveryDaily.day, range.from), range.to === undefined ? undefined : lte(deliveryDaily.day, range.to),
    ))
    .groupBy(deliveryDaily.mediaBuyId, deliveryDaily.packageId, deliveryDaily.day)
    .orderBy(asc(deliveryDaily.mediaBuyId), asc(deliveryDaily.packageId), asc(deliveryDaily.day));
}

/** The same period cut along these dimensions, by package. */
export async function loadPackageSlices(ctx: Ctx, mediaBuyIds: string[], dimensions: readonly DeliveryDimension[], range: DayRange = {}): Promise<PackageSlice[]> {
  if (mediaBuyIds.length === 0 || dimensions.length === 0) return [];
  return ctx.db.select({
    mediaBuyId: deliverySlices.mediaBuyId, packageId: deliverySlices.packageId, dimension: deliverySlices.dimension, key: deliverySlices.key,
    label: sql<string | null>`max(${deliverySlices.label})`, ...figuresOf(deliverySlices),
  }).from(deliverySlices)
    .where(and(
      eq(deliverySlices.tenantId, ctx.tenantId), inArray(deliverySlices.mediaBuyId, mediaBuyIds), inArray(deliverySlices.dimension, [...dimensions]),
      range.from === undefined ? undefined : gte(deliverySlices.day, range.from), range.to === undefined ? undefined : lte(deliverySlices.day, range.to),
    ))
    .groupBy(deliverySlices.mediaBuyId, deliverySlices.packageId, deliverySlices.dimension, deliverySlices.key)
    .orderBy(asc(deliverySlices.packageId), asc(deliverySlices.dimension), asc(deliverySlices.key));
}

/** Where nothing else says: the publisher's zone and currency. */
export async function loadPublisherDefaults(ctx: Ctx): Promise<{ timeZone: string; currency: string }> {
  const [publisher] = await ctx.db.select({ timeZone: tenants.timeZone, currency: tenants.defaultCurrency }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  invariant(publisher, `no tenant ${ctx.tenantId}`);
  return publisher;
}

/** The zones whose days these connections report. */
export async function loadZones(ctx: Ctx, adapterConfigIds: string[]): Promise<Map<string, string>> {
  if (adapterConfigIds.length === 0) return new Map();
  const rows = await ctx.db.select({ id: adapterConfigs.id, timeZone: adapterConfigs.timeZone }).from(adapterConfigs)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), inArray(adapterConfigs.id, adapterConfigIds)));
  return new Map(rows.map(({ id, timeZone }) => [id, timeZone]));
}

/** The buyers' own ids of these creatives, by ours. */
export async function loadCreativeIds(ctx: Ctx, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await ctx.db.select({ id: creatives.id, creativeId: creatives.creativeId }).from(creatives).where(and(eq(creatives.tenantId, ctx.tenantId), inArray(creatives.id, ids)));
  return new Map(rows.map(({ id, creativeId }) => [id, creativeId]));
}

export type Known = DeliveryFigures & { /** The oldest of what its connections last reported. */ asOf: Date };

/** All that is known of each package of these media buys. Those of which nothing is known are missing. */
export async function loadPackageTotals(ctx: Ctx, mediaBuyIds: string[]): Promise<Map<string, Known>> {
  if (mediaBuyIds.length === 0) return new Map();
  const rows = await ctx.db.select({ packageId: deliveryDaily.packageId, ...figuresOf(deliveryDaily), asOf: sql<Date>`max(${deliveryDaily.syncedAt})`.mapWith(deliveryDaily.syncedAt) })
    .from(deliveryDaily).where(and(eq(deliveryDaily.tenantId, ctx.tenantId), inArray(deliveryDaily.mediaBuyId, mediaBuyIds)))
    .groupBy(deliveryDaily.packageId, deliveryDaily.adapterConfigId);
  return new Map([...groupBy(rows, (row) => row.packageId)].map(([packageId, parts]) => [packageId, { ...addFigures(parts), asOf: oldest(parts.map(({ asOf }) => asOf)) ?? new Date(0) }]));
}

export function oldest(instants: Date[]): Date | null {
  return instants.reduce<Date | null>((first, instant) => (first === null || instant < first ? instant : first), null);
}

export const NOTHING: DeliveryFigures = { impressions: 0, spendMicros: 0n, clicks: null, completedViews: null, conversions: null };

/** Sums that keep "not measured" apart from zero. */
export function addFigures(items: readonly DeliveryFigures[]): DeliveryFigures {
  const plus = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));
  return items.reduce((sum, item) => ({
    impressions: sum.impressions + item.impressions, spendMicros: sum.spendMicros + item.spendMicros, clicks: plus(sum.clicks, item.clicks),
    completedViews: plus(sum.completedViews, item.completedViews), conversions: plus(sum.conversions, item.conversions),
  }), NOTHING);
}

/** All that is known of one media buy. */
export async function loadTotals(ctx: Ctx, mediaBuyId: string): Promise<DeliveryFigures> {
  return addFigures(await loadPackageDays(ctx, [mediaBuyId]));
}
