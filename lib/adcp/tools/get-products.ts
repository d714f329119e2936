import { resolveAccount } from "../../accounts/service";
import { withTenant } from "../../db/client";
import { readCatalog } from "../../products/catalog";
import { discoverProducts } from "../../products/discover";
import { AnswerCache } from "../answer-cache";
import { buyerActor } from "../buyer-actor";
import { readPage } from "../cursor";
import { type Tool, type ToolAnswer, type ToolCall } from "../tool";

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
    "What this publisher sells: formats, delivery type, pricing options. Say in `brief` what the campaign needs, and the best matches come first; `buying_mode: wholesale` lists everything. Filter by delivery type, channels, formats, countries or price. Without a token, prices are left out.",
  access: "public",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  // "Sellers receiving requests from pre-v3 clients without buying_mode SHOULD default to 'brief'."
  defaults: { buying_mode: "brief" },
  async run(call, input) {
    await assertAccount(call, input.account);
    const { session, tenantId, catalogVersion, agentUrl } = call;
    const catalog = await readCatalog(call);
    // Buyers for whom nothing is reserved or hidden see the same.
    const view = session === null ? "visitor" : catalog.named.has(session.principalId) ? session.principalId : "buyer";
    const key = JSON.stringify([tenantId, catalogVersion, agentUrl, view, session?.isSandbox, input.catalog !== undefined, input.property_list !== undefined, RELEVANT.map((name) => input[name])]);
    const known = answers.get(key);
    if (known) return known;
    // 3.1: what a buyer sees may be theirs alone, what everybody sees may be kept for all.
    const payload: Record<string, unknown> = { cache_scope: session === null ? "public" : "account", ...discoverProducts(catalog, input, { page: readPage(input, "products"), buyer: session }) };
    const shown = Array.isArray(payload.products) ? payload.products.length : 0;
    const answer = { payload, summary: `${shown} product${shown === 1 ? "" : "s"}${session === null ? "; prices need a token" : ""}.` };
    if (key.length <= KEY_LENGTH_MAX) answers.set(key, { ...answer, json: JSON.stringify(payload) });
    return answer;
  },
};

/** A named account must be the buyer's own. A sandbox buyer's accounts by natural key always are. */
async function assertAccount({ session, tenantId, now, log }: ToolCall, ref: unknown): Promise<void> {
  if (!session || ref === undefined) return;
  if (session.isSandbox && typeof ref === "object" && ref !== null && !("account_id" in ref)) return;
  await withTenant(tenantId, (db) => resolveAccount({ db, tenantId, actor: buyerActor(session), now, log }, session, ref));
}
