import { type AppError } from "../errors";

/** What a 401 says about how to authenticate (RFC 6750 §3). */
export function challengeHeaders(error: AppError, resourceUrl: string): Record<string, string> {
  if (error.code !== "AUTH_REQUIRED") return {};
  const invalid = error.details?.reason === "invalid_token" ? `, error="invalid_token", error_description="${error.userMessage}"` : "";
  return { "www-authenticate": `Bearer realm="${resourceUrl}"${invalid}` };
}
