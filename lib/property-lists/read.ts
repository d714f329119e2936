import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { askAgent, type CallTool, NoAnswer } from "../agents/call";
import { type Ctx } from "../context";
import { decryptSecret } from "../crypto";
import { inTenant, type Transacting } from "../fulfilment/call";
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { type Resolver } from "../webhooks/address";
import { propertyLists } from "./schema";
import { listSecrets } from "./use";

export type Reading = Transacting & { resolve: Resolver };
export type ReadingStep = { next: "stop" } | { next: "later"; delayMs: number };

/** After each attempt that brought nothing; then the buyer is told why. */
const RETRY_DELAYS_MS = [2 * SECOND_MS, 10 * SECOND_MS, 30 * SECOND_MS];
const PAGE_SIZE = 5_000;
const IDENTIFIERS_MAX = 50_000;
/** Names as they can stand in a list; nothing else can match. */
const DOMAIN = /^(?:\*\.)?[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,250})$/u;
/** Of what an agent says of itself. */
const MESSAGE_MAX = 500;
const VALID_MS = { usual: HOUR_MS, min: MINUTE_MS, max: DAY_MS };

/** What is read of property/get-property-list-response.json: a list may be long, and only this counts. */
const page = z.looseObject({
  list: z.looseObject({ list_id: z.string() }),
  identifiers: z.array(z.looseObject({ type: z.string(), value: z.string() })),
  pagination: z.looseObject({ has_more: z.boolean(), cursor: z.string().optional() }).optional(),
  cache_valid_until: z.coerce.date().optional(),
});

/** One attempt to read one list, outside any transaction. */
export async function readPropertyList(reading: Reading, input: { tenantId: string; listId: string }): Promise<ReadingStep> {
  const claimed = await inTenant(reading, input.tenantId, (ctx) => claim(ctx, input.listId));
  if (!claimed) return { next: "stop" };
  const found = await ask(reading, claimed);
  return inTenant(reading, input.tenantId, (ctx) => note(ctx, claimed, found));
}

type Claimed = { id: string; attempts: number; /** Which request this reading answers: a later one has its own. */ requestedAt: Date; agentUrl: string; listId: string; token: string | null };

async function claim(ctx: Ctx, id: string): Promise<Claimed | undefined> {
  const [row] = await ctx.db.update(propertyLists).set({ attempts: sql`${propertyLists.attempts} + 1`, updatedAt: ctx.now })
    .where(and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.id, id), eq(propertyLists.state, "reading"))).returning();
  return row && { ...row, token: row.tokenEncrypted === null ? null : decryptSecret(row.tokenEncrypted, listSecrets(ctx.tenantId, id)) };
}

type Found = { domains: string[]; validUntil: Date | undefined };

async function ask({ resolve, log }: Reading, { agentUrl, listId, token }: Claimed): Promise<Found | NoAnswer> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  try {
    return await askAgent(resolve, { url: agentUrl, who: "property list agent", sign: () => Promise.resolve(headers) }, (call) => readPages(call, listId));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    log.warn("A property list could not be read.", { host: new URL(agentUrl).host, error: error.message });
    return error;
  }
}

async function readPages(call: CallTool, listId: string): Promise<Found> {
  const domains = new Set<string>();
  let validUntil: Date | undefined;
  let cursor: string | undefined;
  do {
    const payload = await call("get_property_list", { list_id: listId, resolve: true, pagination: { max_results: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) } });
    const parsed = page.safeParse(payload);
    if (!parsed.success) throw new NoAnswer("The property list agent's answer is not one of get_property_list.", false);
    // What is sold here is known by its domains.
    for (const { type, value } of parsed.data.identifiers) if ((type === "domain" || type === "subdomain") && DOMAIN.test(value)) domains.add(value.toLowerCase());
    if (domains.size > IDENTIFIERS_MAX) throw new NoAnswer(`The property list holds more than ${IDENTIFIERS_MAX} domains.`, true);
    validUntil = parsed.data.cache_valid_until ?? validUntil;
    const { has_more: hasMore = false, cursor: next } = parsed.data.pagination ?? {};
    if (hasMore && next === undefined) throw new NoAnswer("The property list agent's answer is not one of get_property_list.", false);
    cursor = hasMore ? next : undefined;
  } while (cursor !== undefined);
  return { domains: [...domains], validUntil };
}

/** What the buyer reads: the agent's own words, and of the network no more than that it failed. */
function shownReason(message: string): string {
  return message.replace(/(could not be asked):[^]*/, "$1.").replaceAll(/\p{Cc}/gu, " ").slice(0, MESSAGE_MAX);
}

async function note(ctx: Ctx, { id, attempts, requestedAt }: Claimed, found: Found | NoAnswer): Promise<ReadingStep> {
  const its = and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.id, id), eq(propertyLists.state, "reading"), eq(propertyLists.attempts, attempts), eq(propertyLists.requestedAt, requestedAt));
  if (found instanceof NoAnswer) {
    const delayMs = found.isFinal ? undefined : RETRY_DELAYS_MS[attempts - 1];
    if (delayMs !== undefined) return { next: "later", delayMs };
    // A list that its agent no longer knows, or hides, counts no longer; one that is only silent counts as it was.
    await ctx.db.update(propertyLists).set({ state: "failed", error: shownReason(found.message), ...(found.isFinal ? { domains: null } : {}), updatedAt: ctx.now }).where(its);
    return { next: "stop" };
  }
  const [earliest, latest] = [addMs(ctx.now, VALID_MS.min), addMs(ctx.now, VALID_MS.max)];
  const wanted = found.validUntil ?? addMs(ctx.now, VALID_MS.usual);
  const validUntil = wanted < earliest ? earliest : wanted > latest ? latest : wanted;
  await ctx.db.update(propertyLists).set({ state: "read", domains: found.domains, error: null, readAt: ctx.now, validUntil, updatedAt: ctx.now }).where(its);
  return { next: "stop" };
}
