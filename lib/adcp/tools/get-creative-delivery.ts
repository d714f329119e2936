import { findAccountToRead } from "../../accounts/service";
import { withTenant } from "../../db/client";
import { getCreativeDelivery } from "../../delivery/creative-delivery";
import { invariant } from "../../errors";
import { buyerActor } from "../buyer-actor";
import { type Tool } from "../tool";

export const getCreativeDeliveryTool: Tool = {
  kind: "read",
  name: "get_creative_delivery",
  title: "Read delivery by creative",
  description: "What each of your creatives has delivered in each media buy that it is or was part of; by media_buy_ids, creative_ids or both, in pages. A creative that has not delivered has no variants.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log }, request) {
    invariant(session, "get_creative_delivery without a buyer");
    return withTenant(tenantId, async (db) => {
      const ctx = { db, tenantId, actor: buyerActor(session), now, log };
      const account = request.account === undefined ? null : await findAccountToRead(ctx, session, request.account);
      const payload = await getCreativeDelivery(ctx, { session, account, request });
      return { payload, summary: `Delivery of ${Array.isArray(payload.creatives) ? payload.creatives.length : 0} creatives.` };
    });
  },
};
