import { type NextAuthOptions } from "next-auth";
import Google from "next-auth/providers/google";
import { env, required } from "../env";
import { safeReturnPath } from "./return-path";
import { SESSION_SECONDS, sessionCookieName, sessionCookieOptions, toToken } from "./session-token";
import { acceptInvitations } from "../staff/join";
import { findStaffByEmail } from "./sign-in";

/** null when no identity provider is configured: then nothing of next-auth answers requests. */
export function nextAuthOptions(): NextAuthOptions | null {
  const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret, publicUrl } = env();
  if (!clientId || !clientSecret) return null;
  return {
    secret: required("AUTH_SECRET"),
    session: { strategy: "jwt", maxAge: SESSION_SECONDS },
    providers: [Google({ clientId, clientSecret })],
    pages: { signIn: "/sign-in", error: "/sign-in" },
    cookies: { sessionToken: { name: sessionCookieName(), options: sessionCookieOptions() } },
    callbacks: {
      // Google vouches for the address; that somebody works here is ours to know.
      signIn: async ({ profile }) => {
        if (!isVerified(profile)) return false;
        await acceptInvitations(profile.email);
        return (await findStaffByEmail(profile.email)) !== null;
      },
      async jwt({ token, profile }) {
        if (!profile) return token;
        const claims = isVerified(profile) ? await findStaffByEmail(profile.email) : null;
        return claims ? toToken(claims) : {};
      },
      redirect: ({ url }) => {
        const path = url.startsWith(`${publicUrl}/`) ? url.slice(publicUrl.length) : url;
        return Promise.resolve(`${publicUrl}${safeReturnPath(path)}`);
      },
    },
  };
}

function isVerified(profile: object | undefined): profile is { email: string; email_verified: true } {
  return profile !== undefined && "email" in profile && typeof profile.email === "string" && "email_verified" in profile && profile.email_verified === true;
}
