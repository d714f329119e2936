import { z } from "zod";
import { AdServerError, type AppliedObject, type OperationResult } from "../../types";
import { RETRY_CHOICES } from "../choices";
import { type GamClient } from "../client";
import { type InventoryFlags, type Payload } from "../operations";
import { idOf, orderSchema, type RemoteOrder } from "../resources";
import { resolveLineItems, resolveOrder } from "./lookup";
import { archivedThere, blocked, done, wait, withForecast, withoutEffect } from "./results";

const emptyAnswer = z.object({});

/**
 * Approves the order and so its line items; in an order that is approved, activates those that were added since. Actions answer
 * nothing: the status is read again. Without the right to approve, the order is submitted and its approval waited for.
 */
export function approveOrder(client: GamClient, payload: Payload<"approve-order">): Promise<OperationResult> {
  return withForecast(client, async () => {
    const orderId = await resolveOrder(client, payload.order);
    const path = client.name("orders", orderId);
    const before = await client.get(path, orderSchema);
    if (before.archived) throw archivedThere("The order");
    switch (before.status) {
      case "APPROVED":
      case "PAUSED": {
        await activateAdded(client, payload);
        return approved(client, payload, before);
      }
      case "DRAFT":
      case "PENDING_APPROVAL": {
        if (!await tryApprove(client, path, payload.flags)) return submit(client, path, before, payload.flags);
        const after = await client.get(path, orderSchema);
        if (after.status !== "APPROVED") throw withoutEffect(client, `the order is ${after.status}`);
        return approved(client, payload, after);
      }
      case "DISAPPROVED":
        return blocked(client, "order_disapproved", "Somebody disapproved this order in Google Ad Manager. Retract that there, or give up the order.", RETRY_CHOICES);
      default:
        throw new AdServerError("order_closed", `The order is ${before.status} in Google Ad Manager and cannot be approved.`, { isPermanent: true, isAmbiguous: false, correlationId: client.correlationId });
    }
  });
}

/** False: the service account may not approve. */
async function tryApprove(client: GamClient, name: string, { allowOverbook, skipInventoryCheck }: InventoryFlags): Promise<boolean> {
  const verb = allowOverbook ? "batchApproveAndOverbook" : "batchApprove";
  try {
    await client.post(`${client.network}/orders:${verb}`, { names: [name], ...(skipInventoryCheck ? { skipInventoryCheck: true } : {}) }, emptyAnswer);
    return true;
  } catch (error) {
    if (error instanceof AdServerError && error.code === "permission_denied") return false;
    throw error;
  }
}

async function submit(client: GamClient, name: string, order: RemoteOrder, { allowOverbook, skipInventoryCheck }: InventoryFlags): Promise<OperationResult> {
  const reason = "The service account may not approve orders: this one waits for approval in Google Ad Manager.";
  if (order.status === "PENDING_APPROVAL") return wait(client, reason);
  const body = { names: [name] };
  if (allowOverbook) await client.post(`${client.network}/orders:batchSubmitForApprovalAndOverbook`, body, emptyAnswer);
  else await client.post(`${client.network}/orders:batchSubmitForApproval`, { ...body, ...(skipInventoryCheck ? { skipInventoryCheck: true } : {}) }, emptyAnswer);
  return wait(client, reason);
}

/** INACTIVE in an approved order: added later and not activated yet, or without creatives. */
async function activateAdded(client: GamClient, { order, lineItems, flags }: Payload<"approve-order">): Promise<void> {
  const found = await resolveLineItems(client, order, lineItems);
  const inactive = lineItems.flatMap(({ externalLineItemId }) => {
    const item = found.get(externalLineItemId);
    return item?.status === "INACTIVE" ? [item] : [];
  });
  if (inactive.length === 0) return;
  if (flags.allowOverbook || flags.skipInventoryCheck) {
    // Activation itself cannot overbook; approving an approved order again approves what was added.
    if (!await tryApprove(client, client.name("orders", await resolveOrder(client, order)), flags)) throw denied();
    return;
  }
  try {
    await client.post(`${client.network}/lineItems:batchActivate`, { names: inactive.map(({ name }) => name) }, emptyAnswer);
  } catch (error) {
    // Refused for line items that are active already and merely lack creatives.
    if (error instanceof AdServerError && error.code === "refused" && inactive.every(({ missingCreatives }) => missingCreatives)) return;
    throw error;
  }
}

function denied(): AdServerError {
  return new AdServerError("permission_denied", "The service account may not approve line items that were added to an approved order.", { isPermanent: true, isAmbiguous: false });
}

function approved(client: GamClient, { ourKey, snapshot }: Payload<"approve-order">, order: RemoteOrder): OperationResult {
  const applied = { ...snapshot, advertiserId: snapshot.advertiserId ?? idOf(order.advertiser) };
  const object: AppliedObject = { kind: "order", ourKey, externalId: idOf(order.name), applied };
  return done(client, [object]);
}
