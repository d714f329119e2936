import { type AccountRow } from "../accounts/present";
import { type BuyerSession } from "../adcp/tool";
import { openApproval } from "../approvals/open";
import { auditLog } from "../audit/schema";
import { auditRow } from "../audit/service";
import { type Ctx } from "../context";
import { insertTogether, rowsOf } from "../db/insert-together";
import { AppError, invariant } from "../errors";
import { outboxRows } from "../events/outbox";
import { outbox } from "../events/schema";
import { changedEvents, fulfilmentRows } from "../fulfilment/request";
import { fulfilments } from "../fulfilment/schema";
import { findGovernance, type Governance, openReview } from "../governance/open";
import { newId, toWireId } from "../ids";
import { announceChange } from "../live";
import { formatMoney, microsToDecimal, microsToNumber, parseMicros } from "../money";
import { divideBudget, expired, loadCommitted } from "../proposals/service";
import { loadPackageLists, packageListRows } from "../inventory-lists/packages";
import { packageLists } from "../inventory-lists/schema";
import { subscribeToReports } from "../reporting/subscribe";
import { registerReceiver } from "../webhooks/service";
import { checkReceiver } from "./receiver";
import { assertForward, assertNotPast, assertTimeLeft, effectiveStart, parseInstant, parseStart } from "./flight";
import { attachCreatives, type PackageCreatives } from "./package-creatives";
import { presentConfirmation, presentSoldPackage } from "./present";
import { type AssignedCreative, creativeReadiness, type PackageRow } from "./queries";
import { type CreateRequest, type PackageRequest, parseCreateRequest, refuseTooMany, refuseUnsupported, withoutCredentials } from "./request";
import { mediaBuys, mediaPackages } from "./schema";
import { type Catalog, loadCatalog } from "./sellables";
import { sellPackage, type SoldPackage } from "./sell";
import { openTask } from "./tasks";
import { type MediaBuyRow, nextStatusAfterConfirmation } from "./transitions";
import { type Flight } from "./units";

export type ForcedArm = { taskId: string; message: string | null };

export type CreateMediaBuyInput = { session: BuyerSession; account: AccountRow; request: Record<string, unknown>; agentUrl: string; catalogVersion: number; /** A sandbox buyer’s test controller wants this order to wait behind a task of this id. */ forced?: ForcedArm | null };
export type CreateMediaBuyOutcome =
  | { outcome: "confirmed"; mediaBuyId: string; heldPackages: number; payload: Record<string, unknown> }
  | { outcome: "submitted"; mediaBuyId: string; taskId: string; payload: Record<string, unknown> };

const UNSUPPORTED = new Set(["invoice_recipient", "io_acceptance", "artifact_webhook", "paused"]);
const NAME_LENGTH_MAX = 200;

/**
 * Checks an order against Postgres and stores it with everything that follows from it, in the caller's transaction: packages, creatives,
 * fulfilments, and either the events that start execution or what a person must decide. No ad server is asked.
 */
export async function createMediaBuy(ctx: Ctx, input: CreateMediaBuyInput): Promise<CreateMediaBuyOutcome> {
  const request = parseCreateRequest(input.request);
  refuseUnsupported(request, (field) => UNSUPPORTED.has(field));
  checkReceiver(request);
  const flight = { startsAt: parseStart(request.start_time, ctx.now, "start_time"), endsAt: parseInstant(request.end_time, "end_time") };
  assertForward(flight);

  const asked = await packagesOf(ctx, input, request);
  refuseTooMany(asked.length, "packages");
  const catalog = await loadCatalog(ctx, { catalogVersion: input.catalogVersion, principalId: input.session.principalId }, unique(asked.map((item) => item.product_id)));
  if (request.proposal_id !== undefined) assertStillOffered(asked, catalog);
  const lists = await loadPackageLists(ctx, input.session, request);
  const packages = asked.map((item, index) => sellPackage(item, catalog, { ...flight, isSandbox: input.account.isSandbox }, `packages[${index}]`, lists));
  const totals = agreeTotals(packages, request);
  assertNotPast(flight.startsAt, ctx.now);
  assertTimeLeft(flight, ctx.now);
  packages.forEach((item, index) => assertTimeLeft(item, ctx.now, `packages[${index}].end_time`));

  const isReviewRequired = Boolean(input.forced) || packages.some((item) => item.isReviewRequired);
  const governance = await findGovernance(ctx, input.account, request);
  const { buy, rows, assigned } = await insertOrder(ctx, input, request, { flight, packages, isHeld: isReviewRequired || governance !== null, ...totals });
  if (request.reporting_webhook) await subscribeToReports(ctx, { buy, packages: rows, config: request.reporting_webhook });
  if (governance) return submitToGovernance(ctx, input, request, { buy, governance, isReviewRequired });
  if (isReviewRequired) return submit(ctx, input, request, buy, catalog);
  const shown = rows.map((row) => presentSoldPackage(row, { buy, assigned, agentUrl: input.agentUrl }, asked[row.position]));
  return { outcome: "confirmed", mediaBuyId: buy.id, heldPackages: rows.filter(({ hold }) => hold !== null).length, payload: presentConfirmation(buy, input.account, shown) };
}

