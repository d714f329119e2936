import { buildSignatureBase, canonicalTargetUri, jwkToPublicKey, parseSignature, parseSignatureInput, RequestSignatureError, type VerifierCapability, verifyRequestSignature, verifySignature } from "@adcp/sdk/signing/server";
import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { isKitKey } from "../buyers/kit-keys";
import { rateOverrides } from "../buyers/rate-limits";
import { buyerSigningKeys, principals } from "../buyers/schema";
import { sha256 } from "../crypto";
import { lookUp, withTenant } from "../db/client";
import { env } from "../env";
import { readBodyBytes } from "./body";
import { type Caller } from "./buyer-auth";
import { signatureError } from "./signature-error";
import { type BuyerSession } from "./tool";

/**
 * Requests signed by RFC 9421, profile adcp/request-signing/v1. What costs nothing is refused first, then what one look-up tells (unknown,
 * revoked, replayed, too many), then what needs cryptography; the nonce is noted last. Nothing of it ever falls back to the token.
 */

/** Longer ones are nobody's; parsing them would only cost time. */
const HEADER_LENGTH_MAX = 4_096;
const NONCE_BYTES_MIN = 16;
const NONCE_LENGTH_MAX = 256;

/** Signatures accepted from one key within 60 seconds. A sandbox key is capped as the compliance kit expects it. */
const SIGNATURES_PER_MINUTE = { sandbox: 100, live: 100_000 } as const;

/** We verify wherever there is a signature; whether the body's digest is covered is the signer's choice. */
const CAPABILITY: VerifierCapability = { supported: true, covers_content_digest: "either", required_for: [] };

const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string() });
const keyRow = z.object({
  key_id: z.string(), tenant_id: z.string(), principal_id: z.string(), principal_name: z.string(), is_sandbox: z.boolean(), public_jwk: jwkSchema,
  is_revoked: z.boolean(), is_replayed: z.boolean(), is_capped: z.boolean(), host_tenant_id: z.string().nullable(), catalog_version: z.coerce.number(), is_signing_required: z.boolean(), rate_limits: rateOverrides,
});
type Key = z.infer<typeof keyRow>;

export type Place = { authority: string; host: string };
type Signed = { method: string; url: string; headers: Record<string, string>; body: string };

/**
 * The buyer whose key signed the request. With a token, both must be the same buyer's.
 * @param identifyBearer of the token that came along; null: none did
 */
export async function identifySigner(request: Request, place: Place, identifyBearer: (() => Promise<Caller>) | null): Promise<Caller> {
  try {
    return await verify(request, place, identifyBearer);
  } catch (error) {
    if (error instanceof RequestSignatureError) throw signatureError(error.code, `The signature was refused: ${error.message}.`);
    throw error;
  }
}

async function verify(request: Request, place: Place, identifyBearer: (() => Promise<Caller>) | null): Promise<Caller> {
  const nonce = checkHeaders(request, place);
  const signed: Signed = { method: request.method, url: targetAt(new URL(env().publicUrl).host, request), headers: Object.fromEntries(request.headers), body: decode(await readBodyBytes(request)) };
  // One key is one publisher's; so the address without its host tells apart what a nonce may be used for.
  const nonceHash = sha256(`${new URL(canonicalTargetUri(signed.url)).pathname}${new URL(signed.url).search}\n${nonce}`);
  let key: Key | undefined;
  let bearer: Caller | null = null;

  await verifyRequestSignature(signed, {
    capability: CAPABILITY,
    jwks: {
      async resolve(kid) {
        bearer = identifyBearer && (await identifyBearer());
        const keys = await lookUp(keyRow, sql`select * from buyer_signing_key(${kid}, ${place.host}, ${nonceHash}, ${SIGNATURES_PER_MINUTE.sandbox}, ${SIGNATURES_PER_MINUTE.live})`);
        // Only at a mapped host is the caller's word for the host ours; elsewhere a signature for somebody else's would pass.
        if (keys.some(({ host_tenant_id }) => host_tenant_id !== null)) signed.url = targetAt(place.authority, request);
        key = chooseKey(keys, bearer, signed);
        return key?.public_jwk ?? null;
      },
    },
    revocationStore: { isRevoked: () => Promise.resolve(key?.is_revoked ?? true) },
    replayStore: {
      isCapHit: () => Promise.resolve(key?.is_capped ?? true),
      has: () => Promise.resolve(key?.is_replayed ?? true),
      insert: async (_kid, _scope, _nonce, ttlSeconds) => (key && (await takeNonce(key.key_id, nonceHash, ttlSeconds)) ? "ok" : "replayed"),
    },
  });
  if (!key) throw new Error("Invariant broken: a signature was accepted without a key");
  return callerOf(key, bearer, place);
}

