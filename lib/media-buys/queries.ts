import { and, asc, desc, eq, inArray, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import { type AccountRow } from "../accounts/present";
import { accounts } from "../accounts/schema";
import { toWireError, type WireError } from "../adcp/wire-error";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { creativeAssignments, creatives } from "../creatives/schema";
import { anyOf, compiled, compiledByShape, uuidArray } from "../db/client";
import { AppError, invariant } from "../errors";
import { fulfilments } from "../fulfilment/schema";
import { fromWireId } from "../ids";
import { mediaBuys, type MediaBuyStatus, mediaPackages } from "./schema";
import { type MediaBuyRow } from "./transitions";
import { mediaBuyWireId } from "./media-buy-id";

export type PackageRow = typeof mediaPackages.$inferSelect;
export type CreativeRow = typeof creatives.$inferSelect;
export type AssignedCreative = { packageId: string; weight: number | null; creative: CreativeRow };

/** One answer for an id that does not exist and for one that is not the caller's. */
export function mediaBuyNotFound(field = "media_buy_id"): AppError {
  return new AppError("MEDIA_BUY_NOT_FOUND", "There is no media buy with this id.", { field, suggestion: "Find media buys with get_media_buys." });
}

const at = sql.placeholder;

/** Rows that a buyer may mean by these ids, as matchMediaBuys has it. */
const named = (areAllOurs: boolean) => {
  const byId = and(sql`${mediaBuys.id} = ${anyOf("ids")}`, isNull(mediaBuys.handle));
  return areAllOurs ? byId : or(byId, sql`${mediaBuys.handle} in (select jsonb_array_elements_text(${at("handles")}::text::jsonb))`);
};

function namesOf(wireIds: readonly string[]): { areAllOurs: boolean; ids: string; handles: string } {
  const handles = wireIds.filter((wireId) => fromWireId("mediaBuy", wireId) === undefined);
  return { areAllOurs: handles.length === 0, ids: uuidArray(wireIds.flatMap((wireId) => fromWireId("mediaBuy", wireId) ?? [])), handles: JSON.stringify(handles) };
}

const ofBuyer = and(eq(mediaBuys.tenantId, at("tenantId")), eq(mediaBuys.principalId, at("principalId")), isNotNull(mediaBuys.confirmedAt));
const ofAccount = eq(mediaBuys.accountId, at("accountId"));

const lockOne = compiledByShape((db, areAllOurs: boolean) => db.select().from(mediaBuys).where(and(ofBuyer, ofAccount, named(areAllOurs))).for("update"));

/** Locks one confirmed media buy of this principal and account. Throws MEDIA_BUY_NOT_FOUND. */
export async function lockOwnMediaBuy(ctx: Ctx, owner: { principalId: string; accountId: string }, wireId: string): Promise<MediaBuyRow> {
  const { areAllOurs, ...names } = namesOf([wireId]);
  const [row] = await lockOne(ctx.db, areAllOurs, { tenantId: ctx.tenantId, ...owner, ...names });
  if (!row) throw mediaBuyNotFound();
  return row;
}

/** The account of one of this buyer's confirmed media buys, whichever it is. */
export async function findAccountOfMediaBuy(ctx: Ctx, session: BuyerSession, wireId: string): Promise<AccountRow | undefined> {
  const [found] = await findOwnMediaBuys(ctx, { principalId: session.principalId, accountId: null }, { wireIds: [wireId], limit: 1 });
  return found?.account;
}

/** Whose orders a call may see: this buyer's, of one account or of all. */
export type Owner = { principalId: string; accountId: string | null };

export function ownerOf({ session, account }: { session: BuyerSession; account: AccountRow | null }): Owner {
  return { principalId: session.principalId, accountId: account?.id ?? null };
}

export type FoundMediaBuy = { buy: MediaBuyRow; account: AccountRow };
export type MediaBuyFilter = {
  /** As the buyer names them; undefined: any. */
  wireIds?: readonly string[];
  statuses?: MediaBuyStatus[];
  /** After this one in the list. */
  after?: { createdAt: Date; id: string } | null;
  limit: number;
};

type ListShape = { isOfAccount: boolean; areAllOurs: boolean | null; statuses: number | null; isContinued: boolean };

const selectOwn = compiledByShape((db, { isOfAccount, areAllOurs, statuses, isContinued }: ListShape) => db.select({ buy: mediaBuys, account: accounts }).from(mediaBuys)
  .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
  .where(and(
    ofBuyer,
    isOfAccount ? ofAccount : undefined,
    areAllOurs === null ? undefined : named(areAllOurs),
    // One by one: the index of a single status is in the list's order, which an array would hide.
    statuses === null ? undefined : inArray(mediaBuys.status, Array.from({ length: statuses }, (_, index) => at(`status${index}`))),
    isContinued ? or(lt(mediaBuys.createdAt, at("createdAt")), and(eq(mediaBuys.createdAt, at("createdAt")), lt(mediaBuys.id, at("id")))) : undefined,
  ))
  .orderBy(desc(mediaBuys.createdAt), desc(mediaBuys.id)).limit(at("limit")));

/** A buyer's confirmed orders, newest first. */
export async function findOwnMediaBuys(ctx: Ctx, owner: Owner, { wireIds, statuses, after, limit }: MediaBuyFilter): Promise<FoundMediaBuy[]> {
  const { areAllOurs = null, ...names } = wireIds ? namesOf(wireIds) : {};
  // However often a status is named: a query is kept for each number of them.
  const distinct = statuses && [...new Set(statuses)];
  const shape = { isOfAccount: owner.accountId !== null, areAllOurs, statuses: distinct?.length ?? null, isContinued: Boolean(after) };
  const byPlace = Object.fromEntries((distinct ?? []).map((status, index) => [`status${index}`, status]));
  return selectOwn(ctx.db, shape, { tenantId: ctx.tenantId, ...owner, ...names, ...byPlace, ...after, limit });
}

/** One error for each id that is unknown or another buyer's, by its place in the request. */
export function unknownMediaBuys(wireIds: readonly string[], found: { buy: Pick<MediaBuyRow, "id" | "handle"> }[]): WireError[] {
  const known = new Set(found.map(({ buy }) => mediaBuyWireId(buy)));
  return wireIds.flatMap((wireId, index) => (known.has(wireId) ? [] : [toWireError(mediaBuyNotFound(`media_buy_ids[${index}]`))]));
}

/** Locks a media buy of this publisher. The lock comes before any of its fulfilments': that order avoids deadlocks. */
export async function lockMediaBuy(ctx: Ctx, id: string): Promise<MediaBuyRow> {
  const [row] = await ctx.db.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, id))).for("update");
  invariant(row, `no media buy ${id}`);
  return row;
}

