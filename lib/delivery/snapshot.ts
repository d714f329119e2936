import { type Ctx } from "../context";
import { type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";
import { addMs, SECOND_MS } from "../time";
import { presentMetrics } from "./present";
import { type Known, NOTHING } from "./queries";
import { REPORT_INTERVAL_MS } from "./report";
import { canHaveDelivered, deliveryStatus, pacingIndex, realStart } from "./standing";

/** What get_media_buys says of one package's delivery: what was last reported with its age, or why there is nothing to say. */
export function presentSnapshot(ctx: Ctx, buy: MediaBuyRow, row: PackageRow, known: Known | undefined): Record<string, unknown> {
  if (!known && row.sold.targets.length === 0) return { snapshot_unavailable_reason: "SNAPSHOT_UNSUPPORTED" };
  if (!known && canHaveDelivered(row, buy, ctx.now)) return { snapshot_unavailable_reason: "SNAPSHOT_TEMPORARILY_UNAVAILABLE" };
  // Nothing can have been delivered: that is known now, without a report.
  const { asOf, ...figures } = known ?? { ...NOTHING, asOf: ctx.now };
  const { impressions, spend, clicks } = presentMetrics(figures);
  const start = realStart(row, buy);
  const pace = pacingIndex(row, buy, figures, { from: start, to: asOf });
  const status = known ? deliveryStatus(row, buy, figures, ctx.now, addMs(start, REPORT_INTERVAL_MS)) : null;
  return {
    snapshot: {
      as_of: asOf.toISOString(),
      staleness_seconds: Math.ceil(Math.max(known ? REPORT_INTERVAL_MS : 0, ctx.now.getTime() - asOf.getTime()) / SECOND_MS),
      impressions, spend, currency: row.currency,
      ...(clicks === undefined ? {} : { clicks }),
      ...(pace === null ? {} : { pacing_index: pace }),
      ...(status === null ? {} : { delivery_status: status }),
    },
  };
}
