import { type AppError } from "../errors";

/**
 * What a 401 says about how to authenticate. A signature that was refused is told by the profile's code; whoever sent none learns of both
 * ways in: a token (RFC 6750 §3), or a signature.
 */
export function challengeHeaders(error: AppError, resourceUrl: string): Record<string, string> {
  if (error.code !== "AUTH_REQUIRED") return {};
  const reason = String(error.details?.reason ?? "");
  if (reason.startsWith("request_signature_")) return { "www-authenticate": `Signature error="${reason}"` };
  const invalid = reason === "invalid_token" ? `, error="invalid_token", error_description="${error.userMessage}"` : "";
  return { "www-authenticate": `Bearer realm="${resourceUrl}"${invalid}, Signature error="request_signature_required"` };
}
