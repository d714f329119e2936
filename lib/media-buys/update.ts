import { assertAccountAllows } from "../accounts/gates";
import { type AccountRow } from "../accounts/present";
import { type BuyerSession } from "../adcp/tool";
import { auditLog } from "../audit/schema";
import { type Ctx } from "../context";
import { lockLibrary } from "../creatives/serving";
import { insertTogether, rowsOf } from "../db/insert-together";
import { AppError } from "../errors";
import { outboxRows } from "../events/outbox";
import { outbox } from "../events/schema";
import { markForConvergence } from "../fulfilment/request";
import { changeRecord } from "./change-audit";
import { changePackages, type PackagesChange } from "./change-packages";
import { assertForward, assertNotPast, assertTimeLeft, effectiveStart, parseInstant, parseStart } from "./flight";
import { presentSoldPackage, presentState } from "./present";
import { creativeReadiness, loadAssigned, loadPackages, lockOwnMediaBuy } from "./queries";
import { refuseUngovernedRaise } from "../governance/modification";
import { subscribeToReports } from "../reporting/subscribe";
import { checkReceiver } from "./receiver";
import { parseUpdateRequest, refuseUnsupported, type UpdateRequest } from "./request";
import { type MediaBuyStatus } from "./schema";
import { isTerminal, type MediaBuyRow, nextStatusAfterConfirmation, reviseMediaBuy, transitionMediaBuy } from "./transitions";
import { type Flight } from "./units";

export type UpdateMediaBuyInput = { session: BuyerSession; account: AccountRow; request: Record<string, unknown>; agentUrl: string; catalogVersion: number };

/** Any other field is refused: a buyer must never believe in a change that did not happen. */
const KNOWN = new Set([
  "media_buy_id", "account", "revision", "paused", "canceled", "cancellation_reason", "start_time", "end_time", "name", "po_number", "packages", "new_packages",
  "adcp_major_version", "adcp_version", "idempotency_key", "context", "context_id", "ext", "governance_context", "push_notification_config", "reporting_webhook",
]);

/**
 * Changes a confirmed order of this buyer, all of it or nothing: the revision moves once, its ad servers are told once. A cancellation
 * wins over everything beside it. A request that changes nothing moves nothing. Throws typed errors that name the field.
 */
export async function updateMediaBuy(ctx: Ctx, input: UpdateMediaBuyInput): Promise<{ payload: Record<string, unknown> }> {
  const request = parseUpdateRequest(input.request);
  if (!request.canceled) {
    refuseUnsupported(request, (field) => !KNOWN.has(field));
    checkReceiver(request);
  }
  if (!request.canceled && namesCreatives(request)) await lockLibrary(ctx, input.account.id);
  const buy = await lockOwnMediaBuy(ctx, { principalId: input.session.principalId, accountId: input.account.id }, request.media_buy_id);
  refuseStale(buy, request);
  refuseEnded(buy, request, ctx.now);
  if (request.canceled) return cancel(ctx, buy, request);

  const before = await loadPackages(ctx, [buy.id]);
  const flight = agreeFlight(buy, request, ctx.now);
  const change = await changePackages(ctx, { ...input, request, buy, flight, packages: before });
  // More money or a longer flight is new business.
  if (totalOf(change.packages) > buy.budgetMicros || flight.endsAt > buy.endsAt) assertAccountAllows("create_media_buy", input.account);
  await refuseUngovernedRaise(ctx, buy, { endsAt: flight.endsAt, budgetMicros: totalOf(change.packages) });
  if (request.reporting_webhook) await subscribeToReports(ctx, { buy, packages: change.packages, config: request.reporting_webhook });
  const status = await nextStatus(ctx, buy, request.paused, change);
  const details = { name: request.name ?? buy.name, poNumber: request.po_number ?? buy.poNumber };
  const isFlightChanged = flight.startsAt.getTime() !== buy.startsAt.getTime() || flight.endsAt.getTime() !== buy.endsAt.getTime();
  const isChanged = status !== buy.status || change.affected.length > 0 || isFlightChanged || details.name !== buy.name || details.poNumber !== buy.poNumber;
  if (!isChanged) return { payload: present(ctx, buy, []) };

  const set = {
    ...flight,
    ...details,
    ...(status === "canceled" ? { canceledAt: ctx.now, canceledBy: "buyer" as const, cancellationReason: request.cancellation_reason ?? null } : {}),
    budgetMicros: totalOf(change.packages),
    ...(flight.startsAt.getTime() === buy.startsAt.getTime() ? {} : { effectiveStartsAt: effectiveStart(flight.startsAt, ctx.now) }),
  };
  const changed = status === buy.status ? await reviseMediaBuy(ctx, buy.id, set) : await transitionMediaBuy(ctx, { mediaBuyId: buy.id, from: [buy.status], to: status, set });
  await finish(ctx, { before: buy, after: changed, packagesBefore: before, affected: change.affected });
  const assigned = change.affected.length > 0 ? await loadAssigned(ctx, [buy.id]) : [];
  const shown = change.affected.map((row) => presentSoldPackage(row, { buy: changed, assigned, agentUrl: input.agentUrl }, request.new_packages?.[row.position - before.length]));
  return { payload: present(ctx, changed, shown) };
}

