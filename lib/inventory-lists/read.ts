import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { askAgent, type CallTool, NoAnswer } from "../agents/call";
import { type Ctx } from "../context";
import { decryptSecret } from "../crypto";
import { inTenant, type Transacting } from "../fulfilment/call";
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { type Resolver } from "../webhooks/address";
import { LIST_WORDS, type ListKind } from "./fields";
import { entryOf } from "./match";
import { inventoryLists } from "./schema";
import { listSecrets } from "./use";

export type Reading = Transacting & { resolve: Resolver };
export type ReadingStep = { next: "stop" } | { next: "later"; delayMs: number };

/** After each attempt that brought nothing; then the buyer is told why. */
const RETRY_DELAYS_MS = [2 * SECOND_MS, 10 * SECOND_MS, 30 * SECOND_MS];
const PAGE_SIZE = 5_000;
const ENTRIES_MAX = 50_000;
/** A longer one, or one with control characters, can match nothing. */
const ENTRY_LENGTH_MAX = 500;
const CONTROL = /\p{Cc}/u;
/** Names as they can stand in a list; nothing else can match. */
const DOMAIN = /^(?:\*\.)?[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,250})$/u;
/** Of what an agent says of itself. */
const MESSAGE_MAX = 500;
const VALID_MS = { usual: HOUR_MS, min: MINUTE_MS, max: DAY_MS };

const paging = {
  pagination: z.looseObject({ has_more: z.boolean(), cursor: z.string().optional() }).optional(),
  cache_valid_until: z.coerce.date().optional(),
};

/** What is read of property/get-property-list-response.json: a list may be long, and only this counts. */
const propertyPage = z.looseObject({ ...paging, list: z.looseObject({ list_id: z.string() }), identifiers: z.array(z.looseObject({ type: z.string(), value: z.string() })) });

/** The same of collection/get-collection-list-response.json. */
const collectionPage = z.looseObject({
  ...paging,
  list: z.looseObject({
    list_id: z.string(), filters: z.looseObject({}).optional(),
    base_collections: z.array(z.looseObject({ publisher_domain: z.string().optional(), collection_ids: z.array(z.string()).optional() })).optional(),
  }),
  collections: z.array(z.looseObject({ name: z.string(), distribution_ids: z.array(z.looseObject({ type: z.string(), value: z.string() })).optional() })),
});

/** One attempt to read one list, outside any transaction. */
export async function readInventoryList(reading: Reading, input: { tenantId: string; listId: string }): Promise<ReadingStep> {
  const claimed = await inTenant(reading, input.tenantId, (ctx) => claim(ctx, input.listId));
  if (!claimed) return { next: "stop" };
  const found = await ask(reading, claimed);
  return inTenant(reading, input.tenantId, (ctx) => note(ctx, claimed, found));
}

type Claimed = { id: string; kind: ListKind; attempts: number; /** Which request this reading answers: a later one has its own. */ requestedAt: Date; agentUrl: string; listId: string; token: string | null };

async function claim(ctx: Ctx, id: string): Promise<Claimed | undefined> {
  const [row] = await ctx.db.update(inventoryLists).set({ attempts: sql`${inventoryLists.attempts} + 1`, updatedAt: ctx.now })
    .where(and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.id, id), eq(inventoryLists.state, "reading"))).returning();
  return row && { ...row, token: row.tokenEncrypted === null ? null : decryptSecret(row.tokenEncrypted, listSecrets(ctx.tenantId, id)) };
}

type Found = { entries: string[]; validUntil: Date | undefined };

async function ask({ resolve, log }: Reading, { kind, agentUrl, listId, token }: Claimed): Promise<Found | NoAnswer> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  try {
    return await askAgent(resolve, { url: agentUrl, who: `${LIST_WORDS[kind]} agent`, sign: () => Promise.resolve(headers) }, (call) => readPages(call, kind, listId));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    log.warn("A list of another agent could not be read.", { host: new URL(agentUrl).host, error: error.message });
    return error;
  }
}

