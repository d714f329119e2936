import { createServer, type IncomingHttpHeaders } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

type Request = { list_id: string; pagination?: { cursor?: string; max_results?: number } };
/** What the agent answers to a page: the payload, an error of the protocol, an HTTP status, or nothing at all. */
export type ListReaction = { payload: Record<string, unknown> } | { error: Record<string, unknown> } | { status: number } | "silence";
export type ListAgent = { url: string; asked: { headers: IncomingHttpHeaders; request: Request }[]; react(reaction: (request: Request) => ListReaction): void; close(): Promise<void> };

export function listOf(domains: string[], more: Record<string, unknown> = {}): ListReaction {
  return { payload: { list: { list_id: "premium", name: "Premium" }, identifiers: domains.map((value) => ({ type: "domain", value })), resolved_at: new Date().toISOString(), ...more } };
}

export type ListedCollection = { name: string; ids?: Record<string, string> };

/** The answer of get_collection_list. */
export function collectionsOf(collections: ListedCollection[], list: Record<string, unknown> = {}, more: Record<string, unknown> = {}): ListReaction {
  const resolved = collections.map(({ name, ids }) => ({ name, ...(ids ? { distribution_ids: Object.entries(ids).map(([type, value]) => ({ type, value })) } : {}) }));
  return { payload: { list: { list_id: "shows", name: "Shows", ...list }, collections: resolved, resolved_at: new Date().toISOString(), ...more } };
}

/** An agent that keeps lists of properties and collections, on loopback, on the official MCP server. */
export async function startListAgent(): Promise<ListAgent> {
  const asked: ListAgent["asked"] = [];
  let react: (request: Request) => ListReaction = () => listOf([]);
  const schema = z.looseObject({ list_id: z.string(), pagination: z.looseObject({ cursor: z.string().optional() }).optional() });
  const callSchema = z.looseObject({ method: z.literal("tools/call"), params: z.looseObject({ arguments: schema }) });
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void (async () => {
      if (request.method !== "POST") return response.writeHead(405).end();
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const call = callSchema.safeParse(body);
      const reaction = call.success ? react(call.data.params.arguments as Request) : undefined;
      if (call.success) asked.push({ headers: request.headers, request: call.data.params.arguments as Request });
      if (reaction === "silence") return request.socket.destroy();
      if (reaction && "status" in reaction) return response.writeHead(reaction.status).end();
      const mcp = new McpServer({ name: "lists", version: "1.0.0" });
      for (const tool of ["get_property_list", "get_collection_list"]) mcp.registerTool(tool, { inputSchema: schema }, () => {
        if (reaction && "error" in reaction) return { isError: true, content: [{ type: "text" as const, text: JSON.stringify({ adcp_error: reaction.error }) }] };
        return { content: [{ type: "text" as const, text: JSON.stringify(reaction && "payload" in reaction ? reaction.payload : {}) }] };
      });
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
      response.on("close", () => void mcp.close());
      await mcp.connect(transport);
      await transport.handleRequest(request, response, body);
    })());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}/mcp`, asked,
    react(next) {
      react = next;
    },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
