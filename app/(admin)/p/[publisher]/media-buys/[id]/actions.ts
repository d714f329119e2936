"use server";

import { z } from "zod";
import { DECISIONS, decideMediaBuy } from "@/lib/approvals/service";
import { adminAction } from "@/lib/auth/action";
import { resolveBlocked, retryFulfilment } from "@/lib/fulfilment/blocked";
import { resolveGovernance } from "@/lib/governance/stopped";
import { rereadList } from "@/lib/inventory-lists/reread";
import { replayDelivery } from "@/lib/webhooks/service";

const DECIDED = {
  approve: "Approved. The buyer is being told, and the order is on its way to the ad server: its steps are shown here as they run.",
  reject: "Rejected. The buyer is being told, with your reason.",
  ask_for_changes: "The buyer is being told what to change.",
} as const;

const reason = z.string().trim().max(1_000, "Use at most 1,000 characters.");

export const decide = adminAction(
  "media_buy.decide",
  z.strictObject({ stepId: z.uuid(), decision: z.enum(DECISIONS), shownHash: z.string().max(200), reason: reason.optional() }),
  async (ctx, input) => {
    await decideMediaBuy(ctx, input);
    return { message: DECIDED[input.decision] };
  },
);

export const resolve = adminAction(
  "media_buy.decide",
  z.strictObject({ stepId: z.uuid(), choiceId: z.string().max(100), note: reason.min(1, "Give a reason: the buyer will read it.").optional() }),
  async (ctx, input) => {
    await resolveBlocked(ctx, input);
    return { message: "Done: the order goes on as you chose." };
  },
);

export const resolveStopped = adminAction(
  "media_buy.decide",
  z.strictObject({ stepId: z.uuid(), choiceId: z.string().max(100), note: reason.min(1, "Give a reason: the buyer will read it.").optional() }),
  async (ctx, input) => {
    await resolveGovernance(ctx, input);
    return { message: input.choiceId === "give_up" ? "Refused. The buyer is being told, with your reason." : "The governance agents are asked again: their answers are shown here." };
  },
);

export const retry = adminAction("media_buy.retry", z.strictObject({ fulfilmentId: z.uuid() }), async (ctx, input) => {
  await retryFulfilment(ctx, input);
  return { message: "Trying again: the steps are shown here as they run." };
});

export const reread = adminAction("media_buy.retry", z.strictObject({ mediaBuyId: z.uuid(), listId: z.uuid() }), async (ctx, input) => {
  await rereadList(ctx, input);
  return { message: "Being read again: what becomes of it is shown here." };
});

export const replay = adminAction("webhook.replay", z.strictObject({ deliveryId: z.uuid() }), async (ctx, input) => {
  await replayDelivery(ctx, input);
  return { message: "Being sent again." };
});
