import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ApiError, invalidField } from "./errors";
import { parseJson, type Json } from "./json";
import { parseResponseMask, type ResponseMask } from "./masks";
import { unknownName } from "./message";

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Parameters that every Google API takes. */
const systemParameters: ReadonlySet<string> = new Set([
  "$alt", "alt", "$fields", "fields", "$prettyPrint", "prettyPrint", "key", "quotaUser", "access_token", "oauth_token", "callback",
  "uploadType", "upload_protocol", "$.xgafv",
]);

export function newCorrelationId(): string {
  return randomBytes(16).toString("base64url");
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += buffer.length;
    if (size > MAX_BODY_BYTES) throw new ApiError("INVALID_ARGUMENT", "Request payload size exceeds the limit.");
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export function readJsonBody(text: string): Json | undefined {
  if (text === "") return undefined;
  try {
    return parseJson(text);
  } catch {
    throw new ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. Unable to parse.");
  }
}

export function readQuery(parameters: URLSearchParams, allowed: readonly string[]): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [key, value] of parameters) {
    if (!systemParameters.has(key) && !allowed.includes(key)) throw unknownName(key, "");
    if (query.has(key)) throw invalidField(key, `The query parameter '${key}' is given twice.`);
    query.set(key, value);
  }
  return query;
}

export function readResponseMask(request: IncomingMessage, query: ReadonlyMap<string, string>): ResponseMask | undefined {
  const header = request.headers["x-goog-fieldmask"];
  const text = query.get("$fields") ?? query.get("fields") ?? (Array.isArray(header) ? header.join(",") : header);
  return text === undefined || text === "" ? undefined : parseResponseMask(text);
}
