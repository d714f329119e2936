import { parentOf, type Call } from "../call";
import { ApiError, invalidField } from "../errors";
import { flagOf, textOf, textsOf, type JsonObject } from "../json";
import type { NetworkState } from "../store";
import type { Row } from "../table";
import { checkLength, resolveReference } from "./checks";
import type { WritableKind } from "./kind";
import { ownUser } from "./users";

export const orderKind: WritableKind = {
  collection: "orders",
  message: "Order",
  singular: "order",
  plural: "orders",
  filterFields: [
    "name", "orderId", "displayName", "programmatic", "trafficker", "advertiser", "agency", "creator", "currencyCode", "startTime", "endTime",
    "unlimitedEndTime", "externalOrderId", "archived", "updateTime", "notes", "poNumber", "status", "salesperson",
  ],
  render: renderOrder,
  build: (call, input, path) => {
    checkOrder(call, input, path);
    const id = call.transaction.nextId("orders");
    const resource: JsonObject = {
      ...input,
      orderId: id,
      creator: ownUser(call).name,
      currencyCode: call.network.resource["currencyCode"],
      programmatic: flagOf(input, "programmatic"),
      archived: false,
      status: "DRAFT",
    };
    return { name: `${parentOf(call)}/orders/${id}`, resource, hidden: {} };
  },
  revise: (call, before, after, _input, path) => {
    refuseClosedOrder(before, path);
    checkOrder(call, after, path);
    return { resource: after, hidden: before.hidden };
  },
};

export function lineItemsOf(network: NetworkState, order: string): Row[] {
  return network.tables.lineItems.findBy("order", order);
}

/** Start and end follow from the line items. */
function renderOrder(network: NetworkState, row: Row): JsonObject {
  const items = lineItemsOf(network, row.name);
  if (items.length === 0) return row.resource;
  const starts = items.flatMap((item) => textOf(item.resource, "startTime") ?? []).sort(byInstant);
  const ends = items.flatMap((item) => textOf(item.resource, "targetEndTime") ?? []).sort(byInstant);
  const isUnlimited = items.some((item) => flagOf(item.resource, "endTimeUnlimited"));
  return { ...row.resource, startTime: starts[0], ...(isUnlimited ? {} : { endTime: ends.at(-1) }), unlimitedEndTime: isUnlimited };
}

function byInstant(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b);
}

export function refuseClosedOrder(order: Row, path: string): void {
  const status = textOf(order.resource, "status");
  if (flagOf(order.resource, "archived")) throw invalidField(path, `${order.name} is archived.`, "ORDER_ERROR_UPDATE_ARCHIVED_ORDER_NOT_ALLOWED");
  if (status === "CANCELED" || status === "DELETED") throw invalidField(path, `${order.name} is ${status}.`, "ORDER_ERROR_UPDATE_CANCELED_ORDER_NOT_ALLOWED");
}

function checkOrder(call: Call, order: JsonObject, path: string): void {
  checkLength(order, "displayName", 255, path);
  checkLength(order, "poNumber", 63, path);
  checkLength(order, "notes", 65_535, path);
  const advertiser = resolveReference(call, "companies", textOf(order, "advertiser") ?? "", `${path}.advertiser`);
  if (!/ADVERTISER$/.test(textOf(advertiser.resource, "type") ?? "")) {
    throw invalidField(`${path}.advertiser`, `${advertiser.name} is no advertiser.`, "ORDER_ERROR_INVALID_ADVERTISER");
  }
  resolveReference(call, "users", textOf(order, "trafficker") ?? "", `${path}.trafficker`);
  for (const key of ["salesperson", "secondarySalespeople", "secondaryTraffickers"]) {
    for (const user of [textOf(order, key) ?? [], textsOf(order, key)].flat()) resolveReference(call, "users", user, `${path}.${key}`);
  }
  const agency = textOf(order, "agency");
  if (agency !== undefined) resolveReference(call, "companies", agency, `${path}.agency`);
  if (flagOf(order, "programmatic")) {
    throw new ApiError("PERMISSION_DENIED", "Programmatic orders are not enabled for this network.");
  }
}
