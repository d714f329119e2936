import { z } from "zod";
import { type AgentReaction, type McpAgent, startMcpAgent } from "./mcp-agent";

const request = z.looseObject({ list_id: z.string(), pagination: z.looseObject({ cursor: z.string().optional(), max_results: z.number().optional() }).optional() });
type Request = z.infer<typeof request>;
export type ListReaction = AgentReaction;
export type ListAgent = McpAgent<Request>;

export function listOf(domains: string[], more: Record<string, unknown> = {}): ListReaction {
  return { payload: { list: { list_id: "premium", name: "Premium" }, identifiers: domains.map((value) => ({ type: "domain", value })), resolved_at: new Date().toISOString(), ...more } };
}

export type ListedCollection = { name: string; ids?: Record<string, string> };

/** The answer of get_collection_list. */
export function collectionsOf(collections: ListedCollection[], list: Record<string, unknown> = {}, more: Record<string, unknown> = {}): ListReaction {
  const resolved = collections.map(({ name, ids }) => ({ name, ...(ids ? { distribution_ids: Object.entries(ids).map(([type, value]) => ({ type, value })) } : {}) }));
  return { payload: { list: { list_id: "shows", name: "Shows", ...list }, collections: resolved, resolved_at: new Date().toISOString(), ...more } };
}

/** An agent that keeps lists of properties and collections. */
export function startListAgent(): Promise<ListAgent> {
  return startMcpAgent("lists", ["get_property_list", "get_collection_list"], request, () => listOf([]));
}
