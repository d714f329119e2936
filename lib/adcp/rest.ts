import { env } from "../env";
import { AppError } from "../errors";
import { log } from "../log";
import { BodyError, readJson } from "./body";
import { type Identify, identifyOnce, isAnonymous } from "./buyer-auth";
import { challengeHeaders } from "./challenge";
import { dispatch } from "./dispatch";
import { jsonResponse } from "./json-response";
import { openApiDocument } from "./openapi";
import { isForeignPage } from "./origin";
import { findTool } from "./registry";
import { findRead, readQuery } from "./rest-reads";
import { type Tool } from "./tool";
import { errorPayload, httpStatusOf, toAppError } from "./wire-error";

export const REST_PREFIX = "/api/v1";

/** `POST /api/v1/<tool>` with the tool's input as JSON; reads also by GET. The answer is the payload with its envelope, as in MCP's structuredContent. */
export async function handleRest(request: Request, url: URL): Promise<Response> {
  const path = decodePath(url.pathname.slice(REST_PREFIX.length + 1).replace(/\/$/, ""));
  if (isForeignPage(request)) return failure(new AppError("PERMISSION_DENIED", "Web pages need a token to call this service.", { suggestion: "Send a token." }));
  if (request.method === "GET" || request.method === "HEAD") return handleGet(request, url, path);
  const identify = identifyOnce(request);
  const tool = await findToolOrNone(path, identify);
  if (!tool) return findRead(path) ? notAllowed("GET, HEAD") : unknownPath();
  if (request.method !== "POST") return notAllowed(tool.kind === "read" ? "GET, HEAD, POST" : "POST");
  try {
    return await call(identify, tool, await readJson(request));
  } catch (error) {
    if (error instanceof BodyError) return failure(error.error, error.httpStatus);
    throw error;
  }
}

async function handleGet(request: Request, url: URL, path: string): Promise<Response> {
  const identify = identifyOnce(request);
  if (path === "openapi.json") return describe(request, identify);
  const read = findRead(path);
  if (read) return call(identify, read.tool, readQuery(read, url.searchParams));
  const tool = await findToolOrNone(path, identify);
  if (!tool) return unknownPath();
  if (tool.kind === "mutation") return notAllowed("POST");
  return call(identify, tool, readQuery({ tool, fixed: {} }, url.searchParams));
}

/** With a token: what exists for its buyer. */
async function describe(request: Request, identify: Identify): Promise<Response> {
  if (isAnonymous(request.headers)) return jsonResponse(200, openApiDocument(null), { "cache-control": "public, max-age=300", vary: "authorization, x-adcp-auth, signature" });
  try {
    return jsonResponse(200, openApiDocument((await identify()).session), { "cache-control": "private, no-store" });
  } catch (error) {
    return failure(toAppError(error, log));
  }
}

/** To a token that is not valid, a tool for some is as unknown as any other name. */
function findToolOrNone(name: string, identify: Identify): Promise<Tool | undefined> {
  return findTool(name, identify).catch(() => undefined);
}

async function call(identify: Identify, tool: Tool, input: unknown): Promise<Response> {
  const { json, error } = await dispatch(tool, input, identify, "rest");
  return error ? jsonResponse(httpStatusOf(error.code), json, errorHeaders(error)) : jsonResponse(200, json);
}

function errorHeaders(error: AppError): Record<string, string> {
  return {
    ...challengeHeaders(error, `${env().publicUrl}${REST_PREFIX}`),
    ...(error.retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterSeconds))) }),
  };
}

function failure(error: AppError, status = httpStatusOf(error.code), headers: Record<string, string> = {}): Response {
  return jsonResponse(status, JSON.stringify(errorPayload(error)), { ...errorHeaders(error), ...headers });
}

function unknownPath(): Response {
  return failure(new AppError("UNSUPPORTED_FEATURE", "There is nothing at this address.", { suggestion: `See ${REST_PREFIX}/openapi.json.` }), 404);
}

function notAllowed(allow: string): Response {
  return failure(new AppError("INVALID_REQUEST", `This address answers ${allow} only.`), 405, { allow });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
