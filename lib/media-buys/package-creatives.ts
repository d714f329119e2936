import { isDeepStrictEqual } from "node:util";
import { and, eq, notInArray, sql } from "drizzle-orm";
import { type AccountRow } from "../accounts/present";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { findFormat } from "../creatives/formats";
import { creativeAssignments } from "../creatives/schema";
import { loadUsable, upsertCreatives, wholeWeight } from "../creatives/service";
import { lockLibrary } from "../creatives/serving";
import { AppError, invariant } from "../errors";
import { type AssignedCreative, type CreativeRow } from "./queries";
import { type CreativeAssignment, type CreativeUpload } from "./request";

/** What a request says of one package's creatives. */
export type PackageCreatives = {
  packageId: string;
  /** The package's place in the request. */
  path: string;
  formatIds: string[];
  /** Go into the library, and join what the package has. */
  uploads: CreativeUpload[];
  /** Replace what the package has; undefined leaves it. */
  assignments: CreativeAssignment[] | undefined;
};

type Wish = { packageId: string; field: string; formatIds: string[]; creativeId: string; weight: number | null };

/**
 * Puts uploaded creatives into the buyer's library, and checks that everything named is there, fits its package and may serve.
 * `assign` writes the assignments. It is apart, because a new order's packages do not exist yet when its creatives are checked.
 */
export async function attachCreatives(
  ctx: Ctx,
  input: { session: BuyerSession; account: AccountRow; packages: PackageCreatives[] },
): Promise<{ assigned: AssignedCreative[]; assign(): Promise<void> }> {
  if (input.packages.every((item) => item.uploads.length === 0 && item.assignments === undefined)) return { assigned: [], assign: () => Promise.resolve() };
  const wishes = input.packages.flatMap(wishesOf);
  if (wishes.length > 0) await lockLibrary(ctx, input.account.id);
  const library = await upload(ctx, input);
  const named = wishes.map(({ creativeId }) => creativeId).filter((creativeId) => !library.has(creativeId));
  for (const [creativeId, row] of await loadUsable(ctx, input.account, [...new Set(named)])) library.set(creativeId, row);
  const assigned = wishes.map((wish): AssignedCreative => ({ packageId: wish.packageId, weight: wish.weight, creative: checkFit(wish, library.get(wish.creativeId)) }));
  return { assigned, assign: () => writeAssignments(ctx, input.packages, assigned) };
}

/** All or nothing: unlike in a sync, a creative that cannot be used fails the order. */
async function upload(ctx: Ctx, input: { session: BuyerSession; account: AccountRow; packages: PackageCreatives[] }): Promise<Map<string, CreativeRow>> {
  const sent = input.packages.flatMap((item) => item.uploads.map((creative, index) => ({ field: `${item.path}.creatives[${index}]`, creative })));
  // The same creative may come with several packages.
  const uploads = sent.filter(({ creative }, index) => sent.findIndex((other) => isDeepStrictEqual(other.creative, creative)) === index);
  if (uploads.length === 0) return new Map();
  const outcomes = await upsertCreatives(ctx, { session: input.session, account: input.account, items: uploads.map(({ creative }) => creative) });
  return new Map(outcomes.map(({ creativeId, row, errors: [error] }, index) => {
    const field = uploads[index]?.field ?? "packages";
    if (error) throw new AppError(error.code, error.userMessage, { field: error.field === undefined ? field : `${field}.${error.field}`, suggestion: error.suggestion });
    invariant(row, "an accepted creative has a row");
    return [creativeId, row];
  }));
}

function wishesOf({ packageId, path, formatIds, uploads, assignments }: PackageCreatives): Wish[] {
  const toWish = (list: string) => (item: CreativeAssignment, index: number): Wish => {
    const field = `${path}.${list}[${index}]`;
    if (item.placement_ids !== undefined) throw new AppError("UNSUPPORTED_FEATURE", "A creative runs on everything its package bought.", { field: `${field}.placement_ids`, suggestion: "Leave placement_ids out." });
    return { packageId, field, formatIds, creativeId: item.creative_id, weight: wholeWeight(item.weight) };
  };
  return [...uploads.map(toWish("creatives")), ...(assignments ?? []).map(toWish("creative_assignments"))];
}

function checkFit(wish: Wish, creative: CreativeRow | undefined): CreativeRow {
  const field = `${wish.field}.creative_id`;
  if (!creative || creative.archivedAt !== null) throw new AppError("CREATIVE_NOT_FOUND", "This account's library has no creative with this id.", { field, suggestion: "Upload it with sync_creatives, or send it in packages[].creatives." });
  if (!wish.formatIds.includes(findFormat(creative.formatId.id)?.id ?? creative.formatId.id)) {
    throw new AppError("VALIDATION_ERROR", "The package does not take creatives of this format.", { field: `${wish.field}.${wish.field.includes(".creatives[") ? "format_id" : "creative_id"}`, suggestion: `It takes ${wish.formatIds.join(", ")}.` });
  }
  if (creative.status === "rejected") throw new AppError("CREATIVE_REJECTED", creative.rejectionReason ?? "The publisher rejected this creative.", { field });
  return creative;
}

async function writeAssignments(ctx: Ctx, packages: PackageCreatives[], assigned: AssignedCreative[]): Promise<void> {
  for (const { packageId } of packages.filter((item) => item.assignments !== undefined)) {
    const kept = assigned.filter((item) => item.packageId === packageId).map(({ creative }) => creative.id);
    await ctx.db.delete(creativeAssignments).where(and(
      eq(creativeAssignments.tenantId, ctx.tenantId), eq(creativeAssignments.packageId, packageId), kept.length > 0 ? notInArray(creativeAssignments.creativeId, kept) : undefined,
    ));
  }
  const rows = new Map(assigned.map(({ packageId, creative, weight }) => [`${packageId} ${creative.id}`, { tenantId: ctx.tenantId, packageId, creativeId: creative.id, weight, createdAt: ctx.now }]));
  if (rows.size === 0) return;
  await ctx.db.insert(creativeAssignments).values([...rows.values()])
    .onConflictDoUpdate({ target: [creativeAssignments.tenantId, creativeAssignments.packageId, creativeAssignments.creativeId], set: { weight: sql`excluded.weight` } });
}
