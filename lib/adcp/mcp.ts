import { z } from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { recordRefusal } from "../call-log/record";
import { env } from "../env";
import { AppError } from "../errors";
import { log } from "../log";
import { BodyError, readJson } from "./body";
import { type Caller, type Identify, identifyOnce, isAnonymous } from "./buyer-auth";
import { challengeHeaders } from "./challenge";
import { dispatch, type Reply } from "./dispatch";
import { jsonResponse } from "./json-response";
import { isForeignPage } from "./origin";
import { findTool, visibleTools } from "./registry";
import { type BuyerSession } from "./tool";
import { publishedInputSchema, publishedOutputSchema } from "./tool-schemas";
import { errorPayload, toAppError } from "./wire-error";

/** MCP over streamable HTTP without sessions: every POST carries one message and is answered with JSON, or with one event for clients that read streams only. */

/** Newest first. `structuredContent` exists since 2025-06-18. */
const PROTOCOL_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
const STRUCTURED_SINCE = "2025-06-18";

const RPC = { parseError: -32_700, invalidRequest: -32_600, methodNotFound: -32_601, invalidParams: -32_602, internal: -32_603, refused: -32_000, unauthorized: -32_001 } as const;

const INSTRUCTIONS =
  "Greenlight sells a publisher's advertising over AdCP 3. Begin with get_adcp_capabilities and get_products; open an account with sync_accounts; order with create_media_buy. Every change carries an idempotency_key.";

const id = z.union([z.string(), z.number()]);
const message = z.looseObject({ jsonrpc: z.literal("2.0"), id: id.optional(), method: z.string(), params: z.record(z.string(), z.unknown()).optional() });
const answerToUs = z.looseObject({ jsonrpc: z.literal("2.0"), id }).refine((value) => !("method" in value));
const callParams = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });
const initializeParams = z.looseObject({ protocolVersion: z.string().optional() });

type Id = z.infer<typeof id>;
type Params = Record<string, unknown> | undefined;

export async function handleMcp(request: Request): Promise<Response> {
  if (request.method !== "POST") return jsonResponse(405, rpcError(null, RPC.refused, "This server has no stream to open: send messages by POST."), { allow: "POST" });
  if (isForeignPage(request)) return jsonResponse(403, rpcError(null, RPC.refused, "Web pages need a token to call this server."));
  const version = request.headers.get("mcp-protocol-version");
  if (version !== null && !PROTOCOL_VERSIONS.some((known) => known === version)) return jsonResponse(400, rpcError(null, RPC.refused, `The MCP protocol version is not supported. Supported: ${PROTOCOL_VERSIONS.join(", ")}.`));
  try {
    const body = await readJson(request);
    const parsed = message.safeParse(body);
    if (!parsed.success) return answerToUs.safeParse(body).success ? accepted() : jsonResponse(400, rpcError(null, RPC.invalidRequest, "The body is not one JSON-RPC 2.0 message."));
    if (parsed.data.id === undefined) return accepted();
    const reply = await answer(request, parsed.data.id, parsed.data.method, parsed.data.params, version);
    return reply.ok && readsStreamsOnly(request.headers) ? asEvent(reply) : reply;
  } catch (error) {
    if (error instanceof BodyError) return jsonResponse(error.httpStatus, rpcError(null, error.isMalformed ? RPC.parseError : RPC.invalidRequest, error.error.userMessage, errorPayload(error.error)));
    throw error;
  }
}

/** Also a client that takes anything gets JSON. */
function readsStreamsOnly(headers: Headers): boolean {
  const accept = headers.get("accept") ?? "";
  return accept.includes("text/event-stream") && !/application\/json|application\/\*|\*\/\*/.test(accept);
}

