import { previewCreatives } from "../../creatives/preview";
import { withTenant } from "../../db/client";
import { invariant } from "../../errors";
import { buyerActor } from "../buyer-actor";
import { type Tool } from "../tool";

export const previewCreativeTool: Tool = {
  kind: "read",
  name: "preview_creative",
  title: "See a creative",
  description: "Shows creatives as pages: one manifest, several, or a variant from get_creative_delivery; one preview per set of inputs, by an address that lasts a day or as HTML. Nothing is added to the library.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log, agentUrl }, request) {
    invariant(session, "preview_creative without a buyer");
    return withTenant(tenantId, async (db) => ({
      payload: await previewCreatives({ db, tenantId, actor: buyerActor(session), now, log }, { session, request, agentUrl }),
      summary: "Open preview_url in a sandboxed frame.",
    }));
  },
};
