import { and, eq, inArray, isNull, ne, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { canonicalHash, canonicalJson } from "../adcp/canonical-json";
import { type BuyerSession } from "../adcp/tool";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { env } from "../env";
import { AppError, invariant } from "../errors";
import { newId, toWireId } from "../ids";
import { type CreativeReviewPolicy, tenants } from "../tenants/schema";
import { findFormat, type FormatDefinition } from "./formats";
import { reflectReview, tellStaffOfWaiting } from "./review";
import { creatives } from "./schema";
import { type CreativeRow } from "./to-desired";
import { lockLibrary, lockServingMediaBuys, reconverge } from "./serving";
import { checkAssets, unusedAssets } from "./validate";

const CREATIVE_ID_LENGTH_MAX = 255;
const NAME_LENGTH_MAX = 500;

const creativeItem = z.looseObject({
  creative_id: z.string(),
  name: z.string(),
  format_id: z.looseObject({ agent_url: z.string(), id: z.string() }),
  assets: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()).default([]),
});
type CreativeItem = z.infer<typeof creativeItem>;

/** Parts of the protocol's creative that are not kept; the buyer is told. */
const NOT_KEPT = ["inputs", "industry_identifiers", "provenance"] as const;

export type CreativeOutcome = {
  creativeId: string;
  action: "created" | "updated" | "unchanged" | "failed" | "deleted";
  /** null when it failed, and in a dry run when it would be new. */
  row: CreativeRow | null;
  /** Names of what changed; for `updated` only. */
  changes: string[];
  /** For `failed` only; their fields are relative to the creative. */
  errors: AppError[];
  warnings: string[];
};

export type UpsertInput = { session: BuyerSession; account: AccountRow; /** Creatives in the protocol's form (core/creative-asset.json). */ items: readonly unknown[] };

/**
 * Puts creatives into the buyer's library, in the order given. Invalid ones are `failed` and change nothing; the others are approved at once
 * or wait for a person, as the publisher wants it (see statusAfter). Every confirmed media buy that serves a changed one converges again.
 */
export async function upsertCreatives(ctx: Ctx, { session, account, items }: UpsertInput): Promise<CreativeOutcome[]> {
  const parsed = items.map((item) => creativeItem.parse(item));
  await lockLibrary(ctx, account.id);
  const [existing, publisher] = await Promise.all([loadByBuyerIds(ctx, account, parsed.map((item) => item.creative_id)), loadReviewPolicy(ctx)]);
  const planned = parsed.map((item, index) => {
    const errors = checkItem(item);
    if (parsed.findIndex((other) => other.creative_id === item.creative_id) !== index) errors.push(new AppError("VALIDATION_ERROR", "This creative_id appears twice in the request.", { field: "creative_id" }));
    const current = existing.get(item.creative_id);
    const status = statusAfter(current, item, publisher.creativeReview);
    return { item, current, errors, status, changes: errors.length === 0 && current ? changesOf(current, item, status) : [] };
  });
  const writes = planned.filter(({ errors, current, changes }) => errors.length === 0 && (!current || changes.length > 0));
  const serving = await lockServingMediaBuys(ctx, writes.flatMap(({ current }) => (current ? [current.id] : [])));
  const written = await writeAll(ctx, session, account, writes);
  for (const { item, current } of writes) {
    const row = written.get(item.creative_id);
    invariant(row, "a written creative is returned");
    await recordAudit(ctx, { action: current ? "creative.updated" : "creative.created", objectKind: "creative", objectId: row.id, summary: `The creative "${row.name}" (${row.creativeId}) was ${current ? "changed" : "added"}.` });
  }
  const rows = [...written.values()];
  if (rows.length > 0) await reflectReview(ctx, rows, { decision: "withdrawn", reason: "The buyer sent it anew." });
  await tellStaffOfWaiting(ctx, rows.filter(({ status }) => status === "pending_review"), publisher);
  await reconverge(ctx, serving);
  return planned.map(({ item, current, errors, changes }): CreativeOutcome => ({
    creativeId: item.creative_id,
    action: errors.length > 0 ? "failed" : !current ? "created" : changes.length > 0 ? "updated" : "unchanged",
    row: errors.length > 0 ? null : (written.get(item.creative_id) ?? current ?? null),
    changes,
    errors,
    warnings: errors.length > 0 ? [] : warningsOf(item),
  }));
}

