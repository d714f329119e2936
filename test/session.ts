import { sealSession, sessionCookieName } from "@/lib/auth/session-token";

/**
 * A signed-in person's cookie without the sign-in page, for a process whose AUTH_SECRET and PUBLIC_URL are those of the server.
 * Playwright: `context.addCookies([{ ...cookie, url }])`.
 */
export async function mintSessionCookie(userId: string, sessionVersion = 1): Promise<{ name: string; value: string; httpOnly: true; sameSite: "Lax" }> {
  return { name: sessionCookieName(), value: await sealSession({ userId, sessionVersion }), httpOnly: true, sameSite: "Lax" };
}
