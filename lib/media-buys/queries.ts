import { and, asc, eq, inArray, isNotNull, isNull } from "drizzle-orm";
import { type Ctx } from "../context";
import { creativeAssignments, creatives } from "../creatives/schema";
import { AppError, invariant } from "../errors";
import { fulfilments } from "../fulfilment/schema";
import { fromWireId } from "../ids";
import { mediaBuys, mediaPackages } from "./schema";
import { type MediaBuyRow } from "./transitions";

export type PackageRow = typeof mediaPackages.$inferSelect;
export type CreativeRow = typeof creatives.$inferSelect;
export type AssignedCreative = { packageId: string; weight: number | null; creative: CreativeRow };

/** One answer for an id that does not exist and for one that is not the caller's. */
export function mediaBuyNotFound(field = "media_buy_id"): AppError {
  return new AppError("MEDIA_BUY_NOT_FOUND", "There is no media buy with this id.", { field, suggestion: "Find media buys with get_media_buys." });
}

/** Locks one confirmed media buy of this principal and account. Throws MEDIA_BUY_NOT_FOUND. */
export async function lockOwnMediaBuy(ctx: Ctx, owner: { principalId: string; accountId: string }, wireId: string): Promise<MediaBuyRow> {
  const id = fromWireId("mediaBuy", wireId);
  const [row] = id === undefined ? [] : await ctx.db.select().from(mediaBuys)
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, id), eq(mediaBuys.principalId, owner.principalId), eq(mediaBuys.accountId, owner.accountId), isNotNull(mediaBuys.confirmedAt)))
    .for("update");
  if (!row) throw mediaBuyNotFound();
  return row;
}

/** Locks a media buy of this publisher. The lock comes before any of its fulfilments': that order avoids deadlocks. */
export async function lockMediaBuy(ctx: Ctx, id: string): Promise<MediaBuyRow> {
  const [row] = await ctx.db.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, id))).for("update");
  invariant(row, `no media buy ${id}`);
  return row;
}

export async function loadPackages(ctx: Ctx, mediaBuyIds: string[]): Promise<PackageRow[]> {
  if (mediaBuyIds.length === 0) return [];
  return ctx.db.select().from(mediaPackages)
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), inArray(mediaPackages.mediaBuyId, mediaBuyIds)))
    .orderBy(asc(mediaPackages.mediaBuyId), asc(mediaPackages.position));
}

/** What is assigned to the packages of these media buys, archived creatives left out. */
export async function loadAssigned(ctx: Ctx, mediaBuyIds: string[]): Promise<AssignedCreative[]> {
  if (mediaBuyIds.length === 0) return [];
  return ctx.db.select({ packageId: creativeAssignments.packageId, weight: creativeAssignments.weight, creative: creatives })
    .from(creativeAssignments)
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
    .innerJoin(creatives, and(eq(creatives.tenantId, creativeAssignments.tenantId), eq(creatives.id, creativeAssignments.creativeId)))
    .where(and(eq(creativeAssignments.tenantId, ctx.tenantId), inArray(mediaPackages.mediaBuyId, mediaBuyIds), isNull(creatives.archivedAt)))
    .orderBy(asc(creativeAssignments.packageId), asc(creatives.createdAt), asc(creatives.creativeId));
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
