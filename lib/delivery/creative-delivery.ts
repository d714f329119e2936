import { and, asc, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { union } from "drizzle-orm/pg-core";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { listOf, readPage, toPage } from "../adcp/cursor";
import { toWireError } from "../adcp/wire-error";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { creativeAssignments, creatives } from "../creatives/schema";
import { AppError } from "../errors";
import { groupBy } from "../group-by";
import { toWireId } from "../ids";
import { ownerOf, unknownMediaBuys } from "../media-buys/queries";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { presentPeriod, readRange, toPeriod } from "./period";
import { presentMetrics } from "./present";
import { addFigures, loadPackageSlices, loadPublisherDefaults, type PackageSlice } from "./queries";
import { deliverySlices } from "./schema";
import { matchMediaBuys, mediaBuyWireId } from "../media-buys/media-buy-id";

const LIST = "get_creative_delivery";
const IDS_MAX = 100;

const creativeRequest = z.looseObject({ media_buy_ids: z.array(z.string()).optional(), creative_ids: z.array(z.string()).optional(), start_date: z.string().optional(), end_date: z.string().optional() });
type Pair = { creative: Pick<typeof creatives.$inferSelect, "id" | "creativeId" | "name" | "formatId" | "assets" | "createdAt">; buy: Pick<typeof mediaBuys.$inferSelect, "id" | "accountId" | "handle" | "currency" | "startsAt" | "effectiveStartsAt" | "isSandbox"> };

/**
 * What this buyer's creatives delivered in each media buy that they are or were part of, one entry per creative and media buy. Creatives are
 * served as they were sent, so each has one variant once it has delivered, and none before.
 */
export async function getCreativeDelivery(ctx: Ctx, input: { session: BuyerSession; account: AccountRow | null; request: Record<string, unknown> }): Promise<Record<string, unknown>> {
  const request = creativeRequest.parse(input.request);
  for (const field of ["media_buy_ids", "creative_ids"] as const) {
    if ((request[field]?.length ?? 0) > IDS_MAX) throw new AppError("INVALID_REQUEST", `One report names at most ${IDS_MAX}.`, { field, suggestion: "Ask in several calls." });
  }
  const range = readRange(request);
  const page = readPage(input.request, listOf({ tenantId: ctx.tenantId, session: input.session }, LIST));
  const ids = request.media_buy_ids;
  const known = ids === undefined ? [] : await findKnown(ctx, input, ids);
  const skipped = Number(page.after?.[0] ?? 0);
  const { pairs, total } = await findPairs(ctx, input, { mediaBuyIds: ids && known.map(({ buy }) => buy.id), creativeIds: request.creative_ids, offset: skipped, limit: page.limit + 1 });
  const { rows, pagination } = toPage(pairs, page, () => [skipped + page.limit]);
  const slices = groupBy(await loadPackageSlices(ctx, [...new Set(rows.map(({ buy }) => buy.id))], ["creative"], range), (slice) => `${slice.mediaBuyId} ${slice.key}`);
  const publisher = await loadPublisherDefaults(ctx);
  const begun = rows.map(({ buy }) => buy.effectiveStartsAt ?? buy.startsAt).reduce((first, start) => (start < first ? start : first), ctx.now);
  const period = toPeriod(range, publisher.timeZone, { from: begun, to: ctx.now }, ctx.now);
  const currencies = [...new Set(rows.map(({ buy }) => buy.currency))];
  const errors = [...(ids ? unknownMediaBuys(ids, known) : []), ...unknownCreatives(request.creative_ids, page.after === null && !pagination.has_more ? rows : null)];
  return {
    ...(input.account ? { account_id: toWireId("account", input.account.id) } : {}),
    ...(request.media_buy_ids?.length === 1 && known.length === 1 ? { media_buy_id: request.media_buy_ids[0] } : {}),
    reporting_period: { ...presentPeriod(period, publisher.timeZone), timezone: publisher.timeZone },
    currency: currencies[0] ?? publisher.currency,
    creatives: rows.map((pair) => presentPair(pair, slices.get(`${pair.buy.id} ${pair.creative.id}`) ?? [])),
    pagination: { limit: page.limit, offset: skipped, total, ...pagination },
    ...(errors.length > 0 ? { errors } : {}),
    ...(rows.some(({ buy }) => buy.isSandbox) ? { sandbox: true } : {}),
  };
}

function presentPair({ creative, buy }: Pair, slices: PackageSlice[]): Record<string, unknown> {
  const metrics = slices.length > 0 ? presentMetrics(addFigures(slices)) : undefined;
  return {
    creative_id: creative.creativeId,
    media_buy_id: mediaBuyWireId(buy),
    format_id: creative.formatId,
    currency: buy.currency,
    ...(metrics ? { totals: metrics } : {}),
    variant_count: metrics ? 1 : 0,
    variants: metrics ? [{ variant_id: creative.creativeId, ...metrics }] : [],
  };
}

type Wanted = { mediaBuyIds: string[] | undefined; creativeIds: string[] | undefined; offset: number; limit: number };

/** Assigned now, or delivered once. Newest creatives first. */
async function findPairs(ctx: Ctx, input: { session: BuyerSession; account: AccountRow | null }, { mediaBuyIds, creativeIds, offset, limit }: Wanted): Promise<{ pairs: Pair[]; total: number }> {
  const { principalId, accountId } = ownerOf(input);
  const own = and(
    eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, principalId), accountId === null ? undefined : eq(creatives.accountId, accountId),
    creativeIds && inArray(creatives.creativeId, creativeIds), mediaBuyIds && inArray(mediaPackages.mediaBuyId, mediaBuyIds),
  );
  const assigned = ctx.db.select({ creativeId: creatives.id, mediaBuyId: mediaPackages.mediaBuyId }).from(creatives)
    .innerJoin(creativeAssignments, and(eq(creativeAssignments.tenantId, creatives.tenantId), eq(creativeAssignments.creativeId, creatives.id)))
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creatives.tenantId), eq(mediaPackages.id, creativeAssignments.packageId))).where(own);
  const delivered = ctx.db.select({ creativeId: creatives.id, mediaBuyId: mediaPackages.mediaBuyId }).from(creatives)
    .innerJoin(deliverySlices, and(eq(deliverySlices.tenantId, creatives.tenantId), eq(deliverySlices.dimension, "creative"), eq(deliverySlices.key, sql`${creatives.id}::text`)))
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creatives.tenantId), eq(mediaPackages.id, deliverySlices.packageId))).where(own);
  const pair = union(assigned, delivered).as("pair");
  const rows = await ctx.db.select({
    creative: { id: creatives.id, creativeId: creatives.creativeId, name: creatives.name, formatId: creatives.formatId, assets: creatives.assets, createdAt: creatives.createdAt },
    buy: { id: mediaBuys.id, handle: mediaBuys.handle, accountId: mediaBuys.accountId, currency: mediaBuys.currency, startsAt: mediaBuys.startsAt, effectiveStartsAt: mediaBuys.effectiveStartsAt, isSandbox: mediaBuys.isSandbox },
    total: sql<number>`count(*) over ()`.mapWith(Number),
  }).from(pair)
    .innerJoin(creatives, and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.id, pair.creativeId)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, pair.mediaBuyId), eq(mediaBuys.principalId, principalId), isNotNull(mediaBuys.confirmedAt)))
    .orderBy(desc(creatives.createdAt), asc(creatives.id), desc(mediaBuys.createdAt), asc(mediaBuys.id)).offset(offset).limit(limit);
  return { pairs: rows.map(({ creative, buy }) => ({ creative, buy })), total: rows[0]?.total ?? offset };
}

async function findKnown(ctx: Ctx, input: { session: BuyerSession; account: AccountRow | null }, wireIds: string[]): Promise<{ buy: { id: string; handle: string | null } }[]> {
  const { principalId, accountId } = ownerOf(input);
  const rows = await ctx.db.select({ id: mediaBuys.id, handle: mediaBuys.handle }).from(mediaBuys).where(and(
    eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.principalId, principalId), isNotNull(mediaBuys.confirmedAt),
    accountId === null ? undefined : eq(mediaBuys.accountId, accountId), matchMediaBuys(wireIds),
  ));
  return rows.map((buy) => ({ buy }));
}

/** @param found everything there is, or null when this is only a part of it */
function unknownCreatives(asked: string[] | undefined, found: Pair[] | null) {
  if (!asked || !found) return [];
  const known = new Set(found.map(({ creative }) => creative.creativeId));
  return asked.flatMap((creativeId, index) => (known.has(creativeId) ? [] : [toWireError(new AppError("CREATIVE_NOT_FOUND", "No such creative of yours is part of these media buys.", { field: `creative_ids[${index}]` }))]));
}