/** Archives what the account's library holds beyond `kept`; what served it converges again. */
export async function archiveOthers(ctx: Ctx, account: AccountRow, kept: string[]): Promise<CreativeOutcome[]> {
  await lockLibrary(ctx, account.id);
  const others = and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.accountId, account.id), isNull(creatives.archivedAt), kept.length > 0 ? notInArray(creatives.creativeId, kept) : undefined);
  const found = await ctx.db.select({ id: creatives.id }).from(creatives).where(others);
  const serving = await lockServingMediaBuys(ctx, found.map(({ id }) => id));
  const archived = await ctx.db.update(creatives).set({ status: "archived", archivedFrom: sql`${creatives.status}`, archivedAt: ctx.now, updatedAt: ctx.now, version: sql`${creatives.version} + 1` }).where(others).returning();
  for (const row of archived) await recordAudit(ctx, { action: "creative.archived", objectKind: "creative", objectId: row.id, summary: `The creative "${row.name}" (${row.creativeId}) was archived: a sync left it out.` });
  if (archived.length > 0) await reflectReview(ctx, archived, { decision: "withdrawn", reason: "The buyer archived it." });
  await reconverge(ctx, serving);
  return archived.map((row) => ({ creativeId: row.creativeId, action: "deleted", row, changes: [], errors: [], warnings: [] }));
}

/** Creatives of one account by the buyer's ids, archived ones included. */
export async function loadByBuyerIds(ctx: Ctx, account: AccountRow, creativeIds: readonly string[]): Promise<Map<string, CreativeRow>> {
  if (creativeIds.length === 0) return new Map();
  const rows = await ctx.db.select().from(creatives).where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.accountId, account.id), inArray(creatives.creativeId, [...creativeIds])));
  return new Map(rows.map((row) => [row.creativeId, row]));
}

/**
 * The creatives that an order of this account can use. A sandbox buyer's accounts come into being by being named, so that a wrong one proves
 * nothing: there, what this library lacks is taken from the buyer's other ones.
 */
export async function loadUsable(ctx: Ctx, account: AccountRow, creativeIds: readonly string[]): Promise<Map<string, CreativeRow>> {
  const usable = await loadByBuyerIds(ctx, account, creativeIds);
  const missing = creativeIds.filter((id) => !usable.has(id));
  if (!account.isSandbox || missing.length === 0) return usable;
  const elsewhere = and(
    eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, account.principalId), ne(creatives.accountId, account.id), inArray(creatives.creativeId, missing), isNull(creatives.archivedAt),
  );
  const libraries = await ctx.db.selectDistinct({ accountId: creatives.accountId }).from(creatives).where(elsewhere).orderBy(creatives.accountId);
  for (const { accountId } of libraries) await lockLibrary(ctx, accountId);
  if (libraries.length === 0) return usable;
  for (const row of await ctx.db.select().from(creatives).where(elsewhere).orderBy(creatives.updatedAt, creatives.id)) usable.set(row.creativeId, row);
  return usable;
}

function checkItem(item: CreativeItem): AppError[] {
  const errors: AppError[] = [];
  if (item.creative_id === "" || item.creative_id.length > CREATIVE_ID_LENGTH_MAX) errors.push(new AppError("VALIDATION_ERROR", `A creative_id has 1 to ${CREATIVE_ID_LENGTH_MAX} characters.`, { field: "creative_id" }));
  if (item.name.trim() === "" || item.name.length > NAME_LENGTH_MAX) errors.push(new AppError("VALIDATION_ERROR", `A name has 1 to ${NAME_LENGTH_MAX} characters.`, { field: "name" }));
  const format = findFormat(item.format_id.id);
  if (!format && isForeign(item.format_id.agent_url)) return errors;
  if (!format) return [...errors, new AppError("VALIDATION_ERROR", "This publisher knows no format with this id.", { field: "format_id.id", suggestion: "Choose one from list_creative_formats." })];
  return [...errors, ...checkAssets(format, item.assets)];
}

/** Formats are defined by many agents: what is made in one that nobody here knows is kept, for a person to look at. */
function isForeign(agentUrl: string): boolean {
  return !URL.canParse(agentUrl) || new URL(agentUrl).origin !== new URL(env().publicUrl).origin;
}

