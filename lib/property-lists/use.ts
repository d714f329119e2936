import { and, asc, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { decryptSecret, encryptSecret } from "../crypto";
import { AppError } from "../errors";
import { enqueueEvents } from "../events/outbox";
import { newId } from "../ids";
import { addMs, MINUTE_MS, SECOND_MS } from "../time";
import { checkReceiverUrl } from "../webhooks/address";
import { propertyLists } from "./schema";

/** Lists of one buyer: with another one, the one unused longest goes. */
const LISTS_MAX = 100;
/** A list that could not be read is asked for again no sooner. */
const FAILED_MS = MINUTE_MS;
/** A reading that has not ended by then has lost its worker. */
const READING_MS = 4 * MINUTE_MS;
/** That it is used is noted no more often. */
const USE_NOTED_MS = 60 * MINUTE_MS;

export const listSecrets = (tenantId: string, id: string) => `property_lists:${tenantId}:${id}`;

const listRef = z.looseObject({ agent_url: z.string().max(2_000), list_id: z.string().min(1).max(500).regex(/^[^<>]*$/), auth_token: z.string().max(10_000).optional() });

/** A list that may be applied, and how old it is; or what is known instead. `version` changes with what the list says. */
export type UsedList = { state: "read"; id: string; domains: readonly string[]; version: string } | { state: "reading" } | { state: "failed"; message: string };

/**
 * What is known of a list of another agent (core/property-list-ref.json). No agent is asked here: a list that is not known, or no longer valid,
 * is asked for in the background, and what it said last counts until then.
 */
export async function usePropertyList(ctx: Ctx, session: BuyerSession, ref: unknown): Promise<UsedList> {
  const parsed = listRef.safeParse(ref);
  if (!parsed.success) throw new AppError("INVALID_REQUEST", "A property list is named by agent_url and list_id.", { field: `property_list.${parsed.error.issues[0]?.path.join(".") ?? ""}` });
  const { agent_url: agentUrl, list_id: listId, auth_token: token } = parsed.data;
  checkReceiverUrl(agentUrl, "property_list.agent_url", "property list agent");
  const its = and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.principalId, session.principalId), eq(propertyLists.agentUrl, agentUrl), eq(propertyLists.listId, listId));
  const [known] = await ctx.db.select().from(propertyLists).where(its);
  if (!known) return open(ctx, session, { agentUrl, listId, token });
  const hasNewToken = token !== undefined && (known.tokenEncrypted === null || decryptSecret(known.tokenEncrypted, listSecrets(ctx.tenantId, known.id)) !== token);
  if (hasNewToken || isDue(known, ctx.now)) await requestReading(ctx, known.id, { ...(hasNewToken ? { tokenEncrypted: encryptSecret(token, listSecrets(ctx.tenantId, known.id)) } : {}) });
  else if (known.lastUsedAt < addMs(ctx.now, -USE_NOTED_MS)) await ctx.db.update(propertyLists).set({ lastUsedAt: ctx.now }).where(and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.id, known.id)));
  // Whoever brings another token may not have been meant to see what the old one showed.
  if (known.domains !== null && !hasNewToken) return { state: "read", id: known.id, domains: known.domains, version: (known.readAt ?? known.createdAt).toISOString() };
  return known.state === "failed" && !hasNewToken ? { state: "failed", message: known.error ?? "It could not be read." } : { state: "reading" };
}

function isDue(row: typeof propertyLists.$inferSelect, now: Date): boolean {
  if (row.state === "reading") return row.requestedAt < addMs(now, -READING_MS);
  if (row.state === "failed") return row.updatedAt < addMs(now, -FAILED_MS);
  return row.validUntil !== null && row.validUntil <= now;
}

async function open(ctx: Ctx, session: BuyerSession, { agentUrl, listId, token }: { agentUrl: string; listId: string; token: string | undefined }): Promise<UsedList> {
  const id = newId(ctx.now.getTime());
  const [made] = await ctx.db.insert(propertyLists).values({
    tenantId: ctx.tenantId, id, principalId: session.principalId, agentUrl, listId, tokenEncrypted: token === undefined ? null : encryptSecret(token, listSecrets(ctx.tenantId, id)),
    state: "reading", requestedAt: ctx.now, lastUsedAt: ctx.now, createdAt: ctx.now, updatedAt: ctx.now,
  }).onConflictDoNothing().returning({ id: propertyLists.id });
  if (!made) return { state: "reading" };
  const own = and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.principalId, session.principalId));
  const extra = Math.max(0, (await ctx.db.$count(propertyLists, own)) - LISTS_MAX);
  if (extra > 0) await ctx.db.delete(propertyLists).where(and(own, sql`${propertyLists.id} in ${ctx.db.select({ id: propertyLists.id }).from(propertyLists).where(own).orderBy(asc(propertyLists.lastUsedAt), asc(propertyLists.id)).limit(extra)}`));
  await announceReading(ctx, id);
  return { state: "reading" };
}

/** With another token what the old one showed is forgotten. */
async function requestReading(ctx: Ctx, id: string, set: { tokenEncrypted?: string }): Promise<void> {
  await ctx.db.update(propertyLists).set({ ...set, ...(set.tokenEncrypted === undefined ? {} : { domains: null, readAt: null, validUntil: null }), state: "reading", attempts: 0, requestedAt: ctx.now, lastUsedAt: ctx.now, updatedAt: ctx.now }).where(and(eq(propertyLists.tenantId, ctx.tenantId), eq(propertyLists.id, id)));
  await announceReading(ctx, id);
}

/** Once a second at most: calls that come together ask together. */
async function announceReading(ctx: Ctx, id: string): Promise<void> {
  await enqueueEvents(ctx, "greenlight/property-list.requested", [{ eventId: `property-list.requested:${id}:${Math.floor(ctx.now.getTime() / SECOND_MS)}`, data: { tenantId: ctx.tenantId, listId: id } }]);
}