/** What is ordered: the packages of the request, or those of a proposal for its total. */
async function packagesOf(ctx: Ctx, { session }: CreateMediaBuyInput, { packages, proposal_id: proposalId, total_budget: total }: CreateRequest): Promise<PackageRequest[]> {
  if (proposalId === undefined) {
    if (!packages || packages.length === 0) throw new AppError("VALIDATION_ERROR", "An order needs at least one package.", { field: "packages" });
    return packages;
  }
  if (packages && packages.length > 0) throw new AppError("VALIDATION_ERROR", "An order of a proposal has the proposal's packages.", { field: "packages", suggestion: "Leave packages out, or proposal_id." });
  const proposal = await loadCommitted(ctx, session, proposalId);
  if (!total) throw new AppError("VALIDATION_ERROR", "An order of a proposal needs a total_budget to divide.", { field: "total_budget" });
  if (total.currency !== proposal.currency) throw new AppError("VALIDATION_ERROR", `The proposal is priced in ${proposal.currency}.`, { field: "total_budget.currency", suggestion: `Send the budget in ${proposal.currency}.` });
  const budgets = divideBudget(parseMicros(total.amount, "total_budget.amount"), proposal.allocations);
  return proposal.allocations.map(({ productId, pricingOptionId }, index) => ({ product_id: productId, pricing_option_id: pricingOptionId, budget: microsToNumber(budgets[index] ?? 0n) }));
}

/** A price that changed is another price: the proposal was for the one it names. */
function assertStillOffered(asked: PackageRequest[], catalog: Catalog): void {
  if (asked.some((item) => !catalog.products.get(item.product_id)?.options.has(item.pricing_option_id))) throw expired();
}

/** One currency for all packages. A stated total must be what the packages add up to. */
function agreeTotals(packages: SoldPackage[], request: CreateRequest): { currency: string; budgetMicros: bigint } {
  const [first] = packages;
  invariant(first, "an order without packages");
  const { currency } = first;
  const other = packages.findIndex((item) => item.currency !== currency);
  if (other > 0) throw new AppError("VALIDATION_ERROR", `A media buy has one currency: the first package is in ${currency}.`, { field: `packages[${other}].pricing_option_id`, suggestion: "Place one media buy per currency." });
  const budgetMicros = packages.reduce((sum, item) => sum + item.budgetMicros, 0n);
  const total = request.total_budget;
  if (total && total.currency !== currency) throw new AppError("VALIDATION_ERROR", `The packages are priced in ${currency}.`, { field: "total_budget.currency", suggestion: `Send the budget in ${currency}, or choose other pricing options.` });
  if (total && parseMicros(total.amount, "total_budget.amount") !== budgetMicros) {
    throw new AppError("VALIDATION_ERROR", `The packages add up to ${microsToDecimal(budgetMicros)} ${currency}.`, { field: "total_budget.amount", suggestion: "Leave total_budget out, or send the sum of the packages." });
  }
  return { currency, budgetMicros };
}

/** `isHeld`: somebody must agree before it is confirmed. */
type Draft = { flight: Flight; packages: SoldPackage[]; isHeld: boolean; currency: string; budgetMicros: bigint };

type Stored = { buy: MediaBuyRow; rows: PackageRow[]; assigned: AssignedCreative[] };

async function insertOrder(ctx: Ctx, { session, account }: CreateMediaBuyInput, request: CreateRequest, draft: Draft): Promise<Stored> {
  const { tenantId, now } = ctx;
  const mediaBuyId = newId(now.getTime());
  const identified = draft.packages.map((item) => ({ item, id: newId(now.getTime()) }));
  const creatives = identified.map(({ item, id }, index): PackageCreatives => ({
    packageId: id, path: `packages[${index}]`, formatIds: item.sold.formatIds, uploads: item.request.creatives ?? [], assignments: item.request.creative_assignments,
  }));
  // Creatives do not depend on the order: checking them first tells its first status, and an order is written once.
  const attached = await attachCreatives(ctx, { session, account, packages: creatives });
  const readiness = creativeReadiness(identified.map(({ id }) => ({ id, canceledAt: null })), attached.assigned);
  const buy: MediaBuyRow = {
    tenantId, id: mediaBuyId, principalId: session.principalId, accountId: account.id,
    status: draft.isHeld ? "pending_approval" : nextStatusAfterConfirmation(readiness), revision: 1, desiredVersion: 1,
    name: orderName(account, draft.packages), poNumber: request.po_number ?? null, currency: draft.currency, budgetMicros: draft.budgetMicros,
    startsAt: draft.flight.startsAt, endsAt: draft.flight.endsAt, effectiveStartsAt: draft.isHeld ? null : effectiveStart(draft.flight.startsAt, now),
    isSandbox: account.isSandbox, confirmedAt: draft.isHeld ? null : now, canceledAt: null, canceledBy: null, cancellationReason: null, rejectionReason: null,
    handle: null, statusForcedAt: null, rawRequest: withoutCredentials(request), createdAt: now, updatedAt: now,
  };
  const rows = identified.map(({ item, id }, position): PackageRow => ({
    tenantId, id, mediaBuyId, position, productId: item.productId, sold: item.sold, pricingModel: item.pricingModel, rateMicros: item.rateMicros, currency: item.currency,
    budgetMicros: item.budgetMicros, units: item.units, startsAt: item.startsAt, endsAt: item.endsAt, pacing: item.pacing, targeting: item.targeting, hold: item.hold, isPaused: item.isPaused,
    canceledAt: null, cancellationReason: null, buyerContext: item.buyerContext, createdAt: now, updatedAt: now,
  }));
  writeOrder(ctx, buy, rows, draft);
  await attached.assign();
  return { buy, rows, assigned: attached.assigned };
}

