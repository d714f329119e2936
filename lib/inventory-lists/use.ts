import { and, asc, eq, inArray, ne, notExists, notInArray, sql } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { decryptSecret, encryptSecret } from "../crypto";
import { AppError, invariant } from "../errors";
import { enqueueEvents } from "../events/outbox";
import { newId } from "../ids";
import { mediaBuys } from "../media-buys/schema";
import { addMs, MINUTE_MS } from "../time";
import { checkReceiverUrl } from "../webhooks/address";
import { LIST_WORDS, type ListKind, listRef } from "./fields";
import { inventoryLists, packageLists } from "./schema";

/** Lists of one buyer: with another one, the one unused longest goes. Those that packages keep to stay. */
const LISTS_MAX = 100;
/** A list that could not be read is asked for again no sooner. */
const FAILED_MS = MINUTE_MS;
/** A reading that has not ended by then has lost its worker. */
const READING_MS = 4 * MINUTE_MS;
/** That it is used is noted no more often. */
const USE_NOTED_MS = 60 * MINUTE_MS;

/** Lists were kept in a table of another name when the first tokens were sealed. */
export const listSecrets = (tenantId: string, id: string) => `property_lists:${tenantId}:${id}`;

type Row = typeof inventoryLists.$inferSelect;
/** What is known of a list now. */
export type KnownList = {
  id: string;
  /** What it said last; null: nobody has read it yet, or it is not to be read any more. */
  entries: readonly string[] | null;
  /** What it said last is still valid; otherwise its agent is asked again. */
  isCurrent: boolean;
  /** Why the last reading brought nothing, while no other one is under way. */
  failure: string | null;
  /** Changes with what the list says. */
  version: string;
};

/**
 * What is known of a list of another agent (core/property-list-ref.json, core/collection-list-ref.json). No agent is asked here: a list that is
 * not known, or no longer valid, is asked for in the background, and what it said last counts until then.
 * @param field where the request names it
 * @param isKept the caller will store that it keeps to the list: no reading ends unseen between now and the end of this transaction
 */
export async function useList(ctx: Ctx, session: BuyerSession, kind: ListKind, ref: unknown, field: string, isKept: boolean): Promise<KnownList> {
  const parsed = listRef.safeParse(ref);
  if (!parsed.success) throw new AppError("INVALID_REQUEST", `A ${LIST_WORDS[kind]} is named by agent_url and list_id.`, { field: [field, ...(parsed.error.issues[0]?.path ?? [])].join(".") });
  const { agent_url: agentUrl, list_id: listId, auth_token: token } = parsed.data;
  checkReceiverUrl(agentUrl, `${field}.agent_url`, `${LIST_WORDS[kind]} agent`);
  const its = and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.principalId, session.principalId), eq(inventoryLists.kind, kind), eq(inventoryLists.agentUrl, agentUrl), eq(inventoryLists.listId, listId));
  const find = () => (isKept ? ctx.db.select().from(inventoryLists).where(its).for("update") : ctx.db.select().from(inventoryLists).where(its));
  const [known] = await find();
  if (!known && (await open(ctx, session, { kind, agentUrl, listId, token, field }))) return useList(ctx, session, kind, ref, field, isKept);
  // Somebody else has opened it in this very moment.
  const row = known ?? (await find())[0];
  invariant(row, `no list ${listId} after it was opened`);
  const hasNewToken = token !== undefined && (row.tokenEncrypted === null || decryptSecret(row.tokenEncrypted, listSecrets(ctx.tenantId, row.id)) !== token);
  if (hasNewToken && !isKept && (await isKeptByPackages(ctx, row.id))) {
    // A mistyped token in a look around must not stop what runs by the one that works.
    return { id: row.id, entries: null, isCurrent: false, failure: "Packages of yours keep to this list and named it otherwise: name it as they do, or send the new token with update_media_buy.", version: row.createdAt.toISOString() };
  }
  const isAskedFor = hasNewToken || isDue(row, ctx.now);
  if (isAskedFor) await requestReading(ctx, row.id, hasNewToken ? { tokenEncrypted: encryptSecret(token, listSecrets(ctx.tenantId, row.id)) } : {});
  else if (row.lastUsedAt < addMs(ctx.now, -USE_NOTED_MS)) await ctx.db.update(inventoryLists).set({ lastUsedAt: ctx.now }).where(and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.id, row.id)));
  return {
    id: row.id,
    // Whoever brings another token may not have been meant to see what the old one showed.
    entries: hasNewToken ? null : row.entries,
    isCurrent: row.state === "read" && !isAskedFor,
    failure: row.state === "failed" && !hasNewToken ? (row.error ?? "It could not be read.") : null,
    version: (row.readAt ?? row.createdAt).toISOString(),
  };
}

/** A property list that narrows get_products: what it says, or what is known instead. */
export type UsedList = { state: "read"; id: string; domains: readonly string[]; version: string } | { state: "reading" } | { state: "failed"; message: string };

