import { randomBytes } from "node:crypto";
import { type NextRequest, NextResponse } from "next/server";
import { PATH_HEADER } from "@/lib/auth/path-header";
import { env } from "@/lib/env";

/**
 * A content security policy with a fresh nonce for each page; Next puts the nonce on its scripts. Styles may be inline: menus and
 * dialogs are positioned by style attributes. Authentication is not decided here but in lib/auth, beside each page and action.
 */
export function proxy(request: NextRequest): NextResponse {
  const policy = contentSecurityPolicy(randomBytes(16).toString("base64"));
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  headers.set(PATH_HEADER, `${request.nextUrl.pathname}${request.nextUrl.search}`);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  response.headers.set("cache-control", "no-store");
  if (env().publicUrl.startsWith("https:")) response.headers.set("strict-transport-security", "max-age=31536000");
  return response;
}

function contentSecurityPolicy(nonce: string): string {
  const { NODE_ENV, GOOGLE_CLIENT_ID, publicUrl } = env();
  return [
    "default-src 'self'",
    // React's development build evaluates; production never does.
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${NODE_ENV === "development" ? " 'unsafe-eval'" : ""}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    // Browsers hold redirects after a form to this list too.
    `form-action 'self'${GOOGLE_CLIENT_ID ? " https://accounts.google.com" : ""}`,
    "frame-ancestors 'none'",
    ...(publicUrl.startsWith("https:") ? ["upgrade-insecure-requests"] : []),
  ].join("; ");
}

// Pages alone: not what buyers call, nor files, nor the stream of changes.
export const config = { matcher: ["/((?!_next/static|_next/image|api/|mcp|a2a|\\.well-known/|previews/|live$|icon.svg|favicon.ico).*)"] };
