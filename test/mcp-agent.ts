import { createServer, type IncomingHttpHeaders } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

/** What an agent answers: the payload, an error of the protocol, an HTTP status, nothing at all, or what the next reaction says, once there is one. */
export type AgentReaction = { payload: Record<string, unknown> } | { error: Record<string, unknown> } | { status: number } | "silence" | "wait";
export type Asked<Request> = { headers: IncomingHttpHeaders; request: Request };
export type McpAgent<Request> = { url: string; asked: Asked<Request>[]; react(reaction: (request: Request) => AgentReaction): void; close(): Promise<void> };

/** Somebody else's agent on loopback, on the official MCP server, whose tools all answer alike. */
export async function startMcpAgent<Request>(name: string, tools: string[], input: z.ZodObject & z.ZodType<Request>, first: (request: Request) => AgentReaction): Promise<McpAgent<Request>> {
  const asked: Asked<Request>[] = [];
  let react = first;
  const waiting: (() => void)[] = [];
  const callSchema = z.looseObject({ method: z.literal("tools/call"), params: z.looseObject({ arguments: input }) });
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void (async () => {
      if (request.method !== "POST") return response.writeHead(405).end();
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const call = callSchema.safeParse(body);
      let reaction = call.success ? react(call.data.params.arguments) : undefined;
      if (call.success) asked.push({ headers: request.headers, request: call.data.params.arguments });
      while (call.success && reaction === "wait") {
        await new Promise<void>((resolve) => waiting.push(resolve));
        reaction = react(call.data.params.arguments);
      }
      if (reaction === "wait" || request.socket.destroyed) return;
      if (reaction === "silence") return request.socket.destroy();
      if (reaction && "status" in reaction) return response.writeHead(reaction.status).end();
      const mcp = new McpServer({ name, version: "1.0.0" });
      for (const tool of tools) mcp.registerTool(tool, { inputSchema: input }, () => {
        if (reaction && "error" in reaction) return { isError: true, content: [{ type: "text" as const, text: JSON.stringify({ adcp_error: reaction.error }) }] };
        return { content: [{ type: "text" as const, text: JSON.stringify(reaction ? reaction.payload : {}) }] };
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
    url: `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}/mcp`,
    asked,
    react(next) {
      react = next;
      for (const go of waiting.splice(0)) go();
    },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