export async function usePropertyList(ctx: Ctx, session: BuyerSession, ref: unknown): Promise<UsedList> {
  const { id, entries, failure, version } = await useList(ctx, session, "property", ref, "property_list", false);
  if (entries !== null) return { state: "read", id, domains: entries, version };
  return failure === null ? { state: "reading" } : { state: "failed", message: failure };
}

const ENDED = ["completed", "rejected", "canceled"] as const;

async function isKeptByPackages(ctx: Ctx, listId: string): Promise<boolean> {
  const [kept] = await ctx.db.select({ one: sql`1` }).from(packageLists)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, packageLists.tenantId), eq(mediaBuys.id, packageLists.mediaBuyId), notInArray(mediaBuys.status, [...ENDED])))
    .where(and(eq(packageLists.tenantId, ctx.tenantId), eq(packageLists.listId, listId))).limit(1);
  return kept !== undefined;
}

function isDue(row: Row, now: Date): boolean {
  if (row.state === "reading") return row.requestedAt < addMs(now, -READING_MS);
  if (row.state === "failed") return row.updatedAt < addMs(now, -FAILED_MS);
  return row.validUntil !== null && row.validUntil <= now;
}

/** false: somebody else has. */
async function open(ctx: Ctx, session: BuyerSession, { kind, agentUrl, listId, token, field }: { kind: ListKind; agentUrl: string; listId: string; token: string | undefined; field: string }): Promise<boolean> {
  const id = newId(ctx.now.getTime());
  const [made] = await ctx.db.insert(inventoryLists).values({
    tenantId: ctx.tenantId, id, principalId: session.principalId, kind, agentUrl, listId, tokenEncrypted: token === undefined ? null : encryptSecret(token, listSecrets(ctx.tenantId, id)),
    state: "reading", requestedAt: ctx.now, lastUsedAt: ctx.now, createdAt: ctx.now, updatedAt: ctx.now,
  }).onConflictDoNothing().returning({ id: inventoryLists.id });
  if (!made) return false;
  const own = and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.principalId, session.principalId));
  const extra = Math.max(0, (await ctx.db.$count(inventoryLists, own)) - LISTS_MAX);
  if (extra > 0) {
    const keeping = ctx.db.select({ one: sql`1` }).from(packageLists)
      .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, packageLists.tenantId), eq(mediaBuys.id, packageLists.mediaBuyId), notInArray(mediaBuys.status, [...ENDED])))
      .where(and(eq(packageLists.tenantId, inventoryLists.tenantId), eq(packageLists.listId, inventoryLists.id)));
    // Locked first, looked at again then: nobody begins to keep to a list that goes.
    const unused = await ctx.db.select({ id: inventoryLists.id }).from(inventoryLists).where(and(own, ne(inventoryLists.id, id), notExists(keeping)))
      .orderBy(asc(inventoryLists.lastUsedAt), asc(inventoryLists.id)).limit(extra).for("update", { skipLocked: true });
    const gone = await ctx.db.delete(inventoryLists).where(and(own, inArray(inventoryLists.id, unused.map((row) => row.id)), notExists(keeping))).returning({ id: inventoryLists.id });
    if (gone.length < extra) throw new AppError("VALIDATION_ERROR", `Packages of yours keep to ${LISTS_MAX} lists: there is room for no other.`, { field, suggestion: "Name a list that you use already." });
  }
  await announceReading(ctx, session.principalId, id);
  return true;
}

/** Announces a reading again that may have been lost: it goes on where it was. */
export async function remindOfReading(ctx: Ctx, id: string): Promise<void> {
  const [row] = await ctx.db.update(inventoryLists).set({ updatedAt: ctx.now }).where(and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.id, id), eq(inventoryLists.state, "reading"))).returning({ principalId: inventoryLists.principalId });
  if (row) await announceReading(ctx, row.principalId, id);
}

/** Has a list read again. With another token what the old one showed is forgotten. */
export async function requestReading(ctx: Ctx, id: string, set: { tokenEncrypted?: string }): Promise<void> {
  const [row] = await ctx.db.update(inventoryLists).set({ ...set, ...(set.tokenEncrypted === undefined ? {} : { entries: null, readAt: null, validUntil: null }), state: "reading", attempts: 0, requestedAt: ctx.now, lastUsedAt: ctx.now, updatedAt: ctx.now }).where(and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.id, id))).returning({ principalId: inventoryLists.principalId });
  // Gone meanwhile: there is nothing to read.
  if (row) await announceReading(ctx, row.principalId, id);
}

async function announceReading(ctx: Ctx, principalId: string, id: string): Promise<void> {
  await enqueueEvents(ctx, "greenlight/inventory-list.requested", [{ eventId: `inventory-list.requested:${id}:${ctx.now.getTime()}`, data: { tenantId: ctx.tenantId, principalId, listId: id } }]);
}
