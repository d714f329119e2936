import { and, asc, eq, inArray, isNull, sql, type SQLWrapper } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { type Availability, type AvailabilityQuery } from "../ad-servers/types";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { type Tx } from "../db/client";
import { addDays, dayIn } from "../delivery/days";
import { groupBy } from "../group-by";
import { announceChange } from "../live";
import { products, productTargets } from "../products/schema";
import { addMs, DAY_MS } from "../time";
import { AVAILABILITY_OLD_MS, type AvailableDays } from "./days";
import { productAvailability } from "./schema";

/** How far ahead is asked. */
const DAYS_AHEAD = 90;

type Plan = { query: AvailabilityQuery; targets: Map<string, Record<string, unknown>> };

/** The products on sale through a connection, with what to ask about each. null: there are none. */
export async function planAvailability(ctx: Ctx, connection: { id: string; timeZone: string }): Promise<Plan | null> {
  const rows = await ctx.db.select({ key: productTargets.productId, target: productTargets.config }).from(productTargets)
    .innerJoin(products, and(eq(products.tenantId, productTargets.tenantId), eq(products.id, productTargets.productId)))
    .leftJoin(productAvailability, and(eq(productAvailability.tenantId, productTargets.tenantId), eq(productAvailability.productId, productTargets.productId), eq(productAvailability.adapterConfigId, productTargets.adapterConfigId)))
    .where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.adapterConfigId, connection.id), isNull(products.archivedAt), isNull(products.seededFor)))
    // Those first of which least is known: a sync that is cut short begins where the last one ended.
    .orderBy(sql`${productAvailability.generatedAt} asc nulls first`, asc(products.position), asc(products.id));
  if (rows.length === 0) return null;
  const from = dayIn(ctx.now, connection.timeZone);
  return { query: { items: rows, from, to: addDays(from, DAYS_AHEAD - 1), reportKey: connection.id.slice(-12) }, targets: new Map(rows.map(({ key, target }) => [key, target])) };
}

/**
 * Records answers, in one statement: each moves the catalogue's version. A day that the ad server left out is one of which it expects nothing.
 * A product that was unmapped meanwhile is left out.
 */
export async function recordAvailability(ctx: Ctx, connectionId: string, { query, targets }: Plan, answers: readonly Availability[], askedAt: Date): Promise<void> {
  const mapped = await ctx.db.select({ productId: productTargets.productId }).from(productTargets)
    .where(and(eq(productTargets.tenantId, ctx.tenantId), inArray(productTargets.productId, answers.map(({ key }) => key)), eq(productTargets.adapterConfigId, connectionId))).orderBy(asc(productTargets.productId)).for("key share");
  const rows = answers.filter(({ key }) => mapped.some(({ productId }) => productId === key)).map((answer) => {
    const byDay = new Map(answer.days?.map((day) => [day.day, day]));
    const days = answer.days ? Array.from({ length: DAYS_AHEAD }, (_, index) => byDay.get(addDays(query.from, index))) : [];
    return {
      tenantId: ctx.tenantId, productId: answer.key, adapterConfigId: connectionId, config: targets.get(answer.key) ?? {}, firstDay: query.from,
      forecast: days.map((day) => day?.forecast ?? 0), available: days.map((day) => day?.available ?? 0), reason: answer.reason ?? null, generatedAt: askedAt,
    };
  });
  if (rows.length === 0) return;
  await ctx.db.insert(productAvailability).values(rows).onConflictDoUpdate({
    target: [productAvailability.tenantId, productAvailability.productId, productAvailability.adapterConfigId],
    set: { config: sql`excluded.config`, firstDay: sql`excluded.first_day`, forecast: sql`excluded.forecast`, available: sql`excluded.available`, reason: sql`excluded.reason`, generatedAt: sql`excluded.generated_at` },
  });
  for (const { productId } of rows) announceChange(ctx, "product", productId);
}