async function readPages(call: CallTool, kind: ListKind, listId: string): Promise<Found> {
  const { tool, read, unit } = KINDS[kind];
  const notOne = new NoAnswer(`The ${LIST_WORDS[kind]} agent's answer is not one of ${tool}.`, false);
  const entries = new Set<string>();
  let validUntil: Date | undefined;
  let cursor: string | undefined;
  do {
    const page = read(await call(tool, { list_id: listId, resolve: true, pagination: { max_results: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) } }));
    if (!page) throw notOne;
    for (const entry of page.entries) if (entry.length <= ENTRY_LENGTH_MAX && !CONTROL.test(entry)) entries.add(entry);
    if (entries.size > ENTRIES_MAX) throw new NoAnswer(`The ${LIST_WORDS[kind]} holds more than ${ENTRIES_MAX} ${unit}.`, true);
    validUntil = page.cache_valid_until ?? validUntil;
    const { has_more: hasMore = false, cursor: next } = page.pagination ?? {};
    if (hasMore && next === undefined) throw notOne;
    cursor = hasMore ? next : undefined;
  } while (cursor !== undefined);
  return { entries: [...entries], validUntil };
}

const KINDS = { property: { tool: "get_property_list", read: readProperties, unit: "domains" }, collection: { tool: "get_collection_list", read: readCollections, unit: "entries" } } as const;

type Page = { entries: string[]; cache_valid_until?: Date | undefined; pagination?: { has_more: boolean; cursor?: string | undefined } | undefined };

/** What is sold here is known by its domains. */
function readProperties(payload: unknown): Page | undefined {
  const { data } = propertyPage.safeParse(payload);
  return data && { ...data, entries: data.identifiers.filter(({ type, value }) => (type === "domain" || type === "subdomain") && DOMAIN.test(value)).map(({ value }) => value.toLowerCase()) };
}

/** Collections are known by ids that all publishers share, by a publisher's own, and for exclusion by name. */
function readCollections(payload: unknown): Page | undefined {
  const { data } = collectionPage.safeParse(payload);
  if (!data) return undefined;
  const isFiltered = Object.keys(data.list.filters ?? {}).length > 0;
  const sources = (data.list.base_collections ?? []).flatMap(({ publisher_domain: domain, collection_ids: ids = [] }) => (domain === undefined ? [] : ids.map((id) => entryOf.source(domain, id, isFiltered))));
  const resolved = data.collections.flatMap(({ name, distribution_ids: ids = [] }) => [entryOf.name(name), ...ids.map(({ type, value }) => entryOf.identifier(type, value))]);
  return { ...data, entries: [...sources, ...resolved] };
}

/** What the buyer reads: the agent's own words, and of the network no more than that it failed. */
function shownReason(message: string): string {
  return message.replace(/(could not be asked):[^]*/, "$1.").replaceAll(/\p{Cc}/gu, " ").slice(0, MESSAGE_MAX);
}

async function note(ctx: Ctx, { id, attempts, requestedAt }: Claimed, found: Found | NoAnswer): Promise<ReadingStep> {
  const its = and(eq(inventoryLists.tenantId, ctx.tenantId), eq(inventoryLists.id, id), eq(inventoryLists.state, "reading"), eq(inventoryLists.attempts, attempts), eq(inventoryLists.requestedAt, requestedAt));
  if (found instanceof NoAnswer) {
    const delayMs = found.isFinal ? undefined : RETRY_DELAYS_MS[attempts - 1];
    if (delayMs !== undefined) return { next: "later", delayMs };
    // A list that its agent no longer knows, or hides, counts no longer; one that is only silent counts as it was.
    await ctx.db.update(inventoryLists).set({ state: "failed", error: shownReason(found.message), ...(found.isFinal ? { entries: null } : {}), updatedAt: ctx.now }).where(its);
    return { next: "stop" };
  }
  const [earliest, latest] = [addMs(ctx.now, VALID_MS.min), addMs(ctx.now, VALID_MS.max)];
  const wanted = found.validUntil ?? addMs(ctx.now, VALID_MS.usual);
  const validUntil = wanted < earliest ? earliest : wanted > latest ? latest : wanted;
  await ctx.db.update(inventoryLists).set({ state: "read", entries: found.entries, error: null, readAt: ctx.now, validUntil, updatedAt: ctx.now }).where(its);
  return { next: "stop" };
}
