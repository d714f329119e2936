import { createServer, type IncomingHttpHeaders } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

export type Asked = { headers: IncomingHttpHeaders; request: Record<string, unknown> };
/** What the agent answers: a decision, an error of the protocol, an HTTP status, or nothing at all. */
export type Reaction = { decision: Record<string, unknown> } | { error: Record<string, unknown> } | { status: number } | "silence";
export type GovernanceAgent = { url: string; asked: Asked[]; react(reaction: Reaction | ((request: Record<string, unknown>) => Reaction)): void; close(): Promise<void> };

const planned = z.looseObject({ planned_delivery: z.looseObject({ end_time: z.string() }) });

/** Stands until the end of the flight, unless said otherwise. */
export function approval(request: Record<string, unknown>, overrides: Record<string, unknown> = {}): Reaction {
  return { decision: { check_id: "chk_1", status: "approved", plan_id: request.plan_id, explanation: "Within the plan.", governance_context: "token-of-the-agent", expires_at: planned.parse(request).planned_delivery.end_time, ...overrides } };
}

export function denial(request: Record<string, unknown>): Reaction {
  return { decision: { check_id: "chk_2", status: "denied", plan_id: request.plan_id, explanation: "The plan's budget is spent.", findings: [{ category_id: "budget_compliance", severity: "critical", explanation: "Budget exceeded by 500 USD.", details: { remaining: 0 } }] } };
}

/** A buyer's governance agent on loopback, on the official MCP server; it approves until told otherwise. */
export async function startGovernanceAgent(): Promise<GovernanceAgent> {
  const asked: Asked[] = [];
  let react: (request: Record<string, unknown>) => Reaction = (request) => approval(request);
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void (async () => {
      if (request.method !== "POST") return response.writeHead(405).end();
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const call = z.looseObject({ method: z.literal("tools/call"), params: z.looseObject({ arguments: z.record(z.string(), z.unknown()) }) }).safeParse(body);
      const reaction = call.success ? react(call.data.params.arguments) : undefined;
      if (call.success) asked.push({ headers: request.headers, request: call.data.params.arguments });
      if (reaction === "silence") return request.socket.destroy();
      if (reaction && "status" in reaction) return response.writeHead(reaction.status).end();
      const mcp = new McpServer({ name: "governance", version: "1.0.0" });
      mcp.registerTool("check_governance", { inputSchema: z.looseObject({ plan_id: z.string(), caller: z.string() }) }, () => {
        if (reaction && "error" in reaction) return { isError: true, content: [{ type: "text" as const, text: JSON.stringify({ adcp_error: reaction.error }) }] };
        const decision = reaction && "decision" in reaction ? reaction.decision : {};
        return { content: [{ type: "text" as const, text: JSON.stringify(decision) }] };
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
      react = typeof next === "function" ? next : () => next;
    },
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
