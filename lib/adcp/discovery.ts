import { sql } from "drizzle-orm";
import { z } from "zod";
import { SCOPES } from "../buyers/scopes";
import { lookUp, withTenant } from "../db/client";
import { listPartners } from "../properties/queries";
import { type Caller, identifyVisitor } from "./buyer-auth";
import { jsonResponse } from "./json-response";

const keyRow = z.object({ public_jwk: z.record(z.string(), z.unknown()) });

/** Short enough that a new signing key is known in time, long enough that receivers do not ask for each webhook. */
const HEADERS = { "cache-control": "public, max-age=300", vary: "host" };

/** What can be found under /.well-known, at each mapped host about its own publisher. */
export async function handleDiscovery(request: Request, pathname: string): Promise<Response | null> {
  const read = DOCUMENTS[pathname];
  if (!read) return null;
  if (request.method !== "GET" && request.method !== "HEAD") return jsonResponse(405, JSON.stringify({ error: "method_not_allowed" }), { allow: "GET, HEAD" });
  const document = await read(() => identifyVisitor(request));
  return document === null ? jsonResponse(404, JSON.stringify({ error: "not_found" })) : jsonResponse(200, JSON.stringify(document), HEADERS);
}

type Visitor = () => Promise<Caller>;

const DOCUMENTS: Record<string, (visitor: Visitor) => Promise<Record<string, unknown> | null>> = {
  "/.well-known/jwks.json": async () => ({ keys: await readKeys() }),
  "/.well-known/oauth-protected-resource": describeResource,
  "/.well-known/adagents.json": describeAuthorization,
};

/** The keys that our webhooks are signed with (`adcp_use`), and those that did until lately. */
async function readKeys(): Promise<Record<string, unknown>[]> {
  const keys = await lookUp(keyRow, sql`select * from published_signing_keys()`);
  return keys.map(({ public_jwk }) => public_jwk);
}

/**
 * RFC 9728, of the whole origin, not below `/mcp`: tokens come from the publisher, so there is no authorization server to name, and AdCP's
 * compliance takes metadata of the door itself for the claim that there is one.
 */
async function describeResource(visitor: Visitor): Promise<Record<string, unknown>> {
  const { agentUrl } = await visitor();
  return { resource: agentUrl, resource_name: "Greenlight", bearer_methods_supported: ["header"], scopes_supported: Object.keys(SCOPES), jwks_uri: `${agentUrl}/.well-known/jwks.json` };
}

/** Addresses by which buyers know this agent. */
const DOORS = ["", "/mcp", "/a2a"];

/**
 * The properties that this publisher sells here, and that this agent may sell them: what the publisher's own domains name as their
 * `authoritative_location`, or copy. null: it has named no property yet.
 */
async function describeAuthorization(visitor: Visitor): Promise<Record<string, unknown> | null> {
  const { tenantId, agentUrl } = await visitor();
  const [partners, keys] = await Promise.all([withTenant(tenantId, (db) => listPartners(db, tenantId, undefined)), readKeys()]);
  const properties = partners.flatMap(({ publisherDomain, properties: owned }) => owned.map((property) => ({ ...property, publisher_domain: publisherDomain })));
  if (properties.length === 0) return null;
  const authorization = { authorized_for: "All properties in this file", authorization_type: "inline_properties", properties, delegation_type: "direct", ...(keys.length > 0 ? { signing_keys: keys } : {}) };
  return { $schema: "/schemas/adagents.json", properties, authorized_agents: DOORS.map((path) => ({ url: `${agentUrl}${path}`, ...authorization })) };
}
