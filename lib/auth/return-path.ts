/** Where to go after signing in: a path of this site, whatever a link said. Anything else is the start page. */
export function safeReturnPath(callbackUrl: string | null | undefined): string {
  if (!callbackUrl || !callbackUrl.startsWith("/")) return "/";
  const base = "http://same-origin.invalid";
  // The parser decides as a browser would: `//host`, `/\host` and control characters inside all leave the site.
  if (!URL.canParse(callbackUrl, base)) return "/";
  const url = new URL(callbackUrl, base);
  if (url.origin !== base || url.pathname.startsWith("//")) return "/";
  return `${url.pathname}${url.search}`;
}
