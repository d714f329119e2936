import { generateKeyPairSync } from "node:crypto";
import { simulatorUrl } from "./addresses";

export type ServiceAccount = { email: string; keyFile: string; revoke(): Promise<void> };

/** A service account of the simulated networks with a key of its own, as Google's console would hand it out. */
export async function makeServiceAccount(networks = ["21700000001"]): Promise<ServiceAccount> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
  const email = `e2e-${Date.now()}@sim.example`;
  await call("POST", "service-accounts", { email, publicKey, keyId: "e2e", networks });
  return {
    email,
    keyFile: JSON.stringify({ type: "service_account", client_email: email, private_key: privateKey, private_key_id: "e2e" }),
    revoke: () => call("DELETE", `service-accounts/${encodeURIComponent(email)}`),
  };
}

async function call(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(`${simulatorUrl()}/__sim/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}
