import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { ConfigurationError, required } from "./env";

/**
 * Secrets at rest: AES-256-GCM under ENCRYPTION_KEY (32 bytes, base64 or hex), a fresh nonce each, bound to where they are stored
 * by `context` (for example `adapter_configs:<tenant>:<id>`), so that a ciphertext moved to another row does not open.
 * Text form: `v1.<nonce>.<ciphertext+tag>` in base64url.
 */
export function encryptSecret(plain: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", encryptionKey(), nonce);
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1.${nonce.toString("base64url")}.${sealed.toString("base64url")}`;
}

/** Opens what encryptSecret made. Throws when the key, the context or the text is not the one it was sealed with. */
export function decryptSecret(sealedText: string, context: string): string {
  const [version, nonce, sealed] = sealedText.split(".");
  if (version !== "v1" || !nonce || !sealed) throw new Error("The stored secret has an unknown form.");
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", encryptionKey(), Buffer.from(nonce, "base64url"));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(bytes.length - 16));
  return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - 16)), decipher.final()]).toString("utf8");
}

let key: Buffer | undefined;

function encryptionKey(): Buffer {
  if (key) return key;
  const text = required("ENCRYPTION_KEY");
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (bytes.length !== 32) throw new ConfigurationError("Configuration is wrong: ENCRYPTION_KEY must be 32 bytes, as 64 hex digits or base64 (openssl rand -hex 32 makes one).");
  key = bytes;
  return key;
}

export function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** 32 bytes derived from a secret for one purpose. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
}

export function isEqualConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}
