import { assertAccountAllows } from "../../accounts/gates";
import { resolveAccount } from "../../accounts/service";
import { findAccountOfMediaBuy } from "../../media-buys/queries";
import { updateMediaBuy } from "../../media-buys/update";
import { type Tool } from "../tool";

export const updateMediaBuyTool: Tool = {
  kind: "mutation",
  name: "update_media_buy",
  title: "Change an order",
  description:
    "Pauses, resumes or cancels a media buy or single packages, and changes budgets, bids, dates, pacing, targeting and creatives; new_packages adds more. Fields left out stay as they are. Send the revision you last read, so that a change made meanwhile is not overwritten.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(call, input) {
    const named = await resolveAccount(call, call.session, input.account);
    // A sandbox buyer's accounts come into being by being named: a wrong one proves nothing.
    const account = call.session.isSandbox ? ((await findAccountOfMediaBuy(call, call.session, String(input.media_buy_id))) ?? named) : named;
    assertAccountAllows("update_media_buy", account);
    // Packages that are added are new business.
    if (Array.isArray(input.new_packages) && input.new_packages.length > 0) assertAccountAllows("create_media_buy", account);
    const { payload } = await updateMediaBuy(call, { session: call.session, account, request: input, agentUrl: call.agentUrl, catalogVersion: call.catalogVersion });
    return { payload, summary: `The media buy is ${String(payload.status)} at revision ${String(payload.revision)}; its ad servers follow.` };
  },
};
