import { generateKeyPairSync, randomBytes } from "node:crypto";
import { type SignerKey } from "@adcp/sdk/signing/client";
import { and, asc, desc, eq, isNotNull, isNull, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { decryptSecret, encryptSecret } from "../crypto";
import { type Tx, withWorkerRole } from "../db/client";
import { addMs, DAY_MS, HOUR_MS } from "../time";
import { signingKeys } from "./schema";

/**
 * The operator's Ed25519 keys that sign what we send. Private halves are encrypted at rest; public ones are in the JWKS
 * (published_signing_keys()) before a key first signs and for long after it last did.
 */

/** A key signs for this long, then its successor does. */
export const KEY_LIFETIME_DAYS = 90;
/** How long a key is published before it signs: longer than receivers keep a JWKS. */
export const PUBLISHED_AHEAD_HOURS = 24;
/** How long a key is published after it last signed, as published_signing_keys() has it. Then its row goes. */
export const PUBLISHED_AFTER_DAYS = 30;

/** Any constant will do: it keeps two processes from making keys at once. */
const KEY_LOCK = 5_117_421;

const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string(), crv: z.string(), x: z.string() });
const privateJwkSchema = jwkSchema.extend({ d: z.string() });

type KeyRow = typeof signingKeys.$inferSelect;

/** The key that signs now, made on first use. */
export async function loadSigningKey(now: Date): Promise<SignerKey> {
  return withWorkerRole(async (tx) => {
    const row = (await findSigner(tx, now)) ?? (await makeFirst(tx, now));
    return { keyid: row.kid, alg: row.algorithm, privateKey: privateJwkSchema.parse(JSON.parse(decryptSecret(row.privateJwkEncrypted, `signing_keys:${row.kid}`))) };
  });
}

/** A process whose clock is behind takes the only key there is rather than make another. */
async function findSigner(tx: Tx, now: Date): Promise<KeyRow | undefined> {
  const [row] = await tx.select().from(signingKeys).where(isNull(signingKeys.retiredAt))
    .orderBy(sql`${signingKeys.activatesAt} <= ${now.toISOString()} desc`, desc(signingKeys.activatesAt), desc(signingKeys.kid)).limit(1);
  return row;
}

async function makeFirst(tx: Tx, now: Date): Promise<KeyRow> {
  await lockKeys(tx);
  return (await findSigner(tx, now)) ?? (await insertKey(tx, now, now));
}

async function lockKeys(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${KEY_LOCK})`);
}

async function insertKey(tx: Tx, now: Date, activatesAt: Date): Promise<KeyRow> {
  const [row] = await tx.insert(signingKeys).values({ ...makeKey(), createdAt: now, activatesAt }).returning();
  if (!row) throw new Error("Invariant broken: there is no signing key");
  return row;
}

function makeKey(): Pick<KeyRow, "kid" | "algorithm" | "publicJwk" | "privateJwkEncrypted"> {
  const kid = `greenlight-${randomBytes(8).toString("hex")}`;
  const common = { kid, alg: "EdDSA", use: "sig", adcp_use: "webhook-signing" };
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicJwk = jwkSchema.parse({ ...publicKey.export({ format: "jwk" }), ...common, key_ops: ["verify"] });
  const privateJwk = privateJwkSchema.parse({ ...privateKey.export({ format: "jwk" }), ...common, key_ops: ["sign"] });
  return { kid, algorithm: "ed25519", publicJwk, privateJwkEncrypted: encryptSecret(JSON.stringify(privateJwk), `signing_keys:${kid}`) };
}

export type Rotation = { made: string[]; retired: string[]; forgotten: string[] };

/**
 * Keeps the keys young, once an hour: a successor is published a day before it signs, its predecessor retires when it does, and what retired
 * long ago is forgotten. Without any key nothing happens: the first signature makes one. `isDue`: do not wait for the signer's age.
 */
export async function rotateSigningKeys(now: Date, { isDue = false } = {}): Promise<Rotation> {
  return withWorkerRole(async (tx) => {
    await lockKeys(tx);
    const forgotten = await tx.delete(signingKeys).where(and(isNotNull(signingKeys.retiredAt), lt(signingKeys.retiredAt, addMs(now, -PUBLISHED_AFTER_DAYS * DAY_MS)))).returning({ kid: signingKeys.kid });
    const signer = await findSigner(tx, now);
    const retired = signer ? await tx.update(signingKeys).set({ retiredAt: now }).where(and(isNull(signingKeys.retiredAt), lt(signingKeys.activatesAt, signer.activatesAt))).returning({ kid: signingKeys.kid }) : [];
    const [waiting] = await tx.select({ kid: signingKeys.kid }).from(signingKeys).where(and(isNull(signingKeys.retiredAt), sql`${signingKeys.activatesAt} > ${now.toISOString()}`)).orderBy(asc(signingKeys.activatesAt)).limit(1);
    const isOld = signer !== undefined && addMs(signer.activatesAt, KEY_LIFETIME_DAYS * DAY_MS - PUBLISHED_AHEAD_HOURS * HOUR_MS) <= now;
    const made = signer && !waiting && (isOld || isDue) ? [await insertKey(tx, now, addMs(now, PUBLISHED_AHEAD_HOURS * HOUR_MS))] : [];
    return { made: made.map(({ kid }) => kid), retired: retired.map(({ kid }) => kid), forgotten: forgotten.map(({ kid }) => kid) };
  });
}

/**
 * For a key that somebody else may have: it leaves the JWKS at once and never signs again. If it was the signer, another one signs from now on,
 * which receivers with a kept JWKS learn of late. False: there is no such key.
 */
export async function revokeSigningKey(kid: string, now: Date): Promise<boolean> {
  return withWorkerRole(async (tx) => {
    await lockKeys(tx);
    const gone = await tx.delete(signingKeys).where(eq(signingKeys.kid, kid)).returning({ kid: signingKeys.kid });
    if (gone.length === 0) return false;
    if (!(await findSigner(tx, now))) await insertKey(tx, now, now);
    return true;
  });
}

export type SigningKeyInfo = Pick<KeyRow, "kid" | "createdAt" | "activatesAt" | "retiredAt">;

/** What the operator may see of the keys, newest first. */
export async function listSigningKeys(): Promise<SigningKeyInfo[]> {
  return withWorkerRole((tx) => tx.select({ kid: signingKeys.kid, createdAt: signingKeys.createdAt, activatesAt: signingKeys.activatesAt, retiredAt: signingKeys.retiredAt }).from(signingKeys).orderBy(desc(signingKeys.activatesAt)));
}
