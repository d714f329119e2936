import { assertAccountAllows } from "../../accounts/gates";
import { resolveAccount } from "../../accounts/service";
import { createMediaBuy } from "../../media-buys/create";
import { takeForcedArm } from "../../sandbox/fixtures";
import { type Tool } from "../tool";

export const createMediaBuyTool: Tool = {
  kind: "mutation",
  name: "create_media_buy",
  title: "Place an order",
  description:
    "Orders one or more packages: a product at one of its pricing options, with a budget, a flight, targeting and creatives. Answers media_buy_id, status and packages when the order is confirmed, or status `submitted` with a task_id when the publisher reviews it first: poll tasks_get, or send push_notification_config to be told. A package whose targeting names a list of another agent runs once that list was read and leaves room for it; until then its ext.held says why not.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  async run(call, input) {
    const account = await resolveAccount(call, call.session, input.account);
    assertAccountAllows("create_media_buy", account);
    const result = await createMediaBuy(call, { session: call.session, account, request: input, agentUrl: call.agentUrl, catalogVersion: call.catalogVersion, forced: await takeForcedArm(call, call.session) });
    return {
      payload: { ...result.payload, idempotency_key: input.idempotency_key },
      summary: result.outcome === "submitted" ? `The order was received. ${String(result.payload.message)}` : `The order is confirmed.${result.heldPackages > 0 ? ` ${result.heldPackages} of its packages ${result.heldPackages === 1 ? "stands" : "stand"} still for now: see ext.held.` : ""}`,
    };
  },
};
