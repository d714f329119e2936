import { createHmac } from "node:crypto";
import { signWebhook } from "@adcp/sdk/signing/client";
import { loadSigningKey } from "./signing-keys";

export type Authentication = { scheme: "Bearer" | "HMAC-SHA256"; credentials: string };

/** RFC 9421, profile adcp/webhook-signing/v1, with a fresh nonce each time; or the legacy scheme that the buyer asked for, never both. */
export async function signHeaders(url: URL, body: string, authentication: Authentication | null, now: Date): Promise<Record<string, string>> {
  if (authentication?.scheme === "Bearer") return { authorization: `Bearer ${authentication.credentials}` };
  if (authentication?.scheme === "HMAC-SHA256") {
    const timestamp = Math.floor(now.getTime() / 1_000).toString();
    const signature = createHmac("sha256", authentication.credentials).update(`${timestamp}.${body}`, "utf8").digest("hex");
    return { "x-adcp-timestamp": timestamp, "x-adcp-signature": `sha256=${signature}` };
  }
  return signWebhook({ method: "POST", url: url.href, headers: { "content-type": "application/json" }, body }, await loadSigningKey(now)).headers;
}
