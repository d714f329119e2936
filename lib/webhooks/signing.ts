import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { signWebhook, type SignerKey } from "@adcp/sdk/signing/client";
import { isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { decryptSecret, encryptSecret } from "../crypto";
import { withWorkerRole } from "../db/client";
import { signingKeys } from "./schema";

/** Any constant will do: it keeps two processes from making the first key at once. */
const KEY_LOCK = 5_117_421;

const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string(), crv: z.string(), x: z.string() });
const privateJwkSchema = jwkSchema.extend({ d: z.string() });

/**
 * The operator's Ed25519 key that signs what we send, made on first use. The private half is encrypted at rest; the public half is
 * published by published_signing_keys() in the JWKS.
 */
export async function loadSigningKey(): Promise<SignerKey> {
  return withWorkerRole(async (tx) => {
    const current = () => tx.select().from(signingKeys).where(isNull(signingKeys.retiredAt)).orderBy(sql`${signingKeys.createdAt} desc`).limit(1);
    let [row] = await current();
    if (!row) {
      await tx.execute(sql`select pg_advisory_xact_lock(${KEY_LOCK})`);
      [row] = await current();
    }
    if (!row) [row] = await tx.insert(signingKeys).values(makeKey()).returning();
    if (!row) throw new Error("Invariant broken: there is no signing key");
    return { keyid: row.kid, alg: row.algorithm, privateKey: privateJwkSchema.parse(JSON.parse(decryptSecret(row.privateJwkEncrypted, `signing_keys:${row.kid}`))) };
  });
}

function makeKey(): typeof signingKeys.$inferInsert {
  const kid = `greenlight-${randomBytes(8).toString("hex")}`;
  const common = { kid, alg: "EdDSA", use: "sig", adcp_use: "webhook-signing" };
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicJwk = jwkSchema.parse({ ...publicKey.export({ format: "jwk" }), ...common, key_ops: ["verify"] });
  const privateJwk = privateJwkSchema.parse({ ...privateKey.export({ format: "jwk" }), ...common, key_ops: ["sign"] });
  return { kid, algorithm: "ed25519", publicJwk, privateJwkEncrypted: encryptSecret(JSON.stringify(privateJwk), `signing_keys:${kid}`) };
}

export type Authentication = { scheme: "Bearer" | "HMAC-SHA256"; credentials: string };

/** RFC 9421, profile adcp/webhook-signing/v1, with a fresh nonce each time; or the legacy scheme that the buyer asked for, never both. */
export async function signHeaders(url: URL, body: string, authentication: Authentication | null, now: Date): Promise<Record<string, string>> {
  if (authentication?.scheme === "Bearer") return { authorization: `Bearer ${authentication.credentials}` };
  if (authentication?.scheme === "HMAC-SHA256") {
    const timestamp = Math.floor(now.getTime() / 1_000).toString();
    const signature = createHmac("sha256", authentication.credentials).update(`${timestamp}.${body}`, "utf8").digest("hex");
    return { "x-adcp-timestamp": timestamp, "x-adcp-signature": `sha256=${signature}` };
  }
  return signWebhook({ method: "POST", url: url.href, headers: { "content-type": "application/json" }, body }, await loadSigningKey()).headers;
}
