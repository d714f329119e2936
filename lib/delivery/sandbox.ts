import { and, asc, eq, isNull } from "drizzle-orm";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { MICROS } from "../money";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { dayIn } from "./days";
import { loadTotals, loadZones } from "./queries";
import { type DeliveryDay, type DeliveryFigures, recordDelivery } from "./service";

export type SimulatedFigures = { impressions?: number; clicks?: number; conversions?: number; spendMicros?: bigint };

type Target = { packageId: string; adapterConfigId: string; day: string; budgetMicros: bigint };

/**
 * Adds made-up delivery of today to a sandbox order, spread over its packages by their budgets. Answers all that is known of the order now.
 * Throws INVALID_STATE for an order that is sold through no connection, or is not a sandbox order.
 */
export async function simulateDelivery(ctx: Ctx, mediaBuyId: string, figures: SimulatedFigures): Promise<DeliveryFigures> {
  const targets = await loadTargets(ctx, mediaBuyId);
  const total = targets.reduce((sum, item) => sum + item.budgetMicros, 0n);
  const share = (amount: bigint | number | undefined) => spread(BigInt(amount ?? 0), targets.map(({ budgetMicros }) => budgetMicros), total);
  const [impressions, clicks, conversions, spend] = [share(figures.impressions), share(figures.clicks), share(figures.conversions), share(figures.spendMicros)];
  const days = targets.map(({ packageId, adapterConfigId, day }, index): DeliveryDay => ({
    packageId, adapterConfigId, day, impressions: Number(impressions[index] ?? 0n), spendMicros: spend[index] ?? 0n,
    clicks: figures.clicks === undefined ? null : Number(clicks[index] ?? 0n), completedViews: null, conversions: figures.conversions === undefined ? null : Number(conversions[index] ?? 0n),
  }));
  await recordDelivery(ctx, { source: "sandbox", syncedAt: ctx.now, days, mode: "add" });
  return loadTotals(ctx, mediaBuyId);
}

/** Makes a sandbox order have spent this part of its budget, never less than it has. @param percentage 0 to 100 */
export async function simulateBudgetSpend(ctx: Ctx, mediaBuyId: string, percentage: number): Promise<{ spentMicros: bigint; budgetMicros: bigint }> {
  const targets = await loadTargets(ctx, mediaBuyId);
  const budgetMicros = targets.reduce((sum, item) => sum + item.budgetMicros, 0n);
  const wantedMicros = (budgetMicros * BigInt(Math.round(percentage * 1e4))) / MICROS;
  const { spendMicros } = await loadTotals(ctx, mediaBuyId);
  if (wantedMicros <= spendMicros) return { spentMicros: spendMicros, budgetMicros };
  await simulateDelivery(ctx, mediaBuyId, { spendMicros: wantedMicros - spendMicros });
  return { spentMicros: wantedMicros, budgetMicros };
}

async function loadTargets(ctx: Ctx, mediaBuyId: string): Promise<Target[]> {
  const rows = await ctx.db.select({ packageId: mediaPackages.id, sold: mediaPackages.sold, budgetMicros: mediaPackages.budgetMicros })
    .from(mediaPackages).innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId), eq(mediaBuys.isSandbox, true)))
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.mediaBuyId, mediaBuyId), isNull(mediaPackages.canceledAt)))
    .orderBy(asc(mediaPackages.position));
  const zones = await loadZones(ctx, rows.flatMap(({ sold }) => sold.targets.map(({ adapterConfigId }) => adapterConfigId)));
  const targets = rows.flatMap(({ packageId, sold, budgetMicros }): Target[] => {
    const adapterConfigId = sold.targets[0]?.adapterConfigId;
    const timeZone = adapterConfigId === undefined ? undefined : zones.get(adapterConfigId);
    return adapterConfigId === undefined || timeZone === undefined ? [] : [{ packageId, adapterConfigId, day: dayIn(ctx.now, timeZone), budgetMicros }];
  });
  if (targets.length === 0) throw new AppError("INVALID_STATE", "Nothing of this media buy can deliver in the sandbox.");
  return targets;
}

/** Whole parts in these proportions that add up to the amount: what division leaves goes to the first. */
export function spread(amount: bigint, weights: bigint[], total: bigint): bigint[] {
  const parts = weights.map((weight) => (total === 0n ? 0n : (amount * weight) / total));
  const rest = amount - parts.reduce((sum, part) => sum + part, 0n);
  return parts.map((part, index) => (index === 0 ? part + rest : part));
}
