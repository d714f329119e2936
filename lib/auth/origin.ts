import { env } from "../env";

/**
 * Whether a change was asked for by a page of this site. Beside Next's own comparison: it stands if that is ever configured away.
 * Browsers send Origin with every POST; a request without one is refused.
 */
export function isSameOrigin(headers: Headers): boolean {
  const origin = headers.get("origin");
  if (!origin || !URL.canParse(origin)) return false;
  if (origin === new URL(env().publicUrl).origin) return true;
  return new URL(origin).host === headers.get("host") && headers.get("sec-fetch-site") !== "cross-site";
}

/** Where a request came from, as told by the nearest proxy: the last entry, which a client cannot write when a proxy appends to it. */
export function clientAddress(headers: Headers): string {
  return forwardedAddress(headers) ?? "unknown";
}

export function forwardedAddress(headers: Headers): string | undefined {
  return headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || undefined;
}
