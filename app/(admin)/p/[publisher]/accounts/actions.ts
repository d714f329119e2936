"use server";

import { z } from "zod";
import { mapAdvertiser, mapAdvertiserInput, unmapAdvertiser } from "@/lib/accounts/advertisers";
import { adminAction } from "@/lib/auth/action";

export const mapAdvertiserAction = adminAction("account.map_advertiser", mapAdvertiserInput, async (ctx, input) => {
  const { advertiserName, retried } = await mapAdvertiser(ctx, input);
  const waiting = retried === 0 ? "" : retried === 1 ? " One order that waited for it goes on." : ` ${retried} orders that waited for it go on.`;
  return { message: `${advertiserName} stands for this account now.${waiting}` };
});

export const unmapAdvertiserAction = adminAction("account.map_advertiser", z.strictObject({ accountId: z.uuid(), adapterConfigId: z.uuid(), seen: z.string() }), async (ctx, input) => {
  await unmapAdvertiser(ctx, input);
  return { message: "The account has no advertiser there any more." };
});
