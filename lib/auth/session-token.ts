import { decode, encode } from "next-auth/jwt";
import { z } from "zod";
import { env, required } from "../env";

/** A session is next-auth's encrypted JWT and holds two facts: who, and which version of their sessions. Everything else is read per request. */
export type SessionClaims = { userId: string; sessionVersion: number };

/** One working day; then people sign in again. */
export const SESSION_SECONDS = 12 * 3_600;

const claimsSchema = z.object({ sub: z.uuid(), sv: z.int() });

function isSecure(): boolean {
  return env().publicUrl.startsWith("https:");
}

/** Where next-auth itself looks for it. */
export function sessionCookieName(): string {
  return isSecure() ? "__Secure-next-auth.session-token" : "next-auth.session-token";
}

export function sessionCookieOptions() {
  return { httpOnly: true, sameSite: "lax", secure: isSecure(), path: "/", maxAge: SESSION_SECONDS } as const;
}

export async function sealSession(claims: SessionClaims): Promise<string> {
  return encode({ token: toToken(claims), secret: required("AUTH_SECRET"), maxAge: SESSION_SECONDS });
}

export function toToken(claims: SessionClaims): { sub: string; sv: number } {
  return { sub: claims.userId, sv: claims.sessionVersion };
}

/** The claims of a cookie, or null when it is not ours, was altered, or has expired. */
export async function openSession(cookie: string | undefined): Promise<SessionClaims | null> {
  if (!cookie) return null;
  try {
    const claims = claimsSchema.parse(await decode({ token: cookie, secret: required("AUTH_SECRET") }));
    return { userId: claims.sub, sessionVersion: claims.sv };
  } catch {
    return null;
  }
}
