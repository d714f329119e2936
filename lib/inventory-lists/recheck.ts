import { and, eq, inArray } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { isBrokenInvariant } from "../errors";
import { inTenant, type Transacting } from "../fulfilment/call";
import { requestConvergence } from "../fulfilment/request";
import { toWireId } from "../ids";
import { announceChange } from "../live";
import { loadPackages, lockMediaBuy, type PackageRow } from "../media-buys/queries";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { reviseMediaBuy } from "../media-buys/transitions";
import { type PackageHold } from "./fields";
import { holdBy, type KeptList, loadKeptLists, weightiest } from "./packages";
import { packageLists } from "./schema";

const LIVE = ["pending_approval", "pending_creatives", "pending_start", "active", "paused"] as const;

/** Lets the packages run that a list, as it was read last, leaves room for, and stops those that it does not. Each order by itself: one that fails holds up no other, and the whole is tried again. */
export async function recheckPackages(transacting: Transacting, { tenantId, listId }: { tenantId: string; listId: string }): Promise<number> {
  const mediaBuyIds = await inTenant(transacting, tenantId, (ctx) => findOrders(ctx, listId));
  let changed = 0;
  const failures: unknown[] = [];
  for (const mediaBuyId of mediaBuyIds) {
    try {
      if (await inTenant(transacting, tenantId, (ctx) => recheckOrder(ctx, mediaBuyId))) changed += 1;
    } catch (error) {
      transacting.log.error("An order could not be judged by a list that was read.", { tenantId, mediaBuyId, error });
      failures.push(error);
    }
  }
  // One that a later try may mend stands before those that none will.
  if (failures.length > 0) throw failures.find((failure) => !isBrokenInvariant(failure)) ?? failures[0];
  return changed;
}

async function findOrders(ctx: Ctx, listId: string): Promise<string[]> {
  const rows = await ctx.db.selectDistinct({ id: packageLists.mediaBuyId }).from(packageLists)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, packageLists.tenantId), eq(mediaBuys.id, packageLists.mediaBuyId), inArray(mediaBuys.status, [...LIVE])))
    .where(and(eq(packageLists.tenantId, ctx.tenantId), eq(packageLists.listId, listId))).orderBy(packageLists.mediaBuyId);
  return rows.map(({ id }) => id);
}

async function recheckOrder(ctx: Ctx, mediaBuyId: string): Promise<boolean> {
  const buy = await lockMediaBuy(ctx, mediaBuyId);
  if (!LIVE.some((status) => status === buy.status)) return false;
  const kept = await loadKeptLists(ctx, [buy.id]);
  const open = (await loadPackages(ctx, [buy.id])).filter((row) => row.canceledAt === null && row.endsAt > ctx.now);
  const moved = open.map((row) => ({ row, hold: holdOf(row, kept.filter(({ packageId }) => packageId === row.id)) })).filter(({ row, hold }) => !isSameHold(row.hold, hold));
  if (moved.length === 0) {
    // The screen of the order shows when its lists were read.
    announceChange(ctx, "media_buy", buy.id);
    return false;
  }
  for (const { row, hold } of moved) await ctx.db.update(mediaPackages).set({ hold, updatedAt: ctx.now }).where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.id, row.id)));
  // An order that waits for a decision runs nowhere yet, and its buyer does not see it.
  if (buy.status === "pending_approval") {
    announceChange(ctx, "media_buy", buy.id);
    return true;
  }
  const revised = await reviseMediaBuy(ctx, buy.id, {});
  // What stands still for another reason than before changes nothing at an ad server.
  if (moved.some(({ row, hold }) => (row.hold === null) !== (hold === null))) await requestConvergence(ctx, buy.id);
  else announceChange(ctx, "media_buy", buy.id);
  const words = moved.map(({ row, hold }) => `${toWireId("package", row.id)} ${hold ? `stands still: ${hold.message}` : "runs: its lists leave room for all of its product"}`);
  const shown = (which: (one: (typeof moved)[number]) => PackageHold | null) => Object.fromEntries(moved.map((one) => [toWireId("package", one.row.id), { held: which(one)?.reason ?? null }]));
  await recordAudit(ctx, {
    action: moved.some(({ hold }) => hold !== null) ? "media_buy.package_paused" : "media_buy.package_resumed", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: words.join("; ").slice(0, 500),
    before: { revision: buy.revision, packages: shown(({ row }) => row.hold) }, after: { revision: revised.revision, packages: shown(({ hold }) => hold) },
  });
  return true;
}

/** The words of an agent that refuses may differ each time: it puts ids and times into them. Ours name what a list leaves out. */
function isSameHold(before: PackageHold | null, after: PackageHold | null): boolean {
  return before?.field === after?.field && before?.reason === after?.reason && (after?.reason === "unreadable" || before?.message === after?.message);
}

function holdOf(row: PackageRow, lists: KeptList[]): PackageHold | null {
  const inventory = { domains: row.sold.domains ?? [], collections: row.sold.collections ?? [] };
  return weightiest(lists.map(({ field, state, entries, error }) => {
    // What a running package keeps to, and what is only being read again, says nothing new.
    if (entries === null && state === "reading" && row.hold === null) return null;
    return holdBy({ field, entries, failure: state === "failed" ? (error ?? "Its agent did not answer.") : null }, inventory);
  }));
}
