import { createPublicKey, generateKeyPair, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

export const keyFileSchema = z.object({
  type: z.literal("service_account"),
  project_id: z.string(),
  private_key_id: z.string(),
  private_key: z.string(),
  client_email: z.string(),
  client_id: z.string(),
  auth_uri: z.string(),
  token_uri: z.string(),
  auth_provider_x509_cert_url: z.string(),
  client_x509_cert_url: z.string(),
  universe_domain: z.string(),
});
/** A Google service-account key file, as the console hands it out. */
export type KeyFile = z.infer<typeof keyFileSchema>;

export function accountEmail(network: string): string {
  return `greenlight@sim-network-${network}.iam.gserviceaccount.com`;
}

export async function generateKeyFile(network: string): Promise<KeyFile> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const email = accountEmail(network);
  return {
    type: "service_account",
    project_id: `sim-network-${network}`,
    private_key_id: randomBytes(20).toString("hex"),
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    client_email: email,
    client_id: String(BigInt(`0x${randomBytes(8).toString("hex")}`)).padStart(21, "1"),
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: "https://oauth2.googleapis.com/token",
    auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: "googleapis.com",
  };
}

export function publicKeyOf(key: KeyFile): string {
  return createPublicKey(key.private_key).export({ type: "spki", format: "pem" }).toString();
}

export function keyFilePath(directory: string, network: string): string {
  return path.join(directory, `service-account-${network}.json`);
}

/** The network's key file under the directory, generated at the first start. */
export async function loadKeyFile(directory: string, network: string): Promise<KeyFile> {
  const file = keyFilePath(directory, network);
  if (existsSync(file)) return keyFileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const key = await generateKeyFile(network);
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${file}.tmp`, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return key;
}
