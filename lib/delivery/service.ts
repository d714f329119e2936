import { and, eq, inArray, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { invariant } from "../errors";
import { groupBy } from "../group-by";
import { announceChange } from "../live";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { loadZones } from "./queries";
import { type DELIVERY_SOURCES, deliveryDaily, type DeliveryDimension, deliverySlices } from "./schema";

export type DeliveryFigures = {
  impressions: number;
  spendMicros: bigint;
  /** null: not measured. */
  clicks: number | null;
  completedViews: number | null;
  conversions: number | null;
};
export type DeliverySlice = DeliveryFigures & { dimension: DeliveryDimension; key: string; label?: string };
export type DeliveryDay = DeliveryFigures & {
  packageId: string;
  adapterConfigId: string;
  /** A date of the connection's zone. */
  day: string;
  /** Slices of the dimensions named here replace what was known of them for this day; other dimensions stay. */
  slices?: DeliverySlice[];
};

export type RecordDeliveryInput = {
  source: (typeof DELIVERY_SOURCES)[number];
  /** When the ad server said so. What came from a later moment is never overwritten. */
  syncedAt: Date;
  days: DeliveryDay[];
  /** `replace`: these are the whole day's figures. `add`: they come on top of what is known. */
  mode?: "replace" | "add";
};

/** Below the number of parameters that a statement may have. */
const CHUNK = 500;

/**
 * The one writer of delivery: whole days per package and connection, by their natural key, so that the same report may be recorded twice.
 * Zeros are recorded only if somebody said zero. Answers the media buys whose figures changed.
 */
export async function recordDelivery(ctx: Ctx, input: RecordDeliveryInput): Promise<{ changedMediaBuyIds: string[] }> {
  const days = [...new Map(input.days.map((day) => [`${day.packageId} ${day.adapterConfigId} ${day.day}`, day])).values()];
  if (days.length === 0) return { changedMediaBuyIds: [] };
  invariant(days.length === input.days.length || input.mode !== "add", "a day is named twice");
  const packages = await loadSold(ctx, [...new Set(days.map(({ packageId }) => packageId))]);
  const zones = await loadZones(ctx, [...new Set(days.map(({ adapterConfigId }) => adapterConfigId))]);
  const rows = days.map(({ packageId, adapterConfigId, day, impressions, spendMicros, clicks, completedViews, conversions }) => {
    const sold = packages.get(packageId);
    const timeZone = zones.get(adapterConfigId);
    invariant(sold, `no package ${packageId}`);
    invariant(timeZone, `no connection ${adapterConfigId}`);
    invariant(input.source === "ad_server" || sold.isSandbox, "figures are made up for sandbox orders only");
    const { mediaBuyId, currency } = sold;
    return {
      tenantId: ctx.tenantId, mediaBuyId, packageId, adapterConfigId, day, timeZone, currency, impressions, spendMicros, clicks, completedViews, conversions,
      source: input.source, syncedAt: input.syncedAt, changedAt: ctx.now, createdAt: ctx.now,
    };
  });
  const changed = new Set<string>();
  for (let from = 0; from < rows.length; from += CHUNK) {
    for (const id of await upsert(ctx, rows.slice(from, from + CHUNK), input.mode ?? "replace")) changed.add(id);
  }
  await recordSlices(ctx, days, packages, input.syncedAt);
  for (const mediaBuyId of changed) announceChange(ctx, "media_buy", mediaBuyId);
  return { changedMediaBuyIds: [...changed] };
}

async function loadSold(ctx: Ctx, packageIds: string[]): Promise<Map<string, { mediaBuyId: string; currency: string; isSandbox: boolean }>> {
  const rows = await ctx.db.select({ id: mediaPackages.id, mediaBuyId: mediaPackages.mediaBuyId, currency: mediaPackages.currency, isSandbox: mediaBuys.isSandbox })
    .from(mediaPackages).innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId)))
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), inArray(mediaPackages.id, packageIds)));
  return new Map(rows.map(({ id, ...sold }) => [id, sold]));
}

const METRICS = ["impressions", "spend_micros", "clicks", "completed_views", "conversions"] as const;