/** Throws when the key that signed is revoked by now, or its buyer archived. */
export async function assertKeyIsValid({ tenantId, principalId, tokenId }: BuyerSession): Promise<void> {
  const keys = await withTenant(tenantId, (tx) => tx.select({ id: buyerSigningKeys.id }).from(buyerSigningKeys)
    .innerJoin(principals, and(eq(principals.tenantId, buyerSigningKeys.tenantId), eq(principals.id, buyerSigningKeys.principalId), isNull(principals.archivedAt)))
    .where(and(eq(buyerSigningKeys.tenantId, tenantId), eq(buyerSigningKeys.principalId, principalId), eq(buyerSigningKeys.id, tokenId), isNull(buyerSigningKeys.revokedAt))));
  if (keys.length === 0) throw signatureError("request_signature_key_revoked", "The key is no longer valid.");
}

/** What is not worth a look at the rest. Returns the nonce; whether it is there at all is checked with the other parameters. */
function checkHeaders(request: Request, place: Place): string {
  const input = request.headers.get("signature-input");
  const signature = request.headers.get("signature");
  if (input === null || signature === null) throw signatureError("request_signature_header_malformed", "Signature and Signature-Input come together.");
  if (input.length > HEADER_LENGTH_MAX || signature.length > HEADER_LENGTH_MAX) throw signatureError("request_signature_header_malformed", `Signature headers have at most ${HEADER_LENGTH_MAX} characters.`);
  if (!/^[\x21-\x7e]*$/.test(place.authority)) throw signatureError("request_signature_header_malformed", "The host is not ASCII: use its A-label.");
  const { nonce } = parseSignatureInput(input).params;
  if (nonce === undefined) return "";
  if (nonce.length > NONCE_LENGTH_MAX || Buffer.from(nonce, "base64url").length < NONCE_BYTES_MIN) throw signatureError("request_signature_header_malformed", `The nonce has at least ${NONCE_BYTES_MIN} bytes in base64url.`);
  return nonce;
}

/** The verifier digests the text's UTF-8, which is what came, to the byte, unless this throws. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw signatureError("request_signature_digest_mismatch", "The body is not UTF-8.");
  }
}

function targetAt(authority: string, request: Request): string {
  const { pathname, search } = new URL(request.url);
  return `${new URL(env().publicUrl).protocol}//${authority}${pathname}${search}`;
}

/**
 * The one key of that name that is meant: the token's buyer's, else the mapped host's publisher's, else the only one, or the one that made this
 * signature. Another buyer's key is as unknown as none.
 */
function chooseKey(keys: Key[], bearer: Caller | null, signed: Signed): Key | undefined {
  const known = env().DEMO ? keys : keys.filter(({ public_jwk }) => !isKitKey(public_jwk));
  const own = known.filter((key) => (bearer ? key.principal_id === bearer.session?.principalId && key.tenant_id === bearer.tenantId : key.host_tenant_id === null || key.host_tenant_id === key.tenant_id));
  if (own.length <= 1) return own[0];
  const fitting = own.filter((key) => isSignedBy(key, signed));
  // The same key at several publishers: which one is meant only a token or the host can tell.
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isSignedBy(key: Key, signed: Signed): boolean {
  try {
    const input = parseSignatureInput(signed.headers["signature-input"] ?? "");
    const base = buildSignatureBase(input.components, signed, input.params, input.signatureParamsValue);
    return verifySignature(input.params.alg, jwkToPublicKey(key.public_jwk), Buffer.from(base), parseSignature(signed.headers.signature ?? "", input.label).bytes);
  } catch {
    return false;
  }
}

async function takeNonce(keyId: string, nonceHash: Buffer, ttlSeconds: number): Promise<boolean> {
  const rows = await lookUp(z.object({ taken: z.boolean() }), sql`select * from take_signature_nonce(${keyId}, ${nonceHash}, ${Math.ceil(ttlSeconds)})`);
  return rows.length > 0;
}

function callerOf(key: Key, bearer: Caller | null, place: Place): Caller {
  const own = new URL(env().publicUrl);
  const signing = { isSigned: true, isSigningRequired: key.is_signing_required, hasSigningKey: true };
  if (bearer) return { ...bearer, signing, usedIds: [...bearer.usedIds, key.key_id] };
  return {
    tenantId: key.tenant_id,
    session: { tokenId: key.key_id, tenantId: key.tenant_id, principalId: key.principal_id, principalName: key.principal_name, isSandbox: key.is_sandbox, scopes: [] },
    catalogVersion: key.catalog_version,
    agentUrl: key.host_tenant_id === null ? own.origin : `${own.protocol}//${place.authority}`,
    signing, rateLimits: key.rate_limits, usedIds: [key.key_id],
  };
}
