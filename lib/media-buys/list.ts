import { z } from "zod";
import { type AccountRow, presentAccount } from "../accounts/present";
import { listOf, readPage, toPage } from "../adcp/cursor";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { toFormatId } from "../creatives/formats";
import { loadPackageTotals } from "../delivery/queries";
import { presentSnapshot } from "../delivery/snapshot";
import { AppError } from "../errors";
import { groupBy } from "../group-by";
import { isUuid } from "../ids";
import { loadExecution } from "./execution";
import { loadHistory } from "./history";
import { presentApprovals, presentCancellationOf, presentPackage, presentState } from "./present";
import { findOwnMediaBuys, loadAssigned, loadPackages, ownerOf, unknownMediaBuys } from "./queries";
import { MEDIA_BUY_STATUSES } from "./schema";

const LIST = "get_media_buys";
const wireStatus = z.enum(MEDIA_BUY_STATUSES).exclude(["pending_approval"]);

const listRequest = z.looseObject({
  media_buy_ids: z.array(z.string()).optional(),
  status_filter: z.union([wireStatus.transform((status) => [status]), z.array(wireStatus)]).optional(),
  include_snapshot: z.boolean().optional(),
  include_history: z.number().int().min(0).max(1000).optional(),
});

/**
 * This buyer's confirmed orders, newest first, each with packages, creative approvals and how far every ad server is. The number of
 * queries does not depend on the page. `account` null: all of the buyer's accounts.
 */
export async function listMediaBuys(ctx: Ctx, input: { session: BuyerSession; account: AccountRow | null; request: Record<string, unknown>; agentUrl: string }): Promise<Record<string, unknown>> {
  const parsed = listRequest.safeParse(input.request);
  if (!parsed.success) throw new AppError("INVALID_REQUEST", "The filter is not valid.", { field: parsed.error.issues[0]?.path.join(".") });
  const { media_buy_ids: wireIds, status_filter: statuses, include_history: historyLength = 0, include_snapshot: hasSnapshot = false } = parsed.data;
  const page = readPage(input.request, listOf({ tenantId: ctx.tenantId, session: input.session }, LIST));
  const found = await findOwnMediaBuys(ctx, ownerOf(input), { wireIds, statuses: statuses ?? (wireIds ? undefined : ["active"]), after: page.after && readPosition(page.after), limit: page.limit + 1 });
  const { rows, pagination } = toPage(found, page, ({ buy }) => [buy.createdAt.getTime(), buy.id]);

  const buyIds = rows.map(({ buy }) => buy.id);
  // Asked in one go.
  const [packageRows, assignedRows, execution, delivered, history] = await Promise.all([
    loadPackages(ctx, buyIds), loadAssigned(ctx, buyIds), loadExecution(ctx, buyIds), hasSnapshot ? loadPackageTotals(ctx, buyIds) : undefined, loadHistory(ctx, buyIds, historyLength),
  ]);
  const packages = groupBy(packageRows, (row) => row.mediaBuyId);
  const assigned = groupBy(assignedRows, (row) => row.packageId);
  // Only a complete answer tells what is missing.
  const missing = wireIds && statuses === undefined && page.after === null && found.length <= page.limit ? unknownMediaBuys(wireIds, found) : [];
  return {
    media_buys: rows.map(({ buy, account }) => ({
      ...presentState(buy),
      account: presentAccount(account),
      name: buy.name,
      ...(buy.poNumber === null ? {} : { po_number: buy.poNumber }),
      start_time: (buy.effectiveStartsAt ?? buy.startsAt).toISOString(),
      end_time: buy.endsAt.toISOString(),
      confirmed_at: buy.confirmedAt?.toISOString(),
      created_at: buy.createdAt.toISOString(),
      updated_at: buy.updatedAt.toISOString(),
      ...presentCancellationOf(buy),
      ...(buy.status === "rejected" && buy.rejectionReason !== null ? { rejection_reason: buy.rejectionReason } : {}),
      ...(isObject(buy.rawRequest.context) ? { context: buy.rawRequest.context } : {}),
      packages: (packages.get(buy.id) ?? []).map((row) => {
        const own = assigned.get(row.id) ?? [];
        return {
          ...presentPackage(row, buy),
          ...(own.length > 0 ? { creative_approvals: presentApprovals(own) } : { format_ids_pending: row.sold.formatIds.map((id) => toFormatId(id, input.agentUrl)) }),
          ...(delivered ? presentSnapshot(ctx, buy, row, delivered.get(row.id)) : {}),
        };
      }),
      ...(historyLength > 0 ? { history: history.get(buy.id) ?? [] } : {}),
      ext: { fulfilment: execution.get(buy.id) ?? [] },
    })),
    ...(missing.length > 0 ? { errors: missing } : {}),
    pagination,
  };
}

/** Cursors are signed; of what they hold only the kind of each value is checked here. */
function readPosition([createdAtMs, id]: readonly (string | number)[]): { createdAt: Date; id: string } {
  const createdAt = new Date(Number(createdAtMs));
  if (Number.isNaN(createdAt.getTime()) || typeof id !== "string" || !isUuid(id)) throw new AppError("INVALID_REQUEST", "This cursor does not belong to this list.", { field: "pagination.cursor" });
  return { createdAt, id };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
