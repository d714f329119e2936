import { isDeepStrictEqual } from "node:util";
import { and, eq } from "drizzle-orm";
import { type AccountRow } from "../accounts/present";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { openFulfilments } from "../fulfilment/request";
import { fulfilments } from "../fulfilment/schema";
import { fromWireId, newId } from "../ids";
import { parseMicros } from "../money";
import { namesList, withoutListTokens } from "../inventory-lists/fields";
import { agreeLists, loadPackageLists, packageListRows, type PackageList, type PackageLists, replacePackageLists } from "../inventory-lists/packages";
import { packageLists } from "../inventory-lists/schema";
import { type Inventory } from "../inventory-lists/match";
import { assertForward, assertWithin, effectiveStart, parseInstant } from "./flight";
import { attachCreatives, type PackageCreatives } from "./package-creatives";
import { type PackageRow } from "./queries";
import { type PackageRequest, type PackageUpdate, refuseTooMany, refuseUnsupported, type UpdateRequest } from "./request";
import { mediaPackages } from "./schema";
import { type Connection, type Limits, loadCatalog, loadConnections, loadLimits } from "./sellables";
import { sellPackage } from "./sell";
import { agreeRate, agreeUnits, assertExpressible, assertImpressions, parseBudget } from "./terms";
import { type MediaBuyRow } from "./transitions";
import { type Flight } from "./units";

export type PackagesChange = {
  /** All packages as they are now. */
  packages: PackageRow[];
  /** Those that this request changed or added. */
  affected: PackageRow[];
};

type Input = { session: BuyerSession; account: AccountRow; request: UpdateRequest; buy: MediaBuyRow; flight: Flight; packages: PackageRow[]; catalogVersion: number };
type Terms = { limits: Limits | undefined; connections: Map<string, Connection>; lists: PackageLists };

const KNOWN = new Set([
  "package_id", "budget", "bid_price", "impressions", "pacing", "start_time", "end_time", "paused", "canceled", "cancellation_reason",
  "targeting_overlay", "creative_assignments", "creatives", "context", "ext",
]);

/** Applies a request's package changes and additions, and moves packages that follow the media buy's own flight. Writes rows, no event. */
export async function changePackages(ctx: Ctx, input: Input): Promise<PackagesChange> {
  const updates = matchUpdates(input);
  const lists = await loadPackageLists(ctx, input.session, input.request);
  const added = await sellNewPackages(ctx, input, lists);
  const terms: Terms = { lists, ...(await loadTerms(ctx, input)) };
  const changed = input.packages.map((row) => changeRow(ctx, input, terms, row, updates.get(row.id)));
  const differing = changed.filter((row, index) => !isDeepStrictEqual(row, input.packages[index]));
  for (const row of differing) {
    const { budgetMicros, rateMicros, units, startsAt, endsAt, pacing, targeting, hold, isPaused, canceledAt, cancellationReason, buyerContext } = row;
    await ctx.db.update(mediaPackages)
      .set({ budgetMicros, rateMicros, units, startsAt, endsAt, pacing, targeting, hold, isPaused, canceledAt, cancellationReason, buyerContext, updatedAt: ctx.now })
      .where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.id, row.id)));
  }
  for (const { update, path, row } of updates.values()) if (update.targeting_overlay && !update.canceled && (lists.has(path) || namesList(row.targeting))) await replacePackageLists(ctx, row, lists.get(path) ?? []);
  if (added.length > 0) await insertPackages(ctx, input, added);

  const creatives = [...changed.flatMap((row) => creativesOf(row, updates.get(row.id))), ...added.flatMap(({ row, request, path }) => creativesOf(row, { update: request, path }))];
  const attached = await attachCreatives(ctx, { ...input, packages: creatives });
  await attached.assign();

  const touched = new Set([...differing.map(({ id }) => id), ...creatives.map(({ packageId }) => packageId)]);
  const packages = [...changed, ...added.map(({ row }) => row)];
  return { packages, affected: packages.filter((row, index) => touched.has(row.id) || index >= changed.length) };
}

/** What changed packages are held to. A request that says nothing of packages or dates changes none. */
async function loadTerms(ctx: Ctx, { request, buy, flight, packages }: Input): Promise<Omit<Terms, "lists">> {
  const isFlightKept = flight.startsAt.getTime() === buy.startsAt.getTime() && flight.endsAt.getTime() === buy.endsAt.getTime();
  if (request.packages === undefined && isFlightKept) return { limits: undefined, connections: new Map() };
  const connectionIds = [...new Set(packages.flatMap((row) => row.sold.targets.map(({ adapterConfigId }) => adapterConfigId)))];
  const [limits, connections] = await Promise.all([loadLimits(ctx, buy.currency), loadConnections(ctx, connectionIds)]);
  return { limits, connections };
}

type Match = { row: PackageRow; update: PackageUpdate; path: string };

