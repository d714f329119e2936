import { findAccountToRead } from "../../accounts/service";
import { withTenant } from "../../db/client";
import { getMediaBuyDelivery } from "../../delivery/media-buy-delivery";
import { invariant } from "../../errors";
import { buyerActor } from "../buyer-actor";
import { type Tool } from "../tool";

export const getMediaBuyDeliveryTool: Tool = {
  kind: "read",
  name: "get_media_buy_delivery",
  title: "Read delivery",
  description:
    "What your media buys have delivered: impressions, spend, clicks, views and pacing in total, by package, by day and by creative; by country, device or placement if you ask with reporting_dimensions. From the last report of each ad server, whose age is in ext.delivery; where none has come yet the status is reporting_delayed rather than zero.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log }, request) {
    invariant(session, "get_media_buy_delivery without a buyer");
    return withTenant(tenantId, async (db) => {
      const ctx = { db, tenantId, actor: buyerActor(session), now, log };
      const account = request.account === undefined ? null : await findAccountToRead(ctx, session, request.account);
      const payload = await getMediaBuyDelivery(ctx, { session, account, request });
      return { payload, summary: `Delivery of ${Array.isArray(payload.media_buy_deliveries) ? payload.media_buy_deliveries.length : 0} media buys.` };
    });
  },
};