function writeOrder(ctx: Ctx, buy: MediaBuyRow, packages: PackageRow[], draft: Draft): void {
  const connectionIds = [...new Set(draft.packages.flatMap((item) => item.connections.map(({ id }) => id)))];
  const opened = fulfilmentRows(ctx, buy.id, connectionIds, buy.desiredVersion);
  const events = draft.isHeld ? [] : outboxRows(ctx, "greenlight/fulfilment.changed", changedEvents(ctx, buy.id, opened));
  const kept = packages.flatMap((row, index) => packageListRows(ctx, row, draft.packages[index]?.lists ?? []));
  const audit = auditRow(ctx, {
    action: draft.isHeld ? "media_buy.submitted" : "media_buy.created", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id,
    summary: `Ordered “${buy.name}” with ${packages.length} package${packages.length === 1 ? "" : "s"} for ${formatMoney(buy.budgetMicros, buy.currency)}`,
    after: { status: buy.status, revision: buy.revision, budget: microsToDecimal(buy.budgetMicros), currency: buy.currency },
  });
  insertTogether(ctx.db, [rowsOf(mediaBuys, [buy]), rowsOf(mediaPackages, packages), rowsOf(packageLists, kept), rowsOf(fulfilments, opened), rowsOf(auditLog, [audit]), rowsOf(outbox, events)]);
}

const WAITING = { review: "The publisher reviews this order before it is confirmed.", governance: "The governance agents of the account are asked before this order is accepted." } as const;

async function submit(ctx: Ctx, input: CreateMediaBuyInput, request: CreateRequest, buy: MediaBuyRow, { publisher }: Catalog): Promise<CreateMediaBuyOutcome> {
  invariant(publisher, "an order was sold without a publisher");
  const task = await openOrderTask(ctx, input, request, buy, WAITING.review);
  await openApproval(ctx, { buy, taskId: task.taskId, buyerName: input.session.principalName, publisher });
  return task;
}

type Governed = { buy: MediaBuyRow; governance: Governance; isReviewRequired: boolean };

async function submitToGovernance(ctx: Ctx, input: CreateMediaBuyInput, request: CreateRequest, { buy, ...governed }: Governed): Promise<CreateMediaBuyOutcome> {
  const task = await openOrderTask(ctx, input, request, buy, WAITING.governance);
  await openReview(ctx, { mediaBuyId: buy.id, taskId: task.taskId, ...governed });
  announceChange(ctx, "media_buy", buy.id);
  return task;
}

/** The task that the buyer follows while the order waits, with its receiver. */
async function openOrderTask(ctx: Ctx, { session, forced }: CreateMediaBuyInput, request: CreateRequest, buy: MediaBuyRow, waiting: string) {
  const message = forced?.message ?? waiting;
  const { id: taskId } = await openTask(ctx, { ...(forced ? { handle: forced.taskId } : {}), principalId: session.principalId, taskType: "create_media_buy", accountId: buy.accountId, mediaBuyId: buy.id, message, request: buy.rawRequest, buyerContext: request.context ?? null });
  if (request.push_notification_config) {
    await registerReceiver(ctx, { principalId: session.principalId, taskId, mediaBuyId: buy.id, config: request.push_notification_config });
  }
  return { outcome: "submitted", mediaBuyId: buy.id, taskId, payload: { status: "submitted", task_id: forced?.taskId ?? toWireId("task", taskId), message } } as const;
}

function orderName(account: AccountRow, packages: SoldPackage[]): string {
  const more = packages.length > 1 ? ` and ${packages.length - 1} more` : "";
  return `${account.name}: ${packages[0]?.sold.productName ?? ""}`.slice(0, NAME_LENGTH_MAX) + more;
}

function unique(ids: string[]): string[] {
  return [...new Set(ids)];
}
