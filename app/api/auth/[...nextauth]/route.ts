import { type NextRequest } from "next/server";
import NextAuth from "next-auth";
import { nextAuthOptions } from "@/lib/auth/next-auth";
import { shareAddressWithNextAuth } from "@/lib/env";

type Context = { params: Promise<{ nextauth: string[] }> };

/** Sign-in through Google, when it is configured. Passwords have their own form (app/sign-in). */
async function handle(request: NextRequest, context: Context): Promise<Response> {
  const options = nextAuthOptions();
  if (!options) return new Response("Not found", { status: 404 });
  shareAddressWithNextAuth();
  const answer: unknown = await NextAuth(options)(request, context);
  return answer instanceof Response ? answer : new Response("Not found", { status: 404 });
}

export { handle as GET, handle as POST };
