import { findAccountToRead } from "../../accounts/service";
import { withTenant } from "../../db/client";
import { invariant } from "../../errors";
import { listMediaBuys } from "../../media-buys/list";
import { buyerActor } from "../buyer-actor";
import { type Tool } from "../tool";

export const getMediaBuysTool: Tool = {
  kind: "read",
  name: "get_media_buys",
  title: "Read orders",
  description:
    "Your confirmed media buys with status, packages, creative approvals, valid_actions, revision, and in ext.fulfilment how far every ad server holds them; ext.held of a package says why it stands still. By media_buy_ids, or by status_filter (default: active), newest first in pages.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log, agentUrl }, input) {
    invariant(session, "get_media_buys without a buyer");
    return withTenant(tenantId, async (db) => {
      const ctx = { db, tenantId, actor: buyerActor(session), now, log };
      const account = input.account === undefined ? null : await findAccountToRead(ctx, session, input.account);
      const payload = await listMediaBuys(ctx, { session, account, request: input, agentUrl });
      return { payload, summary: `${Array.isArray(payload.media_buys) ? payload.media_buys.length : 0} media buys.` };
    });
  },
};
