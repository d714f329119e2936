import { flagOf, numberOf, objectOf, objectsOf, textOf, type JsonObject } from "../json";
import { moneyMicros, moneyOf, formatTimestamp } from "../scalars";
import type { NetworkState } from "../store";
import type { Row } from "../table";
import { reservesInventory } from "./forecast";

const DAY_MS = 86_400_000;

/** The line item with everything that Ad Manager computes at the moment of reading. */
export function renderLineItem(network: NetworkState, row: Row, now: Date): JsonObject {
  const item = row.resource;
  const order = network.tables.orders.get(textOf(item, "order") ?? "");
  const missingCreatives = lacksCreatives(network, row);
  const budget = computeBudget(item);
  const endTime = computeEndTime(item);
  return {
    ...item,
    orderDisplayName: order?.resource["displayName"],
    ...(endTime ? { endTime: formatTimestamp(endTime) } : {}),
    ...(budget ? { budget } : {}),
    status: computeStatus(row, order, { missingCreatives, endTime, now }),
    reservationStatus: row.hidden.isReserved === true && reservesInventory(row) ? "RESERVED" : "UNRESERVED",
    missingCreatives,
  };
}

function computeEndTime(item: JsonObject): Date | undefined {
  const target = textOf(item, "targetEndTime");
  if (target === undefined || flagOf(item, "endTimeUnlimited")) return undefined;
  return new Date(Date.parse(target) + (numberOf(item, "autoExtensionDays") ?? 0) * DAY_MS);
}

interface StatusInput {
  missingCreatives: boolean;
  endTime: Date | undefined;
  now: Date;
}

function computeStatus(row: Row, order: Row | undefined, { missingCreatives, endTime, now }: StatusInput): string {
  switch (order && textOf(order.resource, "status")) {
    case "DRAFT": return "DRAFT";
    case "PENDING_APPROVAL": return "PENDING_APPROVAL";
    case "DISAPPROVED": return "DISAPPROVED";
    case "CANCELED":
    case "DELETED": return "CANCELED";
    default: break;
  }
  if (row.hidden.isApproved !== true) return "INACTIVE";
  if (endTime && endTime <= now) return "COMPLETED";
  if (row.hidden.isPaused === true) return row.hidden.isReserved === true || !reservesInventory(row) ? "PAUSED" : "PAUSED_INVENTORY_RELEASED";
  if (missingCreatives) return "INACTIVE";
  return Date.parse(textOf(row.resource, "startTime") ?? "") > now.getTime() ? "READY" : "DELIVERING";
}

export function sizeKey(size: JsonObject | undefined): string {
  return size ? `${numberOf(size, "width") ?? 0}x${numberOf(size, "height") ?? 0} ${textOf(size, "sizeType") ?? ""}` : "";
}

/** The sizes that an association fills: its own when it overrides them, else its creative's. */
export function associatedSizes(network: NetworkState, association: JsonObject): string[] {
  const overrides = objectsOf(association, "sizes");
  if (overrides.length > 0) return overrides.map(sizeKey);
  const creative = network.tables.creatives.get(textOf(association, "creative") ?? "");
  return creative ? [sizeKey(objectOf(creative.resource, "size"))] : [];
}

/** Whether a placeholder has fewer active creatives of its size than it expects. */
function lacksCreatives(network: NetworkState, row: Row): boolean {
  const available = new Map<string, number>();
  for (const { resource } of network.tables.associations.findBy("lineItem", row.name)) {
    const creative = network.tables.creatives.get(textOf(resource, "creative") ?? "");
    if (resource["status"] !== "ACTIVE" || !creative || creative.hidden.isInactive === true) continue;
    for (const size of associatedSizes(network, resource)) available.set(size, (available.get(size) ?? 0) + 1);
  }
  return objectsOf(row.resource, "creativePlaceholders").some((placeholder) =>
    (available.get(sizeKey(objectOf(placeholder, "size"))) ?? 0) < (numberOf(placeholder, "expectedCreativeCount") ?? 1));
}

/** Rate times units, per thousand where the rate is; by the day for CPD. */
function computeBudget(item: JsonObject): JsonObject | undefined {
  const rate = objectOf(item, "rate");
  const goal = objectOf(item, "goal");
  if (!rate) return undefined;
  const currency = textOf(rate, "currencyCode") ?? "";
  const micros = moneyMicros(rate);
  const costType = textOf(item, "costType");
  if (costType === "CPD") {
    const end = computeEndTime(item);
    const days = end ? Math.ceil((end.getTime() - Date.parse(textOf(item, "startTime") ?? "")) / DAY_MS) : 0;
    return moneyOf(micros * BigInt(days), currency);
  }
  if (!goal || textOf(goal, "goalType") !== "LIFETIME") return undefined;
  const units = BigInt(textOf(goal, "units") ?? "0");
  return moneyOf(costType === "CPC" || costType === "CPA" || costType === "CPCV" ? micros * units : (micros * units) / 1000n, currency);
}