const selectPackages = compiled((db) => db.select().from(mediaPackages)
  .where(and(eq(mediaPackages.tenantId, at("tenantId")), sql`${mediaPackages.mediaBuyId} = ${anyOf("mediaBuyIds")}`))
  .orderBy(asc(mediaPackages.mediaBuyId), asc(mediaPackages.position)));

export async function loadPackages(ctx: Ctx, mediaBuyIds: string[]): Promise<PackageRow[]> {
  return mediaBuyIds.length === 0 ? [] : selectPackages(ctx.db, { tenantId: ctx.tenantId, mediaBuyIds: uuidArray(mediaBuyIds) });
}

const selectAssigned = compiled((db) => db.select({ packageId: creativeAssignments.packageId, weight: creativeAssignments.weight, creative: creatives })
  .from(creativeAssignments)
  .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
  .innerJoin(creatives, and(eq(creatives.tenantId, creativeAssignments.tenantId), eq(creatives.id, creativeAssignments.creativeId)))
  .where(and(eq(creativeAssignments.tenantId, at("tenantId")), sql`${mediaPackages.mediaBuyId} = ${anyOf("mediaBuyIds")}`, isNull(creatives.archivedAt)))
  .orderBy(asc(creativeAssignments.packageId), asc(creatives.createdAt), asc(creatives.creativeId)));

/** What is assigned to the packages of these media buys, archived creatives left out. */
export async function loadAssigned(ctx: Ctx, mediaBuyIds: string[]): Promise<AssignedCreative[]> {
  return mediaBuyIds.length === 0 ? [] : selectAssigned(ctx.db, { tenantId: ctx.tenantId, mediaBuyIds: uuidArray(mediaBuyIds) });
}

/** Per package that can still run, whether it has an approved creative. */
export function creativeReadiness(packages: Pick<PackageRow, "id" | "canceledAt">[], assigned: { packageId: string; creative: { status: string } }[]): { packageId: string; hasCreatives: boolean }[] {
  const ready = new Set(assigned.filter(({ creative }) => creative.status === "approved").map(({ packageId }) => packageId));
  return packages.filter((item) => item.canceledAt === null).map((item) => ({ packageId: item.id, hasCreatives: ready.has(item.id) }));
}

export async function isInSync(ctx: Ctx, mediaBuyId: string): Promise<boolean> {
  const [row] = await ctx.db.select({ id: fulfilments.id }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, mediaBuyId), eq(fulfilments.state, "in_sync"))).limit(1);
  return row !== undefined;
}
