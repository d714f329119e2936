import { type JSONRPCResponse, type MessageSendParams, type TaskIdParams } from "@a2a-js/sdk";
import { type A2ARequestHandler, JsonRpcTransportHandler } from "@a2a-js/sdk/server";
import { z } from "zod";
import { recordRefusal } from "../call-log/record";
import { env } from "../env";
import { AppError } from "../errors";
import { log } from "../log";
import { agentCard } from "./a2a/card";
import { toA2aError } from "./a2a/errors";
import { createA2aHandler } from "./a2a/handler";
import { BodyError, readJson } from "./body";
import { identifyCaller, identifyOnce, isAnonymous } from "./buyer-auth";
import { challengeHeaders } from "./challenge";
import { eventStream } from "./event-stream";
import { jsonResponse } from "./json-response";
import { isForeignPage } from "./origin";
import { isObject } from "./schemas";
import { errorPayload, httpStatusOf, toAppError } from "./wire-error";

/** A2A 0.3 as JSON-RPC over HTTP: one POST, answered with JSON or, for streams, with server-sent events. */

/** At the root, and below the door, where some clients look for it. */
export const AGENT_CARD_PATHS: readonly string[] = ["/.well-known/agent-card.json", "/.well-known/agent.json"].flatMap((path) => [path, `/a2a${path}`]);

const RPC = { parseError: -32_700, invalidRequest: -32_600, refused: -32_000 } as const;

const streamRequest = z.looseObject({
  jsonrpc: z.literal("2.0"), id: z.union([z.string(), z.number().int(), z.null()]).optional(), method: z.enum(["message/stream", "tasks/resubscribe"]), 
  // The handler checks what is in them.
  params: z.custom<MessageSendParams & TaskIdParams>(isObject),
});

export async function handleA2a(request: Request): Promise<Response> {
  if (request.method !== "POST") return jsonResponse(405, rpcError(null, RPC.refused, "Send JSON-RPC messages by POST; the agent card is at /.well-known/agent-card.json."), { allow: "POST" });
  if (isForeignPage(request)) return jsonResponse(403, rpcError(null, RPC.refused, "Web pages need a token to call this agent."));
  try {
    return await answer(request, await readJson(request));
  } catch (error) {
    if (error instanceof BodyError) return jsonResponse(error.httpStatus, rpcError(null, error.isMalformed ? RPC.parseError : RPC.invalidRequest, error.error.userMessage, errorPayload(error.error)));
    throw error;
  }
}

/** For everybody; with a token, the skills that exist for its buyer. */
export async function handleAgentCard(request: Request): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return jsonResponse(405, JSON.stringify({ error: "method_not_allowed" }), { allow: "GET, HEAD" });
  try {
    const cache = isAnonymous(request.headers) ? "public, max-age=300" : "private, no-store";
    return jsonResponse(200, JSON.stringify(agentCard(await identifyCaller(request))), { "cache-control": cache, vary: "host, authorization, x-adcp-auth, signature" });
  } catch (failure) {
    const error = toAppError(failure, log);
    return jsonResponse(httpStatusOf(error.code), JSON.stringify(errorPayload(error)), challengeHeaders(error, a2aUrl()));
  }
}

async function answer(request: Request, body: unknown): Promise<Response> {
  const identify = identifyOnce(request);
  // A token that is wrong is refused at the first message, not only where one is needed.
  if (!isAnonymous(request.headers)) {
    try {
      await identify();
    } catch (failure) {
      const error = toAppError(failure, log);
      recordRefusal(methodOf(body), "a2a", error);
      return jsonResponse(error.code === "AUTH_REQUIRED" ? 401 : 200, rpcError(idOf(body), RPC.refused, error.userMessage, errorPayload(error)), challengeHeaders(error, a2aUrl()));
    }
  }
  const handler = createA2aHandler(request, identify);
  const streamed = streamRequest.safeParse(body);
  if (streamed.success) return answerStream(handler, streamed.data);
  const reply = await new JsonRpcTransportHandler(handler).handle(body);
  if (Symbol.asyncIterator in reply) throw new Error("A2A's handler streams what is no stream here.");
  return rpcResponse(reply);
}

/**
 * Streams start here and not in the SDK's handler, so that what fails before the first event is an answer and not a broken stream. A
 * malformed message still goes there, to be refused in its words.
 */
async function answerStream(handler: A2ARequestHandler, { id = null, method, params }: z.infer<typeof streamRequest>): Promise<Response> {
  const events: AsyncGenerator<unknown, void, undefined> = method === "message/stream" ? handler.sendMessageStream(params) : handler.resubscribe(params);
  try {
    return eventStream(texts(id, await events.next(), events));
  } catch (failure) {
    return rpcResponse({ jsonrpc: "2.0", id, error: toA2aError(failure).toJSONRPCError() });
  }
}

async function* texts(id: string | number | null, first: IteratorResult<unknown, void>, rest: AsyncGenerator<unknown, void, undefined>): AsyncGenerator<string, void, undefined> {
  const message = (result: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result });
  try {
    if (first.done) return;
    yield message(first.value);
    for await (const event of rest) yield message(event);
  } finally {
    await rest.return();
  }
}

/** A missing token or signature shows in the HTTP status too. */
function rpcResponse(reply: JSONRPCResponse): Response {
  const data = "error" in reply ? reply.error.data : undefined;
  const wire = isObject(data) && isObject(data.adcp_error) && data.adcp_error.code === "AUTH_REQUIRED" ? data.adcp_error : null;
  const headers = wire ? challengeHeaders(new AppError("AUTH_REQUIRED", String(wire.message), { details: isObject(wire.details) ? wire.details : {} }), a2aUrl()) : {};
  return jsonResponse(wire ? 401 : 200, JSON.stringify(reply), headers);
}

function idOf(body: unknown): string | number | null {
  return isObject(body) && (typeof body.id === "string" || typeof body.id === "number") ? body.id : null;
}

function methodOf(body: unknown): string {
  return isObject(body) && typeof body.method === "string" ? body.method : "message";
}

function rpcError(id: string | number | null, code: number, text: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: text, ...(data === undefined ? {} : { data }) } });
}

function a2aUrl(): string {
  return `${env().publicUrl}/a2a`;
}
