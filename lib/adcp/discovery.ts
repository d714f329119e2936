import { sql } from "drizzle-orm";
import { z } from "zod";
import { lookUp } from "../db/client";
import { env } from "../env";
import { jsonResponse } from "./json-response";

const keyRow = z.object({ public_jwk: z.record(z.string(), z.unknown()) });

/** Doors that the protected-resource metadata describes, by path. */
const RESOURCES = new Set(["", "/mcp", "/api/v1"]);
const METADATA_PATH = "/.well-known/oauth-protected-resource";

/** Short enough that a new signing key is known in time, long enough that receivers do not ask for each webhook. */
const MAX_AGE = { "cache-control": "public, max-age=300" };

/** What can be found under /.well-known: the keys our webhooks are signed with, and how the doors are protected (RFC 9728). */
export async function handleDiscovery(request: Request, pathname: string): Promise<Response | null> {
  const isMetadata = pathname.startsWith(METADATA_PATH) && RESOURCES.has(pathname.slice(METADATA_PATH.length));
  if (pathname !== "/.well-known/jwks.json" && !isMetadata) return null;
  if (request.method !== "GET" && request.method !== "HEAD") return jsonResponse(405, JSON.stringify({ error: "method_not_allowed" }), { allow: "GET, HEAD" });
  if (isMetadata) return jsonResponse(200, JSON.stringify(resourceMetadata(pathname.slice(METADATA_PATH.length))), MAX_AGE);
  const keys = await lookUp(keyRow, sql`select * from published_signing_keys()`);
  return jsonResponse(200, JSON.stringify({ keys: keys.map(({ public_jwk }) => public_jwk) }), MAX_AGE);
}

/** Tokens come from the publisher, not from an authorization server: so none is named. */
function resourceMetadata(path: string): Record<string, unknown> {
  return { resource: `${env().publicUrl}${path}`, resource_name: "Greenlight buyer API", bearer_methods_supported: ["header"] };
}
