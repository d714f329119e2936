import { type z } from "zod";
import { AdServerError, type AdServerDriver, type OperationResult } from "../types";
import { readAvailability } from "./availability";
import { GamClient } from "./client";
import { testConnection } from "./connection-test";
import { GAM_KIND } from "./declare";
import { readDelivery } from "./delivery";
import { approveOrder } from "./execute/approval";
import { associateCreatives, deactivateAssociations } from "./execute/associations";
import { createCreatives, updateCreatives } from "./execute/creatives";
import { createLineItems, updateLineItems } from "./execute/line-items";
import { createAdvertiser, createOrder, updateOrder } from "./execute/orders";
import { archiveLineItems, archiveOrder, pauseLineItems, resumeLineItems } from "./execute/states";
import { syncInventory } from "./inventory";
import { observe } from "./observe";
import { OPERATIONS, type OperationKind } from "./operations";

type Handler = (client: GamClient, payload: unknown) => Promise<OperationResult>;

function handle<S extends z.ZodType>(schema: S, run: (client: GamClient, payload: z.output<S>) => Promise<OperationResult>): Handler {
  return (client, payload) => run(client, schema.parse(payload));
}

const HANDLERS: Record<OperationKind, Handler> = {
  "create-advertiser": handle(OPERATIONS["create-advertiser"], createAdvertiser),
  "create-order": handle(OPERATIONS["create-order"], createOrder),
  "create-line-items": handle(OPERATIONS["create-line-items"], createLineItems),
  "create-creatives": handle(OPERATIONS["create-creatives"], createCreatives),
  "associate-creatives": handle(OPERATIONS["associate-creatives"], associateCreatives),
  "approve-order": handle(OPERATIONS["approve-order"], approveOrder),
  "update-order": handle(OPERATIONS["update-order"], updateOrder),
  "update-line-items": handle(OPERATIONS["update-line-items"], updateLineItems),
  "update-creatives": handle(OPERATIONS["update-creatives"], updateCreatives),
  "pause-line-items": handle(OPERATIONS["pause-line-items"], pauseLineItems),
  "resume-line-items": handle(OPERATIONS["resume-line-items"], resumeLineItems),
  "archive-line-items": handle(OPERATIONS["archive-line-items"], archiveLineItems),
  "archive-order": handle(OPERATIONS["archive-order"], archiveOrder),
  "deactivate-associations": handle(OPERATIONS["deactivate-associations"], deactivateAssociations),
};

/** Google Ad Manager by its REST API. Every create looks up first, so that an operation may run any number of times. */
export const gamDriver: AdServerDriver = {
  kind: GAM_KIND,
  async execute({ kind, payload, attempts }, call) {
    const handler = new Map(Object.entries(HANDLERS)).get(kind);
    if (!handler) throw new AdServerError("unknown_operation", `This release cannot carry out “${kind}”.`, { isPermanent: true, isAmbiguous: false });
    return handler(new GamClient(call, attempts), payload);
  },
  observe,
  testConnection,
  syncInventory,
  readAvailability,
  readDelivery,
};