/** `changed_at` moves only with a figure: whoever resends corrected periods looks for it. */
async function upsert(ctx: Ctx, rows: (typeof deliveryDaily.$inferInsert)[], mode: "replace" | "add"): Promise<string[]> {
  const value = (metric: (typeof METRICS)[number]) => {
    const [known, reported] = [sql.raw(`delivery_daily.${metric}`), sql.raw(`excluded.${metric}`)];
    return mode === "replace" ? sql`${reported}` : sql`case when ${known} is null and ${reported} is null then null else coalesce(${known}, 0) + coalesce(${reported}, 0) end`;
  };
  const known = sql.raw(`(${METRICS.map((metric) => `delivery_daily.${metric}`).join(", ")})`);
  const next = sql`(${sql.join(METRICS.map(value), sql`, `)})`;
  const written = await ctx.db.insert(deliveryDaily).values(rows).onConflictDoUpdate({
    target: [deliveryDaily.tenantId, deliveryDaily.packageId, deliveryDaily.adapterConfigId, deliveryDaily.day],
    set: {
      impressions: value("impressions"), spendMicros: value("spend_micros"), clicks: value("clicks"), completedViews: value("completed_views"), conversions: value("conversions"),
      source: sql`excluded.source`, syncedAt: sql`excluded.synced_at`,
      changedAt: sql`case when row${known} is distinct from row${next} then excluded.changed_at else delivery_daily.changed_at end`,
    },
    setWhere: sql`delivery_daily.synced_at <= excluded.synced_at`,
  }).returning({ mediaBuyId: deliveryDaily.mediaBuyId, changedAt: deliveryDaily.changedAt });
  return written.filter(({ changedAt }) => changedAt.getTime() === ctx.now.getTime()).map(({ mediaBuyId }) => mediaBuyId);
}

type SliceRow = typeof deliverySlices.$inferInsert;

/** Replaces whole cuts, one dimension of one day each, unless what is known of a cut is newer. */
async function recordSlices(ctx: Ctx, days: DeliveryDay[], packages: Map<string, { mediaBuyId: string }>, syncedAt: Date): Promise<void> {
  const rows = days.flatMap(({ slices = [], packageId, adapterConfigId, day }) => slices.map((slice): SliceRow => ({
    tenantId: ctx.tenantId, mediaBuyId: packages.get(packageId)?.mediaBuyId ?? "", packageId, adapterConfigId, day, dimension: slice.dimension, key: slice.key, label: slice.label ?? null,
    impressions: slice.impressions, spendMicros: slice.spendMicros, clicks: slice.clicks, completedViews: slice.completedViews, conversions: slice.conversions, syncedAt,
  })));
  const cuts = [...groupBy(rows, cutKey).values()];
  for (let from = 0; from < cuts.length; from += CHUNK) {
    const chunk = cuts.slice(from, from + CHUNK);
    const named = sql`jsonb_to_recordset(${JSON.stringify(chunk.map(([first]) => first && { p: first.packageId, c: first.adapterConfigId, d: first.day, k: first.dimension }))}::jsonb) as cut(p uuid, c uuid, d date, k text)`;
    const ofCut = sql`${deliverySlices.tenantId} = ${ctx.tenantId} and ${deliverySlices.packageId} = cut.p and ${deliverySlices.adapterConfigId} = cut.c and ${deliverySlices.day} = cut.d and ${deliverySlices.dimension} = cut.k`;
    await ctx.db.execute(sql`delete from ${deliverySlices} using ${named} where ${ofCut} and ${deliverySlices.syncedAt} <= ${syncedAt.toISOString()}::timestamptz`);
    const newer = new Set((await ctx.db.selectDistinct({ packageId: deliverySlices.packageId, adapterConfigId: deliverySlices.adapterConfigId, day: deliverySlices.day, dimension: deliverySlices.dimension })
      .from(deliverySlices).innerJoin(named, ofCut)).map(cutKey));
    const inserted = chunk.flatMap((cut) => (cut[0] && newer.has(cutKey(cut[0])) ? [] : cut));
    for (let at = 0; at < inserted.length; at += CHUNK) await ctx.db.insert(deliverySlices).values(inserted.slice(at, at + CHUNK));
  }
}

function cutKey({ packageId, adapterConfigId, day, dimension }: Pick<SliceRow, "packageId" | "adapterConfigId" | "day" | "dimension">): string {
  return `${packageId} ${adapterConfigId} ${day} ${dimension}`;
}
