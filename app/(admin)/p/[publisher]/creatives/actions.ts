"use server";

import { z } from "zod";
import { adminAction } from "@/lib/auth/action";
import { CREATIVE_DECISIONS, decideCreative } from "@/lib/creatives/review";

const DECIDED = {
  approve: "Approved. Orders that wait for it go on, and it is on its way to their ad servers.",
  reject: "Rejected. It is being taken off air wherever it runs, and the buyer reads your reason.",
  review_again: "Back in review: it is being taken off air wherever it runs until somebody decides.",
} as const;

export const decideCreativeAction = adminAction(
  "creative.review",
  z.strictObject({ creativeId: z.uuid(), decision: z.enum(CREATIVE_DECISIONS), version: z.number().int().min(1), reason: z.string().trim().max(1_000, "Use at most 1,000 characters.").optional() }),
  async (ctx, input) => {
    await decideCreative(ctx, input);
    return { message: DECIDED[input.decision] };
  },
);
