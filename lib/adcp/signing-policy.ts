import { type Caller } from "./buyer-auth";
import { isObject } from "./schemas";
import { signatureError } from "./signature-error";

/**
 * Where a token alone is not enough: changes of a buyer whom the publisher asked to sign, and webhook credentials of a buyer who can sign.
 * Otherwise whoever stole a token could turn the notifications to an address of their own. A buyer without a key may use the legacy schemes.
 */
export function assertSignedChange({ session, signing }: Pick<Caller, "session" | "signing">, input: unknown): void {
  if (!session || signing.isSigned) return;
  if (signing.isSigningRequired) throw signatureError("request_signature_required", "The publisher accepts changes from you only when they are signed.");
  if (signing.hasSigningKey && holdsWebhookCredentials(input)) throw signatureError("request_signature_required", "You have registered a signing key: webhook credentials are accepted in signed requests only.");
}

const WEBHOOK_FIELDS = new Set(["push_notification_config", "pushNotificationConfig", "reporting_webhook"]);

/** Anywhere in the input; its depth is bounded by the door. */
function holdsWebhookCredentials(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsWebhookCredentials);
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, item]) => (WEBHOOK_FIELDS.has(name) && isObject(item) && isObject(item.authentication)) || holdsWebhookCredentials(item));
}
