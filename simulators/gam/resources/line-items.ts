import { parentOf, type Call } from "../call";
import { invalidField } from "../errors";
import { flagOf, isEqual, textOf, type JsonObject } from "../json";
import { formatTimestamp } from "../scalars";
import type { Hidden, Row } from "../table";
import { resolveReference } from "./checks";
import { checkInventory, reservesInventory } from "./forecast";
import type { WritableKind } from "./kind";
import { checkLineItem, withDefaults } from "./line-item-rules";
import { renderLineItem } from "./line-item-status";
import { lineItemsOf, refuseClosedOrder } from "./orders";

const MAX_LINE_ITEMS_PER_ORDER = 450;

export const lineItemKind: WritableKind = {
  collection: "lineItems",
  message: "LineItem",
  singular: "lineItem",
  plural: "lineItems",
  filterFields: [
    "archived", "contractedUnitsBought", "costType", "createTime", "dealInfo.externalDealId", "deliveryRateType", "displayName", "endTime",
    "environmentType", "externalLineItemId", "goal.units", "lineItemType", "missingCreatives", "name", "notes", "order", "orderDisplayName",
    "priority", "roadblockingType", "startTime", "stats.clicksDelivered", "stats.impressionsDelivered", "stats.viewableImpressionsDelivered",
    "status", "targeting.inventoryTargeting.targetedAdUnits.adUnit", "targeting.inventoryTargeting.targetedPlacements",
    "targeting.geoTargeting.targetedGeos", "updateSource", "updateTime", "webPropertyCode",
  ],
  render: renderLineItem,
  build: (call, input, path) => {
    const order = resolveReference(call, "orders", textOf(input, "order") ?? "", `${path}.order`);
    refuseClosedOrder(order, `${path}.order`);
    if (lineItemsOf(call.network, order.name).length >= MAX_LINE_ITEMS_PER_ORDER) {
      throw invalidField(`${path}.order`, `An order has at most ${MAX_LINE_ITEMS_PER_ORDER} line items.`, "ORDER_ERROR_TOO_MANY_LINE_ITEMS");
    }
    checkStart(call, input, path);
    const resource = withDefaults(input);
    checkLineItem(call, resource, path);
    const name = `${parentOf(call)}/lineItems/${call.transaction.nextId("lineItems")}`;
    const draft: Row = { name, resource: { ...resource, archived: false, createTime: formatTimestamp(call.now) }, hidden: {} };
    const isReserved = flagOf(input, "reserveOnCreation") && reservesInventory(draft);
    if (isReserved) checkInventory(call, [draft], inventoryFlags(input));
    return { ...draft, hidden: { isReserved } };
  },
  revise: (call, before, after, input, path) => {
    if (flagOf(before.resource, "archived")) throw invalidField(path, `${before.name} is archived.`, "LINE_ITEM_OPERATION_ERROR_UPDATE_ARCHIVED_LINE_ITEM_NOT_ALLOWED");
    refuseClosedOrder(resolveReference(call, "orders", textOf(before.resource, "order") ?? "", path), path);
    if (!isEqual(before.resource["startTime"], after["startTime"])) checkStart(call, after, path);
    const resource = withDefaults(after);
    checkLineItem(call, resource, path);
    if (before.hidden.isReserved === true && changesReservation(before.resource, resource)) {
      checkInventory(call, [before], inventoryFlags(input));
    }
    return { resource, hidden: before.hidden };
  },
};

/** More than this cannot be approved or reserved at once. */
const MAX_APPROVED_AT_ONCE = 50;

export function refuseTooManyAtOnce(items: readonly Row[]): void {
  if (items.length <= MAX_APPROVED_AT_ONCE) return;
  throw invalidField("names", `No more than ${MAX_APPROVED_AT_ONCE} line items can be approved at once; these are ${items.length}.`, "APPROVAL_ERROR_TOO_MANY_LINE_ITEMS");
}

export function changeLineItem(call: Call, item: Row, hidden: Hidden, changes: JsonObject = {}): void {
  call.transaction.put("lineItems", {
    ...item,
    resource: { ...item.resource, ...changes, updateTime: formatTimestamp(call.now) },
    hidden: { ...item.hidden, ...hidden },
  });
}

export function deleteLineItem(call: Call, item: Row): void {
  for (const association of call.network.tables.associations.findBy("lineItem", item.name)) call.transaction.remove("associations", association.name);
  call.transaction.remove("lineItems", item.name);
}

function checkStart(call: Call, item: JsonObject, path: string): void {
  if (Date.parse(textOf(item, "startTime") ?? "") > call.now.getTime()) return;
  throw invalidField(`${path}.startTime`, "startTime must be in the future.", "LINE_ITEM_FLIGHT_DATE_ERROR_START_DATE_TIME_IS_IN_PAST");
}

function inventoryFlags(input: JsonObject): { canOverbook: boolean; isSkipped: boolean } {
  return { canOverbook: flagOf(input, "allowOverbook"), isSkipped: flagOf(input, "skipInventoryCheck") };
}

function changesReservation(before: JsonObject, after: JsonObject): boolean {
  return ["startTime", "targetEndTime", "goal", "targeting", "creativePlaceholders", "frequencyCaps"].some((key) => !isEqual(before[key], after[key]));
}