async function loadReviewPolicy(ctx: Ctx): Promise<{ slug: string; creativeReview: CreativeReviewPolicy }> {
  const [publisher] = await ctx.db.select({ slug: tenants.slug, creativeReview: tenants.creativeReview }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  invariant(publisher, `there is a publisher ${ctx.tenantId}`);
  return publisher;
}

/** Formats whose creatives bring code of others, which may show something else tomorrow. */
const THIRD_PARTY_TYPES: ReadonlySet<FormatDefinition["type"]> = new Set(["html", "vast"]);

function isReviewed(format: FormatDefinition | undefined, policy: CreativeReviewPolicy): boolean {
  if (!format || policy === "all") return true;
  return policy === "third_party" && THIRD_PARTY_TYPES.has(format.type);
}

/**
 * What a creative is once it has been sent. What a person said of it stands while its content does, also over an archive; one that was
 * rejected is looked at again when it comes with other content, whatever the publisher's rule.
 */
function statusAfter(current: CreativeRow | undefined, item: CreativeItem, policy: CreativeReviewPolicy): "approved" | "pending_review" | "rejected" {
  const first = isReviewed(findFormat(item.format_id.id), policy) ? "pending_review" : "approved";
  if (!current) return first;
  const wasRejected = current.rejectionReason !== null;
  const before = current.archivedFrom ?? current.status;
  // What waits for a person waits on, whatever it is replaced by: other content would be a way round.
  const isWaiting = before === "pending_review" && findFormat(current.formatId.id) !== undefined;
  if (!isSameContent(current, item)) return wasRejected || isWaiting ? "pending_review" : first;
  if (wasRejected) return "rejected";
  return before === "approved" || before === "pending_review" ? before : first;
}

function isSameContent(current: CreativeRow, item: CreativeItem): boolean {
  return canonicalJson(current.formatId) === canonicalJson(item.format_id) && canonicalJson(current.assets) === canonicalJson(item.assets);
}

function warningsOf(item: CreativeItem): string[] {
  const format = findFormat(item.format_id.id);
  const unused = format ? unusedAssets(format, item.assets) : [];
  return [
    ...(format ? [] : [`The format "${item.format_id.id}" is not one of this publisher's: the creative is kept, and runs in no package as it is.`]),
    ...unused.map((key) => `The format ${format?.id ?? ""} has no asset "${key}"; it is kept but not served.`),
    ...NOT_KEPT.filter((key) => item[key] !== undefined).map((key) => `"${key}" is not kept.`),
  ];
}

function changesOf(current: CreativeRow, item: CreativeItem, status: CreativeRow["status"]): string[] {
  const changes: string[] = [];
  if (current.name !== item.name) changes.push("name");
  if (canonicalJson(current.formatId) !== canonicalJson(item.format_id)) changes.push("format_id");
  if (canonicalJson(current.assets) !== canonicalJson(item.assets)) changes.push("assets");
  if (canonicalJson(current.tags) !== canonicalJson(item.tags)) changes.push("tags");
  if (current.archivedAt !== null || current.status !== status) changes.push("status");
  return changes;
}

async function writeAll(ctx: Ctx, session: BuyerSession, account: AccountRow, items: { item: CreativeItem; status: CreativeRow["status"] }[]): Promise<Map<string, CreativeRow>> {
  if (items.length === 0) return new Map();
  const rows = await ctx.db.insert(creatives)
    .values(items.map(({ item, status }, index) => ({
      tenantId: ctx.tenantId, id: newId(ctx.now.getTime() + index), principalId: session.principalId, accountId: account.id, creativeId: item.creative_id,
      name: item.name, formatId: item.format_id, assets: item.assets, tags: item.tags, status,
      contentHash: canonicalHash({ name: item.name, format_id: item.format_id, assets: item.assets, tags: item.tags }), createdAt: ctx.now, updatedAt: ctx.now,
    })))
    .onConflictDoUpdate({
      target: [creatives.tenantId, creatives.accountId, creatives.creativeId],
      set: {
        name: sql`excluded.name`, formatId: sql`excluded.format_id`, assets: sql`excluded.assets`, tags: sql`excluded.tags`, status: sql`excluded.status`, contentHash: sql`excluded.content_hash`,
        rejectionReason: sql`case when excluded.status = 'rejected' then ${creatives.rejectionReason} end`, archivedAt: null, archivedFrom: null, updatedAt: ctx.now, version: sql`${creatives.version} + 1`,
      },
    })
    .returning();
  return new Map(rows.map((row) => [row.creativeId, row]));
}

/** A weight as it is kept, in whole numbers; what is above zero never becomes 0, which would stop the creative. */
export function wholeWeight(weight: number | undefined): number | null {
  if (weight === undefined) return null;
  return weight > 0 ? Math.max(1, Math.round(weight)) : 0;
}

export function platformId(row: CreativeRow): string {
  return toWireId("creative", row.id);
}