function namesCreatives({ packages = [], new_packages: added = [] }: UpdateRequest): boolean {
  return [...packages, ...added].some((item) => item.creatives !== undefined || item.creative_assignments !== undefined);
}

function refuseStale(buy: MediaBuyRow, request: UpdateRequest): void {
  if (request.revision === undefined || request.revision === buy.revision) return;
  throw new AppError("CONFLICT", "The media buy has changed since the revision you named.", {
    field: "revision", suggestion: "Read it with get_media_buys and send its current revision.", details: { current_revision: buy.revision },
  });
}

function refuseEnded(buy: MediaBuyRow, request: UpdateRequest, now: Date): void {
  const state = isTerminal(buy.status) ? buy.status : now >= buy.endsAt ? "over" : undefined;
  if (state === undefined) return;
  const isCancellation = request.canceled ?? (request.packages !== undefined && request.packages.every((item) => item.canceled));
  if (isCancellation) throw new AppError("NOT_CANCELLABLE", `The media buy is ${state} already.`, { field: request.canceled ? "canceled" : "packages" });
  throw new AppError("INVALID_STATE", `The media buy is ${state}: it takes no changes.`, { field: "media_buy_id", suggestion: "Place a new media buy." });
}

/** Stops delivery for good. Creatives stay in the buyer's library, and assignments as they were. */
async function cancel(ctx: Ctx, buy: MediaBuyRow, request: UpdateRequest): Promise<{ payload: Record<string, unknown> }> {
  const canceled = await transitionMediaBuy(ctx, {
    mediaBuyId: buy.id, from: [buy.status], to: "canceled", set: { canceledAt: ctx.now, canceledBy: "buyer", cancellationReason: request.cancellation_reason ?? null },
  });
  await finish(ctx, { before: buy, after: canceled, packagesBefore: [], affected: [] });
  return { payload: present(ctx, canceled, []) };
}

/** Tells the ad servers, and the history. */
async function finish(ctx: Ctx, change: Parameters<typeof changeRecord>[1]): Promise<void> {
  const events = await markForConvergence(ctx, change.after.id);
  insertTogether(ctx.db, [rowsOf(auditLog, [changeRecord(ctx, change)]), rowsOf(outbox, outboxRows(ctx, "greenlight/fulfilment.changed", events))]);
}

function agreeFlight(buy: MediaBuyRow, request: UpdateRequest, now: Date): Flight {
  const startsAt = request.start_time === undefined ? buy.startsAt : parseStart(request.start_time, now, "start_time");
  const endsAt = request.end_time === undefined ? buy.endsAt : parseInstant(request.end_time, "end_time");
  assertForward({ startsAt, endsAt });
  if (startsAt.getTime() !== buy.startsAt.getTime()) {
    if (now >= (buy.effectiveStartsAt ?? buy.startsAt)) throw new AppError("VALIDATION_ERROR", "The flight has begun: its start stays.", { field: "start_time", suggestion: "Leave start_time out." });
    assertNotPast(startsAt, now);
    assertTimeLeft({ startsAt, endsAt }, now);
  } else if (endsAt.getTime() !== buy.endsAt.getTime() && endsAt <= (buy.effectiveStartsAt ?? startsAt)) {
    throw new AppError("VALIDATION_ERROR", "The flight would end before it begins.", { field: "end_time" });
  }
  if (endsAt <= now) throw new AppError("VALIDATION_ERROR", "The end lies in the past.", { field: "end_time", suggestion: "To stop at once, send paused or canceled." });
  return { startsAt, endsAt };
}

function totalOf(packages: { budgetMicros: bigint }[]): bigint {
  return packages.reduce((sum, item) => sum + item.budgetMicros, 0n);
}

/** An order without a living package is canceled. Pausing and resuming are the buyer's word; otherwise creatives that have become complete move the order on. */
async function nextStatus(ctx: Ctx, buy: MediaBuyRow, paused: boolean | undefined, change: PackagesChange): Promise<MediaBuyStatus> {
  if (change.packages.every((row) => row.canceledAt !== null)) return "canceled";
  if (paused === true) return "paused";
  if (paused === false && buy.status === "paused") return "active";
  if (buy.status !== "pending_creatives" || change.affected.length === 0) return buy.status;
  return nextStatusAfterConfirmation(creativeReadiness(change.packages, await loadAssigned(ctx, [buy.id])));
}

function present(ctx: Ctx, buy: MediaBuyRow, affected: Record<string, unknown>[]): Record<string, unknown> {
  return { ...presentState(buy), implementation_date: ctx.now.toISOString(), affected_packages: affected };
}
