import { AppError } from "../errors";

/** A refusal of the signature: 401 with `WWW-Authenticate: Signature error="<code>"`. `code` is one of the profile's. */
export function signatureError(code: string, message: string): AppError {
  return new AppError("AUTH_REQUIRED", message, { suggestion: "Sign the request anew as the profile adcp/request-signing/v1 says.", details: { reason: code } });
}
