import { and, asc, count, desc, eq, gt, ilike, inArray, isNotNull, isNull, or, sql, type SQL, type SQLWrapper } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { fulfilments } from "../fulfilment/schema";
import { groupBy } from "../group-by";
import { fromWireId, isUuid } from "../ids";
import { isTerminal } from "./transitions";
import { MEDIA_BUY_STATUSES, mediaBuys, mediaPackages, type MediaBuyStatus } from "./schema";

export const MEDIA_BUY_PAGE_SIZES = [10, 25, 50, 100] as const;
export const MEDIA_BUY_SORT_KEYS = ["createdAt", "startsAt", "endsAt", "name", "budget", "status", "buyer"] as const;
export type MediaBuySortKey = (typeof MEDIA_BUY_SORT_KEYS)[number];

export type SearchInput = {
  /** None: all. */
  statuses?: MediaBuyStatus[];
  /** Part of the order's, account's or buyer's name or PO number, or a whole media buy id. */
  text?: string;
  buyerId?: string;
  sort: MediaBuySortKey;
  direction: "asc" | "desc";
  /** From 1. */
  page: number;
  pageSize: (typeof MEDIA_BUY_PAGE_SIZES)[number];
};

export type MediaBuyListItem = {
  id: string;
  name: string;
  status: MediaBuyStatus;
  poNumber: string | null;
  buyerName: string;
  accountName: string;
  isSandbox: boolean;
  budgetMicros: bigint;
  currency: string;
  startsAt: Date;
  endsAt: Date;
  createdAt: Date;
  /** One per connection. */
  fulfilmentStates: (typeof fulfilments.$inferSelect)["state"][];
  /** Packages that could run yet, and stand still because of a list of their buyer's. */
  heldPackages: number;
};

/** Budgets of several currencies sort by currency first: amounts of different ones do not compare. */
const SORT_COLUMNS: Record<MediaBuySortKey, SQLWrapper[]> = {
  createdAt: [mediaBuys.createdAt],
  startsAt: [mediaBuys.startsAt],
  endsAt: [mediaBuys.endsAt],
  name: [mediaBuys.name],
  budget: [mediaBuys.currency, mediaBuys.budgetMicros],
  status: [mediaBuys.status],
  buyer: [principals.name],
};

const NONE: Record<MediaBuyStatus, number> = { pending_approval: 0, pending_creatives: 0, pending_start: 0, active: 0, paused: 0, completed: 0, rejected: 0, canceled: 0 };

/** Staff's list of media buys. `counts` are per status under the other filters, so that every tab says what it holds. */
export async function searchMediaBuys(ctx: Ctx, input: SearchInput): Promise<{ rows: MediaBuyListItem[]; total: number; counts: Record<MediaBuyStatus, number> }> {
  requirePermission(ctx.actor, "media_buy.read");
  const filter = and(eq(mediaBuys.tenantId, ctx.tenantId), input.buyerId ? (isUuid(input.buyerId) ? eq(mediaBuys.principalId, input.buyerId) : sql`false`) : undefined, matchText(input.text));
  const ofBuyer = and(eq(principals.tenantId, mediaBuys.tenantId), eq(principals.id, mediaBuys.principalId));
  const ofAccount = and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId));

  const counted = await ctx.db.select({ status: mediaBuys.status, count: count() }).from(mediaBuys).innerJoin(principals, ofBuyer).innerJoin(accounts, ofAccount).where(filter).groupBy(mediaBuys.status);
  const counts = { ...NONE, ...Object.fromEntries(counted.map((row): [string, number] => [row.status, row.count])) };
  const direction = input.direction === "asc" ? asc : desc;
  const rows = await ctx.db
    .select({
      id: mediaBuys.id, name: mediaBuys.name, status: mediaBuys.status, poNumber: mediaBuys.poNumber, buyerName: principals.name, accountName: accounts.name, isSandbox: mediaBuys.isSandbox,
      budgetMicros: mediaBuys.budgetMicros, currency: mediaBuys.currency, startsAt: mediaBuys.startsAt, endsAt: mediaBuys.endsAt, createdAt: mediaBuys.createdAt,
    })
    .from(mediaBuys).innerJoin(principals, ofBuyer).innerJoin(accounts, ofAccount)
    .where(and(filter, input.statuses && input.statuses.length > 0 ? inArray(mediaBuys.status, input.statuses) : undefined))
    .orderBy(...SORT_COLUMNS[input.sort].map((column) => direction(column)), direction(mediaBuys.id))
    .limit(input.pageSize).offset((input.page - 1) * input.pageSize);

  const ids = rows.map(({ id }) => id);
  const states = await loadStates(ctx, ids);
  const held = await countHeld(ctx, ids);
  const shown: readonly MediaBuyStatus[] = input.statuses && input.statuses.length > 0 ? input.statuses : MEDIA_BUY_STATUSES;
  return {
    rows: rows.map((row) => ({ ...row, fulfilmentStates: states.get(row.id) ?? [], heldPackages: isTerminal(row.status) ? 0 : (held.get(row.id) ?? 0) })),
    total: shown.reduce((sum, status) => sum + counts[status], 0),
    counts,
  };
}

function matchText(text: string | undefined): SQL | undefined {
  const wanted = text?.replaceAll("\0", "").trim() ?? "";
  if (wanted === "") return undefined;
  const id = fromWireId("mediaBuy", wanted);
  if (id !== undefined) return eq(mediaBuys.id, id);
  const pattern = `%${wanted.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return or(ilike(mediaBuys.name, pattern), ilike(mediaBuys.poNumber, pattern), ilike(accounts.name, pattern), ilike(principals.name, pattern));
}

async function loadStates(ctx: Ctx, mediaBuyIds: string[]): Promise<Map<string, MediaBuyListItem["fulfilmentStates"]>> {
  if (mediaBuyIds.length === 0) return new Map();
  const rows = await ctx.db.select({ mediaBuyId: fulfilments.mediaBuyId, state: fulfilments.state }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), inArray(fulfilments.mediaBuyId, mediaBuyIds))).orderBy(asc(fulfilments.createdAt), asc(fulfilments.id));
  return new Map([...groupBy(rows, (row) => row.mediaBuyId)].map(([id, items]) => [id, items.map(({ state }) => state)]));
}

async function countHeld(ctx: Ctx, mediaBuyIds: string[]): Promise<Map<string, number>> {
  if (mediaBuyIds.length === 0) return new Map();
  const rows = await ctx.db.select({ mediaBuyId: mediaPackages.mediaBuyId, held: count() }).from(mediaPackages)
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), inArray(mediaPackages.mediaBuyId, mediaBuyIds), isNotNull(mediaPackages.hold), isNull(mediaPackages.canceledAt), gt(mediaPackages.endsAt, ctx.now)))
    .groupBy(mediaPackages.mediaBuyId);
  return new Map(rows.map((row) => [row.mediaBuyId, row.held]));
}