function creativesOf(row: PackageRow, match: { update: Pick<PackageUpdate, "creatives" | "creative_assignments" | "canceled">; path: string } | undefined): PackageCreatives[] {
  if (!match || match.update.canceled) return [];
  const { creatives, creative_assignments: assignments } = match.update;
  if (!creatives && !assignments) return [];
  return [{ packageId: row.id, path: match.path, formatIds: row.sold.formatIds, uploads: creatives ?? [], assignments }];
}

function matchUpdates({ request, packages }: Input): Map<string, Match> {
  const matches = new Map<string, Match>();
  request.packages?.forEach((update, index) => {
    const path = `packages[${index}]`;
    refuseUnsupported(update, (field) => !KNOWN.has(field), path);
    const id = fromWireId("package", update.package_id);
    const row = packages.find((item) => item.id === id);
    if (!row) throw new AppError("PACKAGE_NOT_FOUND", "This media buy has no package with this id.", { field: `${path}.package_id`, suggestion: "Find its packages with get_media_buys." });
    if (matches.has(row.id)) throw new AppError("VALIDATION_ERROR", "This package is named twice.", { field: `${path}.package_id`, suggestion: "Send all changes of a package together." });
    if (row.canceledAt) {
      throw update.canceled
        ? new AppError("NOT_CANCELLABLE", "The package is canceled already.", { field: `${path}.canceled` })
        : new AppError("INVALID_STATE", "The package is canceled: it takes no changes.", { field: `${path}.package_id` });
    }
    matches.set(row.id, { row, update, path });
  });
  return matches;
}

/** The row as it will be. Pure; throws what the publisher cannot accept. */
function changeRow(ctx: Ctx, { buy, flight }: Input, terms: Terms, row: PackageRow, match: Match | undefined): PackageRow {
  if (row.canceledAt) return row;
  const { update, path } = match ?? { update: undefined, path: "packages" };
  if (update?.canceled) return { ...row, canceledAt: ctx.now, cancellationReason: update.cancellation_reason ?? null };

  const own = agreePackageFlight(ctx.now, row, buy, flight, update, path);
  const budgetMicros = update?.budget === undefined ? row.budgetMicros : parseBudget(update.budget, path);
  const rateMicros = update?.bid_price === undefined ? row.rateMicros : agreeNewRate(row, update.bid_price, path);
  const isRepriced = budgetMicros !== row.budgetMicros || rateMicros !== row.rateMicros || own.startsAt.getTime() !== row.startsAt.getTime() || own.endsAt.getTime() !== row.endsAt.getTime();
  const units = isRepriced
    ? agreeUnits({ ...own, startsAt: latest(own.startsAt, earliestStart(buy, flight, ctx.now)), budgetMicros, rateMicros, pricingModel: row.pricingModel, currency: row.currency, minSpendMicros: row.sold.minSpendMicros === undefined ? null : BigInt(row.sold.minSpendMicros) }, terms.limits, path)
    : row.units;
  assertImpressions(update?.impressions, { ...row, rateMicros, units }, path);
  const changed: PackageRow = {
    ...row, ...own, budgetMicros, rateMicros, units, pacing: update?.pacing ?? row.pacing, isPaused: update?.paused ?? row.isPaused,
    // Targeting is replaced as a whole: a package that names no list any more keeps to none.
    ...(update?.targeting_overlay ? { targeting: withoutListTokens(update.targeting_overlay), hold: agreeLists(terms.lists.get(path), inventoryOf(row), path) } : {}),
    buyerContext: update?.context ?? row.buyerContext,
  };
  if (update?.targeting_overlay || update?.pacing || isRepriced) assertExpressible(changed, terms.connections, path);
  return changed;
}

function inventoryOf({ sold: { domains, collections } }: PackageRow): Inventory | undefined {
  return domains && collections && { domains, collections };
}

/** A change that cannot happen is refused: a fixed price was agreed and stays. */
function agreeNewRate(row: PackageRow, bid: number, path: string): bigint {
  const field = `${path}.bid_price`;
  if (row.sold.floorMicros !== undefined) return agreeRate({ rateMicros: null, floorMicros: BigInt(row.sold.floorMicros), currency: row.currency }, bid, path);
  if (parseMicros(bid, field) !== row.rateMicros) throw new AppError("VALIDATION_ERROR", "This price is fixed: it takes no bid.", { field, suggestion: "Leave bid_price out." });
  return row.rateMicros;
}

