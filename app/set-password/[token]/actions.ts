"use server";

import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { z } from "zod";
import { clientAddress, isSameOrigin } from "@/lib/auth/origin";
import { startSession } from "@/lib/auth/session";
import { redeemStaffLink } from "@/lib/staff/join";
import { MINUTE_MS } from "@/lib/time";

/** `field` is where the mistake is; null: of the whole. */
export type LinkState = { message: string; field: "password" | "repeated" | null; isGone: boolean };

const formSchema = z.object({ token: z.string().max(200), password: z.string().max(1_000), repeated: z.string().max(1_000).default("") });

const refusal = (message: string, field: LinkState["field"] = null): LinkState => ({ message, field, isGone: false });

/** Uses a link up, signs its owner in and goes on to their publisher. The link is all that the caller shows; it is limited and works once. */
export async function openLink(_previous: LinkState, form: FormData): Promise<LinkState> {
  const requestHeaders = await headers();
  if (!isSameOrigin(requestHeaders)) return refusal("This form was sent from another site.");
  const parsed = formSchema.safeParse(Object.fromEntries(form));
  if (!parsed.success) return refusal("Enter a password.", "password");
  const result = await redeemStaffLink({ ...parsed.data, address: clientAddress(requestHeaders) });
  if (result.outcome === "refused") return refusal(result.message, result.field);
  if (result.outcome === "gone") return { message: "This link does not work any more.", field: null, isGone: true };
  if (result.outcome === "wait") {
    const minutes = Math.max(1, Math.ceil((result.retryAt.getTime() - Date.now()) / MINUTE_MS));
    return refusal(`Too many attempts. Try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`);
  }
  await startSession(result.claims);
  redirect(`/p/${result.slug}/approvals`);
}
