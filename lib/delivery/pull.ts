import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { externalObjects } from "../ad-servers/schema";
import { type DeliveryCount, type DeliveryQuery } from "../ad-servers/types";
import { type Ctx } from "../context";
import { findFormat } from "../creatives/formats";
import { fulfilments } from "../fulfilment/schema";
import { groupBy } from "../group-by";
import { mediaBuys, mediaPackages, type SoldSnapshot } from "../media-buys/schema";
import { addMs, DAY_MS } from "../time";
import { addDays, dayIn, daysBetween } from "./days";
import { deliveryDaily, type DeliveryDimension } from "./schema";
import { type DeliveryDay, type DeliverySlice, recordDelivery } from "./service";
import { realStart } from "./standing";

/** Ad servers correct their figures for some days; a day older than this stands. */
const CORRECTED_DAYS = 3;
/** How far back the first pull of an order reaches. */
const FIRST_PULL_DAYS = 90;

type PulledLine = { packageId: string; externalId: string; firstDay: string; lastDay: string; hasViews: boolean };
/** What to ask an ad server for, and how to read its answer. */
export type DeliveryPull = { query: DeliveryQuery; lines: Map<string, PulledLine>; creativeIds: Map<string, string> };

/** The orders of a connection whose figures can still move: begun, and not over for longer than corrections take. null: there are none. */
export async function planDeliveryPull(ctx: Ctx, connection: { id: string; timeZone: string }): Promise<DeliveryPull | null> {
  const today = dayIn(ctx.now, connection.timeZone);
  const settled = addMs(ctx.now, -(CORRECTED_DAYS + 1) * DAY_MS);
  const rows = await ctx.db.select({
    fulfilmentId: fulfilments.id, buy: { effectiveStartsAt: mediaBuys.effectiveStartsAt }, externalId: externalObjects.externalId,
    row: { id: mediaPackages.id, startsAt: mediaPackages.startsAt, endsAt: mediaPackages.endsAt, sold: mediaPackages.sold },
    knownUntil: sql<string | null>`(select max(d.day)::text from ${deliveryDaily} d where d.tenant_id = ${mediaPackages.tenantId} and d.package_id = ${mediaPackages.id} and d.adapter_config_id = ${connection.id})`,
  })
    .from(externalObjects)
    .innerJoin(fulfilments, and(eq(fulfilments.tenantId, externalObjects.tenantId), eq(fulfilments.id, externalObjects.fulfilmentId)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, fulfilments.tenantId), eq(mediaBuys.id, fulfilments.mediaBuyId)))
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, externalObjects.tenantId), sql`${mediaPackages.id}::text = ${externalObjects.ourKey}`, eq(mediaPackages.mediaBuyId, mediaBuys.id)))
    .where(and(
      eq(externalObjects.tenantId, ctx.tenantId), eq(externalObjects.adapterConfigId, connection.id), eq(externalObjects.kind, "line_item"),
      isNotNull(mediaBuys.confirmedAt), sql`${mediaBuys.endsAt} > ${settled.toISOString()}::timestamptz`, sql`coalesce(${mediaBuys.effectiveStartsAt}, ${mediaBuys.startsAt}) <= ${ctx.now.toISOString()}::timestamptz`,
    ));
  const lines = rows.flatMap(({ buy, row, externalId, knownUntil }): (PulledLine & { from: string })[] => {
    const firstDay = dayIn(realStart(row, buy), connection.timeZone);
    if (firstDay > today) return [];
    const lastDay = earlier(dayIn(addMs(row.endsAt, -1), connection.timeZone), today);
    const from = later(firstDay, knownUntil === null ? addDays(today, -FIRST_PULL_DAYS) : addDays(earlier(knownUntil, today), -CORRECTED_DAYS));
    return [{ packageId: row.id, externalId, firstDay, lastDay, hasViews: canBeViewed(row.sold), from }];
  });
  if (lines.length === 0) return null;
  const objects = await ctx.db.select({ kind: externalObjects.kind, ourKey: externalObjects.ourKey, externalId: externalObjects.externalId }).from(externalObjects)
    .where(and(eq(externalObjects.tenantId, ctx.tenantId), eq(externalObjects.adapterConfigId, connection.id), inArray(externalObjects.kind, ["order", "creative"]), inArray(externalObjects.fulfilmentId, [...new Set(rows.map(({ fulfilmentId }) => fulfilmentId))])));
  const orderExternalIds = objects.filter(({ kind }) => kind === "order").map(({ externalId }) => externalId);
  if (orderExternalIds.length === 0) return null;
  return {
    query: { orderExternalIds, from: lines.reduce((first, line) => earlier(first, line.from), today), to: today, reportKey: connection.id.slice(-12) },
    lines: new Map(lines.map(({ from: _from, ...line }) => [line.externalId, line])),
    // Each order has its own copy of a creative, keyed `<fulfilment>:<creative>`.
    creativeIds: new Map(objects.filter(({ kind }) => kind === "creative").map(({ ourKey, externalId }) => [externalId, ourKey.slice(ourKey.lastIndexOf(":") + 1)])),
  };
}

/**
 * Records what the ad server counted. A day of a flight that it was asked for and has no row for is a zero that it stated. Rows of line items
 * that were added by hand are left out: nobody sold them here.
 */
export async function recordPull(ctx: Ctx, connectionId: string, pull: DeliveryPull, counts: DeliveryCount[], askedAt: Date): Promise<{ days: number; changedMediaBuyIds: string[] }> {
  const byLine = groupBy(counts, ({ lineItemExternalId }) => lineItemExternalId);
  const days = [...pull.lines.values()].flatMap((line): DeliveryDay[] => {
    const byDay = groupBy(byLine.get(line.externalId) ?? [], ({ day }) => day);
    const asked = new Set([...daysBetween(later(line.firstDay, pull.query.from), line.lastDay), ...byDay.keys()]);
    return [...asked].map((day) => toDay(connectionId, pull, line, day, byDay.get(day) ?? []));
  });
  const { changedMediaBuyIds } = await recordDelivery(ctx, { source: "ad_server", syncedAt: askedAt, days });
  return { days: days.length, changedMediaBuyIds };
}

function toDay(adapterConfigId: string, pull: DeliveryPull, line: PulledLine, day: string, counts: DeliveryCount[]): DeliveryDay {
  const figures = (count: DeliveryCount | undefined) => ({
    impressions: count?.impressions ?? 0, clicks: count?.clicks ?? 0, spendMicros: BigInt(count?.spendMicros ?? 0), completedViews: line.hasViews ? (count?.completedViews ?? 0) : null, conversions: null,
  });
  const slices = counts.flatMap((count): DeliverySlice[] => {
    if (!count.cut) return [];
    const key = count.cut.dimension === "creative" ? pull.creativeIds.get(count.cut.key) : count.cut.key;
    const dimension: DeliveryDimension = count.cut.dimension;
    return key === undefined || key === "" ? [] : [{ dimension, key, label: count.cut.label, ...figures(count) }];
  });
  return { packageId: line.packageId, adapterConfigId, day, ...figures(counts.find(({ cut }) => cut === undefined)), ...(slices.length > 0 ? { slices } : {}) };
}

function canBeViewed(sold: SoldSnapshot): boolean {
  return sold.formatIds.some((id) => ["video", "audio"].includes(findFormat(id)?.kind ?? ""));
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