/** The stream ends with the answer: there is nothing to say before it, and nothing to resume. */
async function asEvent(reply: Response): Promise<Response> {
  return new Response(`event: message\ndata: ${await reply.text()}\n\n`, { headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store, no-transform" } });
}

/** A notification, or an answer to a question that we never ask. */
function accepted(): Response {
  return new Response(null, { status: 202 });
}

async function answer(request: Request, requestId: Id, method: string, params: Params, version: string | null): Promise<Response> {
  const identify = identifyOnce(request);
  if (method === "tools/call") return callTool(request, requestId, params, version, identify);
  // A token that is wrong is refused at the first message, not only where one is needed.
  const caller = isAnonymous(request.headers) ? null : await identifyOrRefuse(identify);
  if (caller instanceof AppError) return refused(requestId, caller, method);
  switch (method) {
    case "initialize":
      return jsonResponse(200, rpcResult(requestId, JSON.stringify(initialize(params))));
    case "ping":
      return jsonResponse(200, rpcResult(requestId, "{}"));
    case "tools/list":
      return jsonResponse(200, rpcResult(requestId, toolList(caller?.session ?? null, readsStructuredContent(version))));
    default:
      return jsonResponse(200, rpcError(requestId, RPC.methodNotFound, "This method does not exist here."));
  }
}

function initialize(params: Params): Record<string, unknown> {
  const requested = initializeParams.safeParse(params ?? {}).data?.protocolVersion;
  return {
    protocolVersion: PROTOCOL_VERSIONS.find((known) => known === requested) ?? PROTOCOL_VERSIONS[0],
    capabilities: { tools: { listChanged: false } },
    serverInfo: { name: "greenlight", title: "Greenlight", version: packageJson.version },
    instructions: INSTRUCTIONS,
  };
}

async function identifyOrRefuse(identify: Identify): Promise<Caller | AppError> {
  try {
    return await identify();
  } catch (error) {
    return toAppError(error, log);
  }
}

const lists = new Map<string, string>();

/** Made once for all who see the same tools. What came with `structuredContent` is left out for clients that do not know it. */
function toolList(session: BuyerSession | null, readsStructured: boolean): string {
  const tools = visibleTools(session);
  const key = `${readsStructured} ${tools.map(({ name }) => name).join()}`;
  const known = lists.get(key);
  if (known !== undefined) return known;
  const list = JSON.stringify({
    tools: tools.map((tool) => ({
      name: tool.name, title: tool.title, description: tool.description, inputSchema: publishedInputSchema(tool), ...(readsStructured ? { outputSchema: publishedOutputSchema(tool) } : {}),
      annotations: { title: tool.title, ...tool.annotations, openWorldHint: false },
    })),
  });
  lists.set(key, list);
  return list;
}

async function callTool(request: Request, requestId: Id, params: Params, version: string | null, identify: Identify): Promise<Response> {
  const parsed = callParams.safeParse(params);
  const tool = parsed.success ? await findTool(parsed.data.name, identify).catch(() => undefined) : undefined;
  if (!parsed.success || !tool) {
    const caller = isAnonymous(request.headers) ? null : await identifyOrRefuse(identify);
    if (caller instanceof AppError) return refused(requestId, caller, parsed.data?.name ?? "tools/call");
    return jsonResponse(200, parsed.success ? rpcError(requestId, RPC.methodNotFound, "Unknown tool.") : rpcError(requestId, RPC.invalidParams, "tools/call takes a name and an object of arguments."));
  }
  const reply = await dispatch(tool, parsed.data.arguments, identify, "mcp");
  if (reply.error?.code === "AUTH_REQUIRED") return jsonResponse(401, rpcError(requestId, RPC.unauthorized, reply.error.userMessage, JSON.parse(reply.json)), challengeHeaders(reply.error, mcpUrl()));
  return jsonResponse(200, rpcResult(requestId, toolResult(reply, readsStructuredContent(version))));
}

function readsStructuredContent(version: string | null): boolean {
  return version !== null && version >= STRUCTURED_SINCE;
}

/** For clients that may not know structuredContent, and for errors, the text carries everything too. */
function toolResult({ json, summary, error }: Reply, readsStructured: boolean): string {
  const texts = [...(error ? [] : [summary]), ...(error || !readsStructured ? [json] : [])];
  const content = JSON.stringify(texts.map((text) => ({ type: "text", text })));
  return `{"content":${content},"structuredContent":${json},"isError":${error !== null}}`;
}

function refused(requestId: Id, error: AppError, what: string): Response {
  recordRefusal(what, "mcp", error);
  const status = error.code === "AUTH_REQUIRED" ? 401 : 200;
  return jsonResponse(status, rpcError(requestId, status === 401 ? RPC.unauthorized : RPC.internal, error.userMessage, errorPayload(error)), challengeHeaders(error, mcpUrl()));
}

function mcpUrl(): string {
  return `${env().publicUrl}/mcp`;
}

function rpcResult(requestId: Id, resultJson: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(requestId)},"result":${resultJson}}`;
}

function rpcError(requestId: Id | null, code: number, text: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id: requestId, error: { code, message: text, ...(data === undefined ? {} : { data }) } });
}
