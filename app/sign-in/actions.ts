"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { z } from "zod";
import { clientAddress, isSameOrigin } from "@/lib/auth/origin";
import { safeReturnPath } from "@/lib/auth/return-path";
import { endSession, startSession } from "@/lib/auth/session";
import { signInWithPassword } from "@/lib/auth/sign-in";
import { MINUTE_MS } from "@/lib/time";

export type SignInState = { message: string; email: string };

const formSchema = z.object({ email: z.string().max(320), password: z.string().max(1_000), callbackUrl: z.string().max(2_000).optional() });

/** The one way in by password. Says the same for an unknown address and a wrong password. */
export async function signIn(_previous: SignInState, form: FormData): Promise<SignInState> {
  const requestHeaders = await headers();
  if (!isSameOrigin(requestHeaders)) return { message: "This form was sent from another site.", email: "" };
  const parsed = formSchema.safeParse(Object.fromEntries(form));
  if (!parsed.success) return { message: "Enter your e-mail address and your password.", email: "" };
  const { email, password, callbackUrl } = parsed.data;
  const result = await signInWithPassword({ email, password, address: clientAddress(requestHeaders) });
  if (result.outcome === "wait") {
    const minutes = Math.max(1, Math.ceil((result.retryAt.getTime() - Date.now()) / MINUTE_MS));
    return { message: `Too many attempts. Try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`, email };
  }
  if (result.outcome === "refused") return { message: "The e-mail address or the password is not right.", email };
  await startSession(result.claims);
  redirect(safeReturnPath(callbackUrl));
}

export async function signOut(): Promise<void> {
  if (!isSameOrigin(await headers())) return;
  await endSession();
  redirect("/sign-in");
}
