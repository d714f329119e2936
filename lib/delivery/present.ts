import { microsToNumber } from "../money";
import { type PackageRow } from "../media-buys/queries";
import { type DeliveryFigures } from "./service";
import { round } from "./standing";

/** core/delivery-metrics.json: rates only where both sides were measured. */
export function presentMetrics({ impressions, spendMicros, clicks, completedViews, conversions }: DeliveryFigures): Record<string, unknown> {
  const spend = microsToNumber(spendMicros);
  return {
    impressions,
    spend,
    ...(clicks === null ? {} : { clicks, ...(impressions > 0 ? { ctr: atMostOne(clicks / impressions) } : {}), ...(clicks > 0 ? { cost_per_click: round(spend / clicks) } : {}) }),
    ...(completedViews === null ? {} : { completed_views: completedViews, ...(impressions > 0 ? { completion_rate: atMostOne(completedViews / impressions) } : {}) }),
    ...(conversions === null ? {} : { conversions, ...(conversions > 0 ? { cost_per_acquisition: round(spend / conversions) } : {}) }),
  };
}

function atMostOne(ratio: number): number {
  return Math.min(1, round(ratio));
}

/** What one unit has really cost: per thousand impressions or per click. undefined: nothing was delivered yet, or nobody counts it. */
export function effectiveRate(pricingModel: PackageRow["pricingModel"], { impressions, clicks, spendMicros }: DeliveryFigures): number | undefined {
  const spend = microsToNumber(spendMicros);
  if (pricingModel === "cpm") return impressions > 0 ? round((spend / impressions) * 1000) : undefined;
  if (pricingModel === "cpc") return clicks !== null && clicks > 0 ? round(spend / clicks) : undefined;
  return undefined;
}

/** One figure per day; clicks and views beside what the schema names. */
export function presentDay(day: string, figures: DeliveryFigures): Record<string, unknown> {
  const { impressions, spend, clicks, completed_views: completedViews, conversions } = presentMetrics(figures);
  return { date: day, impressions, spend, ...(clicks === undefined ? {} : { clicks }), ...(completedViews === undefined ? {} : { completed_views: completedViews }), ...(conversions === undefined ? {} : { conversions }) };
}
