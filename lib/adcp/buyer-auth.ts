import { sql } from "drizzle-orm";
import { z } from "zod";
import { type RateOverrides, rateOverrides } from "../buyers/rate-limits";
import { DEMO_TOKEN_PREFIX, hashToken } from "../buyers/tokens";
import { withPresentedToken } from "../call-log/refused";
import { lookUp } from "../db/client";
import { env } from "../env";
import { AppError } from "../errors";
import { gathering } from "../gathering";
import { assertMayTry, noteFailure, noteSuccess } from "./failed-tokens";
import { isSigned } from "./is-signed";
import { assertKeyIsValid, identifySigner, type Place } from "./signed-request";
import { type BuyerSession, type SigningState } from "./tool";

/** Who calls, and whose door it is. */
export type Caller = {
  tenantId: string;
  session: BuyerSession | null;
  catalogVersion: number;
  agentUrl: string;
  /** See signing-policy.ts for what follows from it. */
  signing: SigningState;
  rateLimits: RateOverrides;
  /** The token and the key that were used. */
  usedIds: string[];
};

/** Longer ones are nobody's; hashing them would only cost time. */
const TOKEN_LENGTH_MAX = 512;

const sessionRow = z.object({
  place: z.coerce.number(), token_id: z.string(), tenant_id: z.string(), principal_id: z.string(), principal_name: z.string(), is_sandbox: z.boolean(), scopes: z.array(z.string()),
  host_tenant_id: z.string().nullable(), catalog_version: z.coerce.number(), is_signing_required: z.boolean(), has_signing_key: z.boolean(), rate_limits: rateOverrides,
});
type Presented = { token: string; host: string };

/** Whose token each is; undefined: nobody's. Requests that arrive together are looked up together: alone, each costs as much as a read. */
const findSessions = gathering(async (presented: Presented[]): Promise<(z.infer<typeof sessionRow> | undefined)[]> => {
  const rows = await lookUp(sessionRow, sql`
    select a.place, s.* from rows from (jsonb_to_recordset(${JSON.stringify(presented)}::text::jsonb) as (token text, host text)) with ordinality as a(token, host, place), buyer_session(decode(a.token, 'hex'), a.host) s`);
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  return presented.map((_, index) => byPlace.get(index + 1));
});

const publicRow = z.object({ tenant_id: z.string(), catalog_version: z.coerce.number(), is_mapped: z.boolean() });

/** The token that a request presents: undefined when none, empty when its form is not ours or two are presented that differ. */
export function presentedToken(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  const own = headers.get("x-adcp-auth")?.trim();
  if (authorization === null) return own;
  const bearer = /^bearer +([^\s]+) *$/i.exec(authorization)?.[1] ?? "";
  // Whatever stands before us may have looked at the other one.
  return own === undefined || own === bearer ? bearer : "";
}

/** Whether anything in the request claims to be a buyer. */
export function isAnonymous(headers: Headers): boolean {
  return presentedToken(headers) === undefined && !isSigned(headers);
}

/** The host as the caller wrote it, in lower case, and without its port. */
export function hostOf(request: Request): Place {
  const authority = (request.headers.get("host") ?? new URL(request.url).host).toLowerCase();
  return { authority, host: authority.replace(/:\d+$/, "") };
}

/**
 * One round trip. A mapped host decides the tenant, and another tenant's token is refused there; on other hosts the token's tenant, or
 * the default one for those without a token. Nothing is remembered between calls: a revoked token ends with its revocation.
 */
export async function identifyCaller(request: Request): Promise<Caller> {
  const token = presentedToken(request.headers);
  const place = hostOf(request);
  if (isSigned(request.headers)) return identifySigner(request, place, token === undefined ? null : () => identifyBuyer(request, token, place));
  return token === undefined ? identifyVisitor(request) : identifyBuyer(request, token, place);
}

export type Identify = () => Promise<Caller>;

/** For whoever may ask more than once while one request is answered. */
export function identifyOnce(request: Request): Identify {
  let known: Promise<Caller> | undefined;
  return () => (known ??= identifyCaller(request));
}

/** Throws when whoever was identified by this request is no longer: for answers that last. A signature is not looked at twice. */
export async function confirmCaller(request: Request, { session }: Caller): Promise<void> {
  const token = presentedToken(request.headers);
  if (token !== undefined) await identifyBuyer(request, token, hostOf(request));
  else if (session) await assertKeyIsValid(session);
}

async function identifyBuyer(request: Request, token: string, place: Place): Promise<Caller> {
  if (token === "" || token.length > TOKEN_LENGTH_MAX || (token.startsWith(DEMO_TOKEN_PREFIX) && !env().DEMO)) throw refuse(token, place.host);
  const tokenHash = hashToken(token);
  assertMayTry(request, tokenHash);
  const row = await findSessions({ token: tokenHash.toString("hex"), host: place.host });
  if (!row || (row.host_tenant_id !== null && row.host_tenant_id !== row.tenant_id)) {
    noteFailure(request);
    throw refuse(token, place.host);
  }
  noteSuccess(tokenHash);
  return {
    tenantId: row.tenant_id,
    session: { tokenId: row.token_id, tenantId: row.tenant_id, principalId: row.principal_id, principalName: row.principal_name, isSandbox: row.is_sandbox, scopes: row.scopes },
    catalogVersion: row.catalog_version,
    agentUrl: agentUrlAt(place.authority, row.host_tenant_id !== null),
    signing: { isSigned: false, isSigningRequired: row.is_signing_required, hasSigningKey: row.has_signing_key },
    rateLimits: row.rate_limits,
    usedIds: [row.token_id],
  };
}

/** Whose public reads these are, whoever asks. */
export async function identifyVisitor(request: Request): Promise<Caller> {
  const place = hostOf(request);
  const [row] = await lookUp(publicRow, sql`select * from public_tenant(${place.host})`);
  if (!row) throw new AppError("SERVICE_UNAVAILABLE", "No publisher is set up here yet.");
  return {
    tenantId: row.tenant_id, session: null, catalogVersion: row.catalog_version, agentUrl: agentUrlAt(place.authority, row.is_mapped),
    signing: { isSigned: false, isSigningRequired: false, hasSigningKey: false }, rateLimits: {}, usedIds: [],
  };
}

/** Our formats' agent_url. Only a mapped host is repeated: any other could be anything that the caller wrote. */
function agentUrlAt(authority: string, isMapped: boolean): string {
  const own = new URL(env().publicUrl);
  return isMapped ? `${own.protocol}//${authority}` : own.origin;
}

function refuse(token: string, host: string): AppError {
  return withPresentedToken(invalidToken(), token, host);
}

export function invalidToken(): AppError {
  return new AppError("AUTH_REQUIRED", "The token is not valid here.", { suggestion: "Do not send it again; ask the publisher for a new one.", details: { reason: "invalid_token" } });
}

export function missingToken(): AppError {
  return new AppError("AUTH_REQUIRED", "This needs a token.", { suggestion: "Send the token you got from the publisher as `Authorization: Bearer …` or `x-adcp-auth`.", details: { reason: "missing_token" } });
}
