import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { toWireError, type WireError } from "../adcp/wire-error";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { findOwnMediaBuys, ownerOf, unknownMediaBuys } from "../media-buys/queries";
import { MEDIA_BUY_STATUSES } from "../media-buys/schema";
import { readCuts, reportingDimensions } from "./cuts";
import { readRange } from "./period";
import { reportDelivery } from "./report";

/** The request has no pages: what one answer holds must have an end. */
const MEDIA_BUYS_MAX = 100;

const wireStatus = z.enum(MEDIA_BUY_STATUSES).exclude(["pending_approval"]);
const deliveryRequest = z.looseObject({
  media_buy_ids: z.array(z.string()).optional(),
  status_filter: z.union([wireStatus.transform((status) => [status]), z.array(wireStatus)]).optional(),
  start_date: z.string().optional(),
  end_date: z.string().optional(),
  include_package_daily_breakdown: z.boolean().default(false),
  reporting_dimensions: reportingDimensions.optional(),
});

/**
 * Delivery of this buyer's confirmed orders: those named, or the newest hundred. Conversions are not attributed here, so that
 * `attribution_window` has nothing to apply to and is left out of the answer.
 */
export async function getMediaBuyDelivery(ctx: Ctx, input: { session: BuyerSession; account: AccountRow | null; request: Record<string, unknown> }): Promise<Record<string, unknown>> {
  const request = deliveryRequest.parse(input.request);
  const ids = request.media_buy_ids;
  if (ids && ids.length > MEDIA_BUYS_MAX) throw new AppError("INVALID_REQUEST", `One report holds at most ${MEDIA_BUYS_MAX} media buys.`, { field: "media_buy_ids", suggestion: "Ask in several calls." });
  const range = readRange(request);
  const found = await findOwnMediaBuys(ctx, ownerOf(input), { wireIds: ids, statuses: request.status_filter, limit: MEDIA_BUYS_MAX + 1 });
  const shown = found.slice(0, MEDIA_BUYS_MAX);
  const { errors, ...report } = await reportDelivery(ctx, shown.map(({ buy }) => buy), { range, hasPackageDays: request.include_package_daily_breakdown, cuts: readCuts(request.reporting_dimensions) });
  const problems: WireError[] = [
    // A filter leaves media buys out without their being unknown.
    ...(ids && request.status_filter === undefined ? unknownMediaBuys(ids, shown) : []),
    ...(found.length > shown.length ? [toWireError(new AppError("INVALID_REQUEST", `More media buys match: these are the newest ${MEDIA_BUYS_MAX}.`, { field: "media_buy_ids", suggestion: "Find the others with get_media_buys and name them in media_buy_ids." }))] : []),
    ...(Array.isArray(errors) ? errors : []),
  ];
  return { ...report, ...(problems.length > 0 ? { errors: problems } : {}) };
}
