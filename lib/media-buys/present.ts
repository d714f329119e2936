import { type AccountRow, presentAccount } from "../accounts/present";
import { toFormatId } from "../creatives/formats";
import { toWireId } from "../ids";
import { type PackageHold } from "../inventory-lists/fields";
import { microsToNumber } from "../money";
import { type FormatId } from "../products/schema";
import { type AssignedCreative, type PackageRow } from "./queries";
import { type MediaBuyRow, validActions } from "./transitions";
import { mediaBuyWireId } from "./media-buy-id";

/** Wire shapes of 3.0.6 with 3.1's additive fields. Absent values are left out: the schemas know no null here. */

function presentCancellation(item: { canceledAt: Date | null; reason: string | null; canceledBy: "buyer" | "seller" | null }): Record<string, unknown> | undefined {
  if (!item.canceledAt) return undefined;
  return { canceled_at: item.canceledAt.toISOString(), canceled_by: item.canceledBy ?? "buyer", ...(item.reason === null ? {} : { reason: item.reason }) };
}

/** When a package starts for real: not before its order's confirmation allows. */
function presentedStart(item: { startsAt: Date }, buy: Pick<MediaBuyRow, "effectiveStartsAt">): string {
  return (buy.effectiveStartsAt && buy.effectiveStartsAt > item.startsAt ? buy.effectiveStartsAt : item.startsAt).toISOString();
}

/** What every answer says of a package; `notes` beside what its `ext` says anyway. */
export function presentPackage(row: PackageRow, buy: Pick<MediaBuyRow, "effectiveStartsAt">, notes: Record<string, unknown> = {}): Record<string, unknown> {
  const ext = { ...(row.hold && row.canceledAt === null ? { held: presentHold(row.hold) } : {}), ...notes };
  return {
    package_id: toWireId("package", row.id),
    product_id: row.sold.productId,
    pricing_option_id: row.sold.pricingOptionId,
    budget: microsToNumber(row.budgetMicros),
    currency: row.currency,
    ...(row.sold.floorMicros === undefined ? {} : { bid_price: microsToNumber(row.rateMicros) }),
    ...(row.pricingModel === "cpm" ? { impressions: Number(row.units) } : {}),
    pacing: row.pacing,
    ...(Object.keys(row.targeting).length > 0 ? { targeting_overlay: row.targeting } : {}),
    start_time: presentedStart(row, buy),
    end_time: row.endsAt.toISOString(),
    paused: row.isPaused,
    canceled: row.canceledAt !== null,
    ...optional("cancellation", presentCancellation({ canceledAt: row.canceledAt, reason: row.cancellationReason, canceledBy: row.canceledAt && "buyer" })),
    ...optional("context", row.buyerContext ?? undefined),
    ...optional("ext", Object.keys(ext).length > 0 ? ext : undefined),
  };
}

/** Why the package stands still until its list leaves room for it. */
function presentHold({ field, reason, message }: PackageHold): Record<string, unknown> {
  return { field: `targeting_overlay.${field}`, reason, message };
}

/** What the buyer's request said of a package, to be echoed as it was. */
export type RequestedPackage = { format_ids?: FormatId[]; agency_estimate_number?: string; bid_price?: number };
export type Presenting = { buy: Pick<MediaBuyRow, "effectiveStartsAt">; assigned: AssignedCreative[]; /** Origin under which our formats are published. */ agentUrl: string };

/** A package in the answer to a change of it: with what is assigned, or else the formats it waits for. */
export function presentSoldPackage(row: PackageRow, { buy, assigned, agentUrl }: Presenting, requested: RequestedPackage = {}): Record<string, unknown> {
  const own = assigned.filter(({ packageId }) => packageId === row.id);
  // Clients send a bid with every price per thousand. Where the price is fixed it counts for nothing, and the answer says so.
  const isBidIgnored = requested.bid_price !== undefined && row.sold.floorMicros === undefined;
  return {
    ...presentPackage(row, buy, isBidIgnored ? { ignored_fields: ["bid_price"] } : {}),
    ...optional("format_ids", requested.format_ids),
    ...optional("measurement_terms", row.sold.measurementTerms),
    ...optional("agency_estimate_number", requested.agency_estimate_number),
    ...(own.length > 0
      ? { creative_assignments: own.map(({ creative, weight }) => ({ creative_id: creative.creativeId, ...optional("weight", weight ?? undefined) })) }
      : { format_ids_to_provide: row.sold.formatIds.map((id) => toFormatId(id, agentUrl)) }),
  };
}

/** What create_media_buy answers when an order is confirmed, at once or after its approval. */
export function presentConfirmation(buy: MediaBuyRow, account: AccountRow, packages: Record<string, unknown>[]): Record<string, unknown> {
  return { ...presentState(buy), account: presentAccount(account), confirmed_at: buy.confirmedAt?.toISOString(), packages };
}

/** The part that create, update and get have in common. */
export function presentState(buy: MediaBuyRow): Record<string, unknown> {
  return {
    media_buy_id: mediaBuyWireId(buy),
    status: buy.status,
    media_buy_status: buy.status,
    revision: buy.revision,
    currency: buy.currency,
    total_budget: microsToNumber(buy.budgetMicros),
    valid_actions: validActions(buy.status),
    ...(buy.isSandbox ? { sandbox: true } : {}),
  };
}

/** An approved creative's wire state on a package. */
const APPROVAL_STATUS = { processing: "pending_review", pending_review: "pending_review", approved: "approved", rejected: "rejected", archived: "rejected" } as const;

export function presentApprovals(assigned: AssignedCreative[]): Record<string, unknown>[] {
  return assigned.map(({ creative }) => ({
    creative_id: creative.creativeId,
    approval_status: APPROVAL_STATUS[creative.status],
    ...(creative.status === "rejected" && creative.rejectionReason !== null ? { rejection_reason: creative.rejectionReason } : {}),
  }));
}

export function presentCancellationOf(buy: MediaBuyRow): Record<string, unknown> {
  return optional("cancellation", presentCancellation({ canceledAt: buy.canceledAt, reason: buy.cancellationReason, canceledBy: buy.canceledBy }));
}

function optional(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}
