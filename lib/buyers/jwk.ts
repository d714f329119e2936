import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { isKitKey } from "./kit-keys";

/** Of the profile adcp/request-signing/v1: nothing else signs. */
const KINDS = { EdDSA: { kty: "OKP", crv: "Ed25519" }, ES256: { kty: "EC", crv: "P-256" } } as const;

export const REQUEST_SIGNING_USE = "request-signing";
const KID_LENGTH_MAX = 200;
const KEYS_MAX = 20;

/** A public key as it is kept: what the verifier reads, and nothing else of what was pasted. */
export type PublicJwk = { kid: string; kty: string; crv: string; alg: keyof typeof KINDS; x: string; y?: string; use: "sig"; key_ops: ["verify"]; adcp_use: string };

const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string(), crv: z.string().optional(), alg: z.string().optional(), x: z.string().optional(), y: z.string().optional(), adcp_use: z.string().optional(), key_ops: z.array(z.string()).optional(), use: z.string().optional() });
/** Members that only a private or symmetric key has. */
const SECRET_MEMBERS = ["d", "p", "q", "k"];

/** The keys in a pasted text: one JWK, a list of them, or a JWK set. A string says in words what is wrong. */
export function parsePublicKeys(text: string): PublicJwk[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "This is not JSON. Paste a JWK, or a JWK set: {\"keys\": [ … ]}.";
  }
  const set = z.looseObject({ keys: z.array(z.unknown()) }).safeParse(value);
  const list = set.success ? set.data.keys : Array.isArray(value) ? value : [value];
  if (list.length === 0) return "There is no key in it.";
  if (list.length > KEYS_MAX) return `Register at most ${KEYS_MAX} keys at once.`;
  const keys: PublicJwk[] = [];
  for (const item of list) {
    const key = parsePublicKey(item);
    if (typeof key === "string") return key;
    if (keys.some(({ kid }) => kid === key.kid)) return `Two keys have the id ${key.kid}.`;
    keys.push(key);
  }
  return keys;
}

function parsePublicKey(value: unknown): PublicJwk | string {
  const parsed = jwkSchema.safeParse(value);
  if (!parsed.success) return "A key needs at least kid and kty.";
  const jwk = parsed.data;
  if (SECRET_MEMBERS.some((member) => member in jwk)) return "This is a private key. Nobody but the buyer may have it: ask for the public half, and for a new key.";
  if (!/^[\x21-\x7e]+$/.test(jwk.kid) || /["\\]/.test(jwk.kid) || jwk.kid.length > KID_LENGTH_MAX) return `A key id (kid) has 1 to ${KID_LENGTH_MAX} printable ASCII characters, without spaces, quotes and backslashes.`;
  const alg = jwk.alg ?? (jwk.crv === "Ed25519" ? "EdDSA" : jwk.crv === "P-256" ? "ES256" : "");
  if (alg !== "EdDSA" && alg !== "ES256") return `Key ${jwk.kid}: only Ed25519 (EdDSA) and P-256 (ES256) keys sign requests.`;
  const kind = KINDS[alg];
  if (jwk.kty !== kind.kty || jwk.crv !== kind.crv) return `Key ${jwk.kid}: ${alg} goes with kty ${kind.kty} and crv ${kind.crv}.`;
  if ((jwk.use !== undefined && jwk.use !== "sig") || (jwk.key_ops !== undefined && !jwk.key_ops.includes("verify"))) return `Key ${jwk.kid} is not meant for verifying signatures (use, key_ops).`;
  if (jwk.adcp_use !== undefined && jwk.adcp_use !== REQUEST_SIGNING_USE) return `Key ${jwk.kid} is for ${jwk.adcp_use}; one key serves one purpose. Paste the key for ${REQUEST_SIGNING_USE}.`;
  if (isKitKey(jwk)) return `Key ${jwk.kid} is one of the protocol's test keys, whose private half everybody knows.`;
  const material = { kty: kind.kty, crv: kind.crv, x: jwk.x ?? "", ...(alg === "ES256" ? { y: jwk.y ?? "" } : {}) };
  try {
    createPublicKey({ key: material, format: "jwk" });
  } catch {
    return `Key ${jwk.kid}: its coordinates are not a point of ${kind.crv}.`;
  }
  return { kid: jwk.kid, ...material, alg, use: "sig", key_ops: ["verify"], adcp_use: REQUEST_SIGNING_USE };
}
