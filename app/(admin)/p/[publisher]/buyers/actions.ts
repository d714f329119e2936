"use server";

import { z } from "zod";
import { accountDecisionInput, decideAccount } from "@/lib/accounts/status";
import { adminAction } from "@/lib/auth/action";
import { principalInput } from "@/lib/buyers/input";
import { registerSigningKeys, revokeSigningKey } from "@/lib/buyers/key-service";
import { setRateLimits, setSigningRequired } from "@/lib/buyers/policy";
import { archivePrincipal, createPrincipal, renamePrincipal } from "@/lib/buyers/service";
import { issueToken, revokeToken, rotateToken } from "@/lib/buyers/token-service";
import { setPriceVisibility } from "@/lib/products/visibility";
import { addMs, DAY_MS } from "@/lib/time";
import { replayDeadLetter, replayDeadLetters } from "@/lib/webhooks/receivers";
import { buyerForm, issueForm, limitsForm, rotateForm, signingForm } from "./form";

export const createBuyerAction = adminAction("buyer.edit", buyerForm, async (ctx, input, publisher) => {
  const { id } = await createPrincipal(ctx, input);
  return { message: `${input.name} is created. Issue its first token.`, redirectTo: `/p/${publisher}/buyers/${id}` };
});

export const renameBuyerAction = adminAction("buyer.edit", z.strictObject({ id: z.uuid(), name: principalInput.shape.name, seen: z.string() }), async (ctx, input) => {
  await renamePrincipal(ctx, input);
  return { message: "The new name is saved." };
});

export const archiveBuyerAction = adminAction("buyer.edit", z.strictObject({ id: z.uuid() }), async (ctx, input, publisher) => {
  await archivePrincipal(ctx, input);
  return { message: "The buyer is archived: its tokens and keys no longer work.", redirectTo: `/p/${publisher}/buyers` };
});

export const issueTokenAction = adminAction("buyer.edit", issueForm, async (ctx, { lifetimeDays, ...input }) => {
  const { token } = await issueToken(ctx, { ...input, expiresAt: lifetimeDays === null ? null : addMs(ctx.now, lifetimeDays * DAY_MS) });
  return { message: "The token is issued. Copy it now.", secret: token };
});

export const rotateTokenAction = adminAction("buyer.edit", rotateForm, async (ctx, { lifetimeDays, ...input }) => {
  const { token } = await rotateToken(ctx, { ...input, expiresAt: lifetimeDays === null ? null : addMs(ctx.now, lifetimeDays * DAY_MS) });
  return { message: "The token is replaced. Copy the new one now.", secret: token };
});

export const revokeTokenAction = adminAction("buyer.edit", z.strictObject({ tokenId: z.uuid() }), async (ctx, input) => {
  await revokeToken(ctx, input);
  return { message: "The token is revoked." };
});

export const registerKeysAction = adminAction("buyer.edit", z.strictObject({ principalId: z.uuid(), keys: z.string().trim().min(1, "Paste the keys.").max(100_000) }), async (ctx, input) => {
  const { registered } = await registerSigningKeys(ctx, input);
  return { message: registered.length === 0 ? "These keys were registered already." : `Registered ${registered.join(", ")}.` };
});

export const revokeKeyAction = adminAction("buyer.edit", z.strictObject({ keyId: z.uuid() }), async (ctx, input) => {
  await revokeSigningKey(ctx, input);
  return { message: "The key is revoked." };
});

export const requireSigningAction = adminAction("buyer.edit", signingForm, async (ctx, input) => {
  await setSigningRequired(ctx, input);
  return { message: input.isRequired ? "Changes of this buyer must be signed now." : "Changes of this buyer need not be signed." };
});

export const setPricesAction = adminAction("buyer.edit", z.strictObject({ principalId: z.uuid(), arePricesHidden: z.enum(["true", "false"]).transform((text) => text === "true") }), async (ctx, input) => {
  await setPriceVisibility(ctx, input);
  return { message: input.arePricesHidden ? "Prices are hidden from this buyer." : "Prices are shown to this buyer." };
});

export const saveLimitsAction = adminAction("buyer.edit", limitsForm, async (ctx, input) => {
  await setRateLimits(ctx, input);
  return { message: "The limits are saved." };
});

export const replayAction = adminAction("webhook.replay", z.strictObject({ deliveryId: z.uuid() }), async (ctx, input) => {
  await replayDeadLetter(ctx, input);
  return { message: "The notice is sent again." };
});

export const replayAllAction = adminAction("webhook.replay", z.strictObject({ principalId: z.uuid(), url: z.string().max(4_000) }), async (ctx, input) => {
  const count = await replayDeadLetters(ctx, input);
  return { message: count === 0 ? "There is nothing left to send again." : count === 1 ? "One notice is sent again." : `${count} notices are sent again.` };
});

export const decideAccountAction = adminAction("account.decide", accountDecisionInput, async (ctx, input) => {
  await decideAccount(ctx, input);
  return { message: "The account's status is changed." };
});
