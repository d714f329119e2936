import { env } from "../env";
import { hostOf, isAnonymous } from "./buyer-auth";

/**
 * Against DNS rebinding: a web page that was made to look like our host can send requests here, but it has no token, and its browser
 * names it in `Origin`. So a request with an Origin needs a token or a signature, or comes from our own pages. Agents send no Origin, or a token.
 */
export function isForeignPage(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || !isAnonymous(request.headers)) return false;
  const own = new URL(env().publicUrl);
  return origin !== own.origin || hostOf(request).authority !== own.host;
}
