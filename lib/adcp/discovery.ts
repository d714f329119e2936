import { sql } from "drizzle-orm";
import { z } from "zod";
import { lookUp } from "../db/client";
import { env } from "../env";
import { jsonResponse } from "./json-response";

const keyRow = z.object({ public_jwk: z.record(z.string(), z.unknown()) });

/** Short enough that a new signing key is known in time, long enough that receivers do not ask for each webhook. */
const MAX_AGE = { "cache-control": "public, max-age=300" };

/** What can be found under /.well-known: the keys our webhooks are signed with, and that the doors take bearer tokens (RFC 9728). */
export async function handleDiscovery(request: Request, pathname: string): Promise<Response | null> {
  const read = DOCUMENTS[pathname];
  if (!read) return null;
  if (request.method !== "GET" && request.method !== "HEAD") return jsonResponse(405, JSON.stringify({ error: "method_not_allowed" }), { allow: "GET, HEAD" });
  return jsonResponse(200, JSON.stringify(await read()), MAX_AGE);
}

const DOCUMENTS: Record<string, () => Promise<unknown>> = {
  "/.well-known/jwks.json": readKeys,
  /**
   * Of the whole origin, not below `/mcp`: tokens come from the publisher, so there is no authorization server to name, and AdCP's
   * compliance takes metadata of the door itself for the claim that there is one.
   */
  "/.well-known/oauth-protected-resource": () => Promise.resolve({ resource: env().publicUrl, resource_name: "Greenlight", bearer_methods_supported: ["header"] }),
};

async function readKeys(): Promise<unknown> {
  const keys = await lookUp(keyRow, sql`select * from published_signing_keys()`);
  return { keys: keys.map(({ public_jwk }) => public_jwk) };
}