/** products.id → the days that are known, of the live ad servers it is sold through, or of simulated ones where there is no other. */
export async function loadAvailability(tx: Tx, tenantId: string, productIds?: string[]): Promise<Map<string, AvailableDays>> {
  const rows = await tx.select({ row: productAvailability, mode: adapterConfigs.mode, timeZone: adapterConfigs.timeZone }).from(productAvailability)
    .innerJoin(productTargets, and(
      eq(productTargets.tenantId, productAvailability.tenantId), eq(productTargets.productId, productAvailability.productId), eq(productTargets.adapterConfigId, productAvailability.adapterConfigId),
      eq(productTargets.config, productAvailability.config),
    ))
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productAvailability.tenantId), eq(adapterConfigs.id, productAvailability.adapterConfigId)))
    .where(and(eq(productAvailability.tenantId, tenantId), productIds && inArray(productAvailability.productId, productIds), isNull(productAvailability.reason), isNull(adapterConfigs.archivedAt), eq(adapterConfigs.status, "verified")));
  return new Map([...groupBy(rows, ({ row }) => row.productId)].map(([productId, of]) => {
    const live = of.filter(({ mode }) => mode === "live");
    return [productId, addUp((live.length > 0 ? live : of).map(({ row, timeZone }) => ({ ...row, timeZone: timeZone ?? "UTC" })))];
  }));
}

/** Only days that every one of them knows. The oldest of them says how old the sum is. */
function addUp(rows: (typeof productAvailability.$inferSelect & { timeZone: string })[]): AvailableDays {
  const firstDay = rows.map((row) => row.firstDay).reduce((a, b) => (a > b ? a : b));
  const slices = rows.map((row) => row.available.slice(daysApart(row.firstDay, firstDay)));
  const length = Math.min(...slices.map((slice) => slice.length));
  return {
    firstDay, timeZone: rows[0]?.timeZone ?? "UTC", available: Array.from({ length }, (_, index) => slices.reduce((sum, slice) => sum + (slice[index] ?? 0), 0)),
    generatedAt: rows.map((row) => row.generatedAt).reduce((a, b) => (a < b ? a : b)),
  };
}

function daysApart(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

export type ShownAvailability = Awaited<ReturnType<typeof listAvailability>>[number];

/** What each connection said of a product last, for staff: totals of the first 30 days and of all, or why there is none. */
export async function listAvailability(ctx: Ctx, productId: string) {
  requirePermission(ctx.actor, "product.read");
  const sum = (column: SQLWrapper, days: number) => sql<number>`coalesce((select sum(x) from unnest(${column}[1:${sql.raw(String(days))}]) as x), 0)::float8`;
  const rows = await ctx.db.select({
    adapterConfigId: adapterConfigs.id, connectionName: adapterConfigs.name, timeZone: adapterConfigs.timeZone, isVerified: sql<boolean>`${adapterConfigs.status} = 'verified'`,
    generatedAt: productAvailability.generatedAt, reason: productAvailability.reason, firstDay: productAvailability.firstDay, isCurrent: sql<boolean>`${productAvailability.config} = ${productTargets.config}`,
    available30: sum(productAvailability.available, 30), forecast30: sum(productAvailability.forecast, 30), available90: sum(productAvailability.available, DAYS_AHEAD), forecast90: sum(productAvailability.forecast, DAYS_AHEAD),
  }).from(productTargets)
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId)))
    .leftJoin(productAvailability, and(eq(productAvailability.tenantId, productTargets.tenantId), eq(productAvailability.productId, productTargets.productId), eq(productAvailability.adapterConfigId, productTargets.adapterConfigId)))
    .where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.productId, productId), isNull(adapterConfigs.archivedAt))).orderBy(asc(adapterConfigs.name), asc(adapterConfigs.id));
  return rows.map((row) => ({ ...row, isStale: row.generatedAt !== null && row.generatedAt < addMs(ctx.now, -AVAILABILITY_OLD_MS) }));
}
