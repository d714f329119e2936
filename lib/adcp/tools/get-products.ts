import { z } from "zod";
import { findAccountToRead } from "../../accounts/service";
import { type Ctx } from "../../context";
import { withTenant } from "../../db/client";
import { readCatalog } from "../../products/catalog";
import { discoverProducts } from "../../products/discover";
import { type UsedList, usePropertyList } from "../../inventory-lists/use";
import { presentProposal, proposeFor, refineProposals } from "../../proposals/service";
import { AnswerCache } from "../answer-cache";
import { buyerActor } from "../buyer-actor";
import { readPage } from "../cursor";
import { type BuyerSession, type Tool, type ToolAnswer, type ToolCall } from "../tool";

const modeInput = z.looseObject({ buying_mode: z.string(), brief: z.string().optional(), refine: z.array(z.looseObject({ scope: z.string(), proposal_id: z.string().optional(), action: z.string().optional(), ask: z.string().optional() })).optional() });

/** Answers by what they depend on; the catalogue's version is part of the key, so none is ever stale. */
const answers = new AnswerCache<ToolAnswer & { json: string }>(32 * 1_048_576);
const KEY_LENGTH_MAX = 4_096;

/** Everything in a request that the answer depends on. */
const RELEVANT = ["buying_mode", "brief", "refine", "filters", "required_policies", "preferred_delivery_types", "fields", "pagination"] as const;

export const getProductsTool: Tool = {
  kind: "read",
  name: "get_products",
  title: "Find products",
  description:
    "What this publisher sells: formats, delivery type, pricing options. Say in `brief` what the campaign needs, and the best matches come first; `buying_mode: wholesale` lists everything. Filter by delivery type, channels, formats, countries, price, dates or exposures; a filter that cannot be honoured is refused by name. Without a token, prices are left out.",
  access: "public",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  // "Sellers receiving requests from pre-v3 clients without buying_mode SHOULD default to 'brief'."
  defaults: { buying_mode: "brief" },
  async run(call, input) {
    await assertAccount(call, input.account);
    const { session, tenantId, catalogVersion, agentUrl } = call;
    const catalog = await readCatalog(call);
    const { buying_mode: mode, brief, refine } = modeInput.parse(input);
    const isAskedToPropose = session !== null && mode === "brief" && brief !== undefined && brief.trim() !== "" && input.pagination === undefined;
    // Buyers for whom nothing is reserved or hidden see the same; a proposal is one buyer's, and of one day.
    const view = session === null ? "visitor" : isAskedToPropose || catalog.named.has(session.principalId) ? session.principalId : "buyer";
    const list = input.property_list === undefined ? undefined : await readList(call, input.property_list);
    // Forecasts grow old, and their days pass, while the catalogue stands still.
    const hour = call.now.toISOString().slice(0, 13);
    const key = JSON.stringify([tenantId, catalogVersion, agentUrl, view, hour, session?.isSandbox, input.catalog !== undefined, list?.state === "read" ? [list.id, list.version] : undefined, RELEVANT.map((name) => input[name])]);
    const asked = session === null ? [] : (refine ?? []).flatMap(({ scope, proposal_id: id, ...rest }) => (scope === "proposal" && id !== undefined ? [{ ...rest, proposal_id: id }] : []));
    // Proposals change without the catalogue: what refines them is read each time.
    // What a list will say in a moment is not what it says now.
    const isLasting = asked.length === 0 && (list === undefined || list.state === "read");
    const known = isLasting ? answers.get(key) : undefined;
    if (known) return known;
    const refined = session !== null && asked.length > 0 ? await inTenant(call, session, (ctx) => refineProposals(ctx, session, asked)) : undefined;
    // Pages that follow ask for no proposal: their cursors are of what is seen, not of who sees it first.
    const seenBy = session === null ? "visitor" : catalog.named.has(session.principalId) ? session.principalId : "buyer";
    const listed = { ...relevantOf(input), ...(list?.state === "read" ? { property_list: [list.id, list.version] } : {}) };
    const { payload: found, matches } = discoverProducts(catalog, input, { page: readPage(listed, { tool: "get_products", owner: `${tenantId} ${seenBy}` }), now: call.now, buyer: session, ...(refined ? { proposals: refined } : {}), ...(list ? { list } : {}) });
    const made = isAskedToPropose ? await inTenant(call, session, (ctx) => proposeFor(ctx, { session, catalogVersion, brief, matches })) : null;
    const proposals = [...(refined?.shown ?? []), ...(made ? [made] : [])];
    // 3.1: what a buyer sees may be theirs alone, what everybody sees may be kept for all.
    const payload: Record<string, unknown> = { cache_scope: session === null ? "public" : "account", ...found, ...(proposals.length > 0 || refined ? { proposals: proposals.map(presentProposal) } : {}) };
    const shown = Array.isArray(payload.products) ? payload.products.length : 0;
    const answer = { payload, summary: `${shown} product${shown === 1 ? "" : "s"}${session === null ? "; prices need a token" : ""}.` };
    if (!isLasting) return answer;
    if (key.length <= KEY_LENGTH_MAX) answers.set(key, { ...answer, json: JSON.stringify(payload) });
    return answer;
  },
};

/** A cursor is one for all whose answer is: it holds no more of a request than the answer depends on. */
function relevantOf(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(RELEVANT.map((name) => [name, input[name]]));
}

function inTenant<T>({ tenantId, now, log }: ToolCall, session: BuyerSession, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return withTenant(tenantId, (db) => work({ db, tenantId, actor: buyerActor(session), now, log }));
}

/** Lists are read with the token that their buyer gave, for that buyer alone. */
async function readList(call: ToolCall, ref: unknown): Promise<UsedList> {
  const { session } = call;
  if (!session) return { state: "failed", message: "Lists are read for buyers with a token." };
  return inTenant(call, session, (ctx) => usePropertyList(ctx, session, ref));
}

/** A named account must be the buyer's own. A sandbox buyer's accounts by natural key always are. */
async function assertAccount({ session, tenantId, now, log }: ToolCall, ref: unknown): Promise<void> {
  if (!session || ref === undefined) return;
  if (session.isSandbox && typeof ref === "object" && ref !== null && !("account_id" in ref)) return;
  await withTenant(tenantId, (db) => findAccountToRead({ db, tenantId, actor: buyerActor(session), now, log }, session, ref));
}