/** A package that named no flight of its own moves with the media buy's. */
function agreePackageFlight(now: Date, row: PackageRow, buy: MediaBuyRow, flight: Flight, update: PackageUpdate | undefined, path: string): Flight {
  const inherited = {
    startsAt: row.startsAt.getTime() === buy.startsAt.getTime() ? flight.startsAt : row.startsAt,
    endsAt: row.endsAt.getTime() === buy.endsAt.getTime() ? flight.endsAt : row.endsAt,
  };
  const own = {
    startsAt: update?.start_time === undefined ? inherited.startsAt : parseInstant(update.start_time, `${path}.start_time`),
    endsAt: update?.end_time === undefined ? inherited.endsAt : parseInstant(update.end_time, `${path}.end_time`),
  };
  const isStartMoved = own.startsAt.getTime() !== row.startsAt.getTime();
  const isEndMoved = own.endsAt.getTime() !== row.endsAt.getTime();
  if (update) assertWithin(own, flight, path);
  else assertKept(own, flight);
  if (!isStartMoved && !isEndMoved) return own;
  assertForward(own, `${path}.end_time`);
  if (update?.start_time !== undefined && isStartMoved && now >= (buy.effectiveStartsAt ?? row.startsAt) && now >= row.startsAt) {
    throw new AppError("VALIDATION_ERROR", "The package's flight has begun: its start stays.", { field: `${path}.start_time`, suggestion: "Leave start_time out." });
  }
  if (update?.start_time !== undefined && isStartMoved && own.startsAt < now) {
    throw new AppError("VALIDATION_ERROR", "The start lies in the past.", { field: `${path}.start_time`, suggestion: "Send a start_time in the future." });
  }
  if (isEndMoved && own.endsAt <= now) throw new AppError("VALIDATION_ERROR", "The end lies in the past.", { field: `${path}.end_time`, suggestion: "To stop at once, send paused or canceled." });
  const earliest = earliestStart(buy, flight, now);
  if (own.endsAt <= earliest) throw new AppError("VALIDATION_ERROR", "The package's flight would be over before it could begin.", { field: `${path}.end_time`, suggestion: `The media buy begins on ${earliest.toISOString()}.` });
  return own;
}

/** When the order can begin, with the flight that it is to have. */
function earliestStart(buy: Input["buy"], flight: Flight, now: Date): Date {
  return flight.startsAt.getTime() === buy.startsAt.getTime() ? (buy.effectiveStartsAt ?? buy.startsAt) : effectiveStart(flight.startsAt, now);
}

const latest = (a: Date, b: Date) => (a > b ? a : b);

/** Packages with dates of their own do not follow the media buy silently. */
function assertKept(own: Flight, flight: Flight): void {
  const field = own.startsAt < flight.startsAt ? "start_time" : own.endsAt > flight.endsAt ? "end_time" : undefined;
  if (field) throw new AppError("VALIDATION_ERROR", "A package with dates of its own would lie outside the media buy's.", { field, suggestion: `Send that package's ${field} too.` });
}

type Added = { row: PackageRow; lists: readonly PackageList[]; request: PackageRequest; connectionIds: string[]; path: string };

/** More packages for a running order, sold as in a new one. What needs a review cannot join an order that had none. */
async function sellNewPackages(ctx: Ctx, { session, request, buy, flight, packages, catalogVersion }: Input, lists: PackageLists): Promise<Added[]> {
  const asked = request.new_packages ?? [];
  if (asked.length === 0) return [];
  refuseTooMany(packages.length + asked.length, "new_packages");
  const catalog = await loadCatalog(ctx, { catalogVersion, principalId: session.principalId }, [...new Set(asked.map((item) => item.product_id))]);
  return asked.map((item, index) => {
    const path = `new_packages[${index}]`;
    const sold = sellPackage(item, catalog, { ...flight, isSandbox: buy.isSandbox, joinsAt: ctx.now }, path, lists);
    if (sold.currency !== buy.currency) throw new AppError("VALIDATION_ERROR", `This media buy is in ${buy.currency}.`, { field: `${path}.pricing_option_id`, suggestion: "Place another media buy." });
    if (sold.isReviewRequired) throw new AppError("UNSUPPORTED_FEATURE", "The publisher reviews orders of this product: it cannot join a confirmed one.", { field: `${path}.product_id`, suggestion: "Place another media buy." });
    const { connections, request: own, isReviewRequired, lists: kept, ...terms } = sold;
    const row: PackageRow = {
      ...terms, tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), mediaBuyId: buy.id, position: packages.length + index,
      canceledAt: null, cancellationReason: null, createdAt: ctx.now, updatedAt: ctx.now,
    };
    return { row, lists: kept, request: own, connectionIds: connections.map(({ id }) => id), path };
  });
}

async function insertPackages(ctx: Ctx, { buy }: Input, added: Added[]): Promise<void> {
  await ctx.db.insert(mediaPackages).values(added.map(({ row }) => row));
  const kept = added.flatMap(({ row, lists }) => packageListRows(ctx, row, lists));
  if (kept.length > 0) await ctx.db.insert(packageLists).values(kept);
  const open = await ctx.db.select({ adapterConfigId: fulfilments.adapterConfigId }).from(fulfilments).where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, buy.id)));
  const known = new Set(open.map((item) => item.adapterConfigId));
  const missing = [...new Set(added.flatMap((item) => item.connectionIds))].filter((id) => !known.has(id));
  await openFulfilments(ctx, buy.id, missing, buy.desiredVersion);
}
