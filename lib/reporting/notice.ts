import { isObject } from "../adcp/schemas";
import { type Ctx } from "../context";
import { type DayRange } from "../delivery/queries";
import { reportDelivery } from "../delivery/report";
import { type MediaBuyRow } from "../media-buys/transitions";
import { REPORTED_METRICS } from "./capabilities";

export type NoticeType = "scheduled" | "final" | "delayed" | "adjusted";
export type Report = { payload: Record<string, unknown>; isAvailable: boolean; asOf: Date | null };

const ALWAYS = new Set(["impressions", "spend"]);

/** The figures of these days as get_media_buy_delivery would answer them, cut down to what the buyer asked for. */
export async function loadReport(ctx: Ctx, buy: MediaBuyRow, range: DayRange, metrics: string[] | null): Promise<Report> {
  // Totals over media buys are for answers only, says the schema.
  const { aggregated_totals: _totals, media_buy_deliveries: deliveries, ...payload } = await reportDelivery(ctx, [buy], { range, hasPackageDays: false, cuts: [] });
  const delivery = Array.isArray(deliveries) && isObject(deliveries[0]) ? deliveries[0] : {};
  const own = isObject(delivery.ext) && isObject(delivery.ext.delivery) ? delivery.ext.delivery : {};
  const dropped = new Set<string>(metrics === null ? [] : REPORTED_METRICS.filter((metric) => !ALWAYS.has(metric) && !metrics.includes(metric)));
  return {
    payload: { ...payload, media_buy_deliveries: [without(delivery, dropped)] },
    isAvailable: delivery.status !== "reporting_delayed" && own.not_reported === undefined,
    asOf: typeof own.as_of === "string" ? new Date(own.as_of) : null,
  };
}

/** At any depth: figures stand in totals, packages, days and creatives alike. */
function without(value: unknown, dropped: ReadonlySet<string>): unknown {
  if (dropped.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => without(item, dropped));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !dropped.has(key)).map(([key, item]) => [key, without(item, dropped)]));
}

/** The report as a notice: media-buy/get-media-buy-delivery-response.json with the fields that only webhooks have. */
export function toNotice(report: Report, notice: { type: NoticeType; sequenceNumber: number; nextExpectedAt: Date | null }): Record<string, unknown> {
  const isPartial = !report.isAvailable;
  return {
    notification_type: notice.type,
    sequence_number: notice.sequenceNumber,
    ...(notice.type === "final" || notice.nextExpectedAt === null ? {} : { next_expected_at: notice.nextExpectedAt.toISOString() }),
    partial_data: isPartial,
    ...(isPartial ? { unavailable_count: 1 } : {}),
    ...report.payload,
    ...(notice.type === "adjusted" ? { media_buy_deliveries: asAdjusted(report.payload.media_buy_deliveries) } : {}),
  };
}

function asAdjusted(deliveries: unknown): unknown {
  return Array.isArray(deliveries) ? deliveries.map((delivery: unknown) => (isObject(delivery) ? { ...delivery, is_adjusted: true } : delivery)) : deliveries;
}
