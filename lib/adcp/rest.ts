import { env } from "../env";
import { AppError } from "../errors";
import { BodyError, readJson } from "./body";
import { identifyCaller } from "./buyer-auth";
import { challengeHeaders } from "./challenge";
import { dispatch } from "./dispatch";
import { jsonResponse } from "./json-response";
import { openApiDocument } from "./openapi";
import { isForeignPage } from "./origin";
import { findTool } from "./registry";
import { findRead, readQuery } from "./rest-reads";
import { type Tool } from "./tool";
import { errorPayload, httpStatusOf } from "./wire-error";

export const REST_PREFIX = "/api/v1";

/** `POST /api/v1/<tool>` with the tool's input as JSON; reads also by GET. The answer is the payload with its envelope, as in MCP's structuredContent. */
export async function handleRest(request: Request, url: URL): Promise<Response> {
  const path = decodePath(url.pathname.slice(REST_PREFIX.length + 1).replace(/\/$/, ""));
  if (isForeignPage(request)) return failure(new AppError("PERMISSION_DENIED", "Web pages need a token to call this service.", { suggestion: "Send a token." }));
  if (request.method === "GET" || request.method === "HEAD") return handleGet(request, url, path);
  const tool = findTool(path);
  if (!tool) return findRead(path) ? notAllowed("GET, HEAD") : unknownPath();
  if (request.method !== "POST") return notAllowed(tool.kind === "read" ? "GET, HEAD, POST" : "POST");
  try {
    return await call(request, tool, await readJson(request));
  } catch (error) {
    if (error instanceof BodyError) return failure(error.error, error.httpStatus);
    throw error;
  }
}

async function handleGet(request: Request, url: URL, path: string): Promise<Response> {
  if (path === "openapi.json") return jsonResponse(200, openApiDocument(), { "cache-control": "public, max-age=300" });
  const read = findRead(path);
  if (read) return call(request, read.tool, readQuery(read, url.searchParams));
  const tool = findTool(path);
  if (!tool) return unknownPath();
  if (tool.kind === "mutation") return notAllowed("POST");
  return call(request, tool, readQuery({ tool, fixed: {} }, url.searchParams));
}

async function call(request: Request, tool: Tool, input: unknown): Promise<Response> {
  const { json, error } = await dispatch(tool, input, () => identifyCaller(request));
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
