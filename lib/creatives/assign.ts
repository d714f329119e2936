import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { fromWireId } from "../ids";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { settleStatus } from "../media-buys/settle";
import { isTerminal, reviseMediaBuy } from "../media-buys/transitions";
import { findFormat } from "./formats";
import { creativeAssignments } from "./schema";
import { loadUsable, wholeWeight } from "./service";
import { lockLibrary, lockMediaBuysById, reconverge } from "./serving";
import { type CreativeRow } from "./to-desired";

const assignmentItem = z.looseObject({ creative_id: z.string(), package_id: z.string(), weight: z.number().optional(), placement_ids: z.array(z.string()).optional() });
type AssignmentItem = z.infer<typeof assignmentItem>;

export type AssignmentOutcome = { creativeId: string; packageId: string; error: AppError | null };

type Package = { id: string; mediaBuyId: string; formatIds: string[]; isOver: boolean };

/**
 * Assigns creatives of the account's library to packages of its confirmed orders, in addition to what they have; a second time, it changes
 * the weight. Affected orders get a new revision, their ad servers converge, and an order that waited for creatives moves on.
 * @param items in the protocol's form: creative_id, package_id, weight
 */
export async function assignCreatives(ctx: Ctx, { account, items }: { account: AccountRow; items: readonly unknown[] }): Promise<AssignmentOutcome[]> {
  const parsed = items.map((item) => assignmentItem.parse(item));
  await lockLibrary(ctx, account.id);
  const library = await loadUsable(ctx, account, parsed.map((item) => item.creative_id));
  const packages = await loadOwnPackages(ctx, account, parsed.map((item) => item.package_id));
  const planned = parsed.map((item) => {
    const creative = library.get(item.creative_id);
    const target = packages.get(item.package_id);
    return { item, creative, target, error: problemOf(item, creative, target) };
  });
  const links = planned.flatMap(({ item, creative, target, error }) => (error === null && creative && target ? [{ item, creative, target }] : []));
  const locked = await lockMediaBuysById(ctx, [...new Set(links.map(({ target }) => target.mediaBuyId))]);
  const changed = new Set<string>();
  for (const { item, creative, target } of links) {
    if (!(await link(ctx, target.id, creative.id, wholeWeight(item.weight)))) continue;
    changed.add(target.mediaBuyId);
    await recordAudit(ctx, { action: "creative.assigned", objectKind: "creative", objectId: creative.id, mediaBuyId: target.mediaBuyId, summary: `The creative "${creative.name}" (${creative.creativeId}) was assigned to ${item.package_id}.` });
  }
  for (const mediaBuyId of locked.filter((id) => changed.has(id))) {
    await reviseMediaBuy(ctx, mediaBuyId, {});
    await reconverge(ctx, [mediaBuyId]);
    await settleStatus(ctx, mediaBuyId);
  }
  return planned.map(({ item, error }) => ({ creativeId: item.creative_id, packageId: item.package_id, error }));
}

/** Whether anything changed. */
async function link(ctx: Ctx, packageId: string, creativeId: string, weight: number | null): Promise<boolean> {
  const rows = await ctx.db.insert(creativeAssignments).values({ tenantId: ctx.tenantId, packageId, creativeId, weight, createdAt: ctx.now })
    .onConflictDoUpdate({
      target: [creativeAssignments.tenantId, creativeAssignments.packageId, creativeAssignments.creativeId],
      set: { weight }, setWhere: sql`${creativeAssignments.weight} is distinct from excluded.weight`,
    })
    .returning({ packageId: creativeAssignments.packageId });
  return rows.length > 0;
}

/** Packages of this account's confirmed orders by their wire ids, in the sandbox of all the buyer's (see loadUsable); an order that waits for approval is not the buyer's to see. */
async function loadOwnPackages(ctx: Ctx, account: AccountRow, wireIds: string[]): Promise<Map<string, Package>> {
  const ids = new Map(wireIds.flatMap((wireId) => {
    const id = fromWireId("package", wireId);
    return id === undefined ? [] : [[id, wireId] as const];
  }));
  if (ids.size === 0) return new Map();
  const ofAccount = account.isSandbox ? and(eq(mediaBuys.principalId, account.principalId), eq(mediaBuys.isSandbox, true)) : eq(mediaBuys.accountId, account.id);
  const rows = await ctx.db.select({ id: mediaPackages.id, mediaBuyId: mediaBuys.id, sold: mediaPackages.sold, canceledAt: mediaPackages.canceledAt, status: mediaBuys.status })
    .from(mediaPackages)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId)))
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), inArray(mediaPackages.id, [...ids.keys()]), ofAccount, isNotNull(mediaBuys.confirmedAt)));
  return new Map(rows.map((row) => [ids.get(row.id) ?? "", { id: row.id, mediaBuyId: row.mediaBuyId, formatIds: row.sold.formatIds, isOver: row.canceledAt !== null || isTerminal(row.status) }]));
}

function problemOf(item: AssignmentItem, creative: CreativeRow | undefined, target: Package | undefined): AppError | null {
  if (!creative) return new AppError("CREATIVE_NOT_FOUND", "There is no creative with this id in this account's library.", { field: "creative_id" });
  if (!target) return new AppError("PACKAGE_NOT_FOUND", "There is no package with this id in this account's orders.", { field: "package_id" });
  if (target.isOver) return new AppError("INVALID_STATE", "This package has ended; nothing can be assigned to it.", { field: "package_id" });
  // One that waits for its review goes on air by itself once it is approved.
  if (creative.archivedAt !== null || creative.status === "rejected") return new AppError("CREATIVE_REJECTED", creative.rejectionReason ?? "This creative was archived.", { field: "creative_id" });
  if (item.placement_ids) return new AppError("UNSUPPORTED_FEATURE", "A creative runs on everything its package bought.", { field: "placement_ids", suggestion: "Leave placement_ids out." });
  const format = findFormat(creative.formatId.id);
  if (!format || !target.formatIds.some((id) => findFormat(id)?.id === format.id)) {
    return new AppError("VALIDATION_ERROR", `The package was sold with other formats: ${target.formatIds.join(", ")}.`, { field: "creative_id", suggestion: "Assign a creative of one of these formats." });
  }
  return null;
}
