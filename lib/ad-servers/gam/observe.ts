import { toWireId } from "../../ids";
import { formatDateTime } from "../../time";
import { AdServerError, type AppliedOrder, type Call, type DesiredLine, type DesiredOrder, type Difference, type Observation } from "../types";
import { GamClient } from "./client";
import { compareLineItem, isSameInstant } from "./compare";
import { titleOf } from "./creatives";
import { associationId, findAssociations, listLineItems } from "./execute/lookup";
import { toLineItem } from "./line-items";
import { poNumber } from "./plan-new";
import { idOf, orderSchema, type RemoteAssociation, type RemoteLineItem, type RemoteOrder } from "./resources";
import { associationKey, readApplied, type Known } from "./snapshots";

/** Statuses in which a line item delivers or is about to. */
const DELIVERS: readonly string[] = ["DELIVERING", "READY", "DELIVERY_EXTENDED"];
const PAUSED: readonly string[] = ["PAUSED", "PAUSED_INVENTORY_RELEASED"];

type Seen = { desired: DesiredOrder; known: Known; now: Date; lineItems: RemoteLineItem[]; associations: Map<string, RemoteAssociation>; differences: Difference[]; statuses: Record<string, string> };

/** Reads back what the ad server has and compares it with what it should have. */
export async function observe(desired: DesiredOrder, applied: AppliedOrder, call: Call): Promise<Observation> {
  const client = new GamClient(call);
  const known = readApplied(applied);
  if (!known.order) {
    if (desired.isEnded || desired.lines.every(({ isCanceled, isHeld }) => isCanceled || isHeld)) return { isInSync: true, differences: [], statuses: {} };
    return report([{ object: "Order", ourKey: desired.fulfilmentId, field: "existence", expected: "exists", observed: "was never created" }], {});
  }
  const order = await readOrder(client, known.order.externalId);
  if (!order) return report([{ object: "Order", ourKey: desired.fulfilmentId, field: "existence", expected: `order ${known.order.externalId}`, observed: "gone from the ad server" }], {});
  const lineItems = await listLineItems(client, known.order.externalId);
  const associations = lineItems.length === 0 ? new Map<string, RemoteAssociation>() : await findAssociations(client, lineItems.map(({ name }) => idOf(name)));
  const seen: Seen = { desired, known, now: call.now(), lineItems, associations, differences: [], statuses: {} };
  compareOrder(seen, order);
  for (const line of desired.lines) compareLine(seen, order, line);
  compareCount(seen);
  return report(seen.differences, seen.statuses);
}

function report(differences: Difference[], statuses: Record<string, string>): Observation {
  return { isInSync: differences.length === 0, differences, statuses };
}

async function readOrder(client: GamClient, orderId: string): Promise<RemoteOrder | undefined> {
  try {
    return await client.get(client.name("orders", orderId), orderSchema);
  } catch (error) {
    if (error instanceof AdServerError && error.code === "not_found") return undefined;
    throw error;
  }
}

function compareOrder({ desired, known, differences, statuses, lineItems, now }: Seen, order: RemoteOrder): void {
  const add = (field: string, expected: string, observed: string) => {
    if (expected !== observed) differences.push({ object: "Order", ourKey: desired.fulfilmentId, field, expected: expected || "nothing", observed: observed || "nothing" });
  };
  statuses.order = order.archived ? "Archived" : words(order.status);
  if (desired.isEnded) {
    const delivers = lineItems.filter((item) => !item.archived && DELIVERS.includes(item.status) && Date.parse(item.targetEndTime) > now.getTime());
    if (delivers.length > 0) add("delivery", "ended", `${delivers.length} line items may still deliver`);
    return;
  }
  add("advertiser", idOf(known.order?.snapshot.advertiserId ?? desired.advertiserExternalId ?? ""), idOf(order.advertiser));
  add("name", desired.name, order.displayName);
  add("purchase order", poNumber(desired.poNumber) ?? "", order.poNumber);
  add("state", "not archived", order.archived ? "archived" : "not archived");
  if (desired.lines.some(({ isCanceled, isHeld }) => !isCanceled && !isHeld) && order.status !== "PAUSED") add("approval", "Approved", words(order.status));
}

function compareLine(seen: Seen, order: RemoteOrder, line: DesiredLine): void {
  const { desired, known, differences, statuses } = seen;
  const ownKey = toWireId("package", line.packageId);
  const written = known.lineItems.get(line.packageId);
  const remote = seen.lineItems.find((item) => (written ? idOf(item.name) === written.externalId : item.externalLineItemId === ownKey));
  const add: Add = (field, expected, observed, ourKey = line.packageId) => differences.push({ object: `Line item “${line.productName}”`, ourKey, field, expected, observed });
  const isGone = desired.isEnded || line.isCanceled;
  if (!remote) {
    if (!isGone && (written || !line.isHeld)) add("existence", "exists", written ? "gone from the ad server" : "was never created");
    return;
  }
  statuses[line.packageId] = remote.archived ? "Archived" : `${words(remote.status)}${remote.missingCreatives ? ", needs creatives" : ""}`;
  if (isGone) {
    if (!desired.isEnded && !remote.archived) add("state", "archived", words(remote.status));
    return;
  }
  if (remote.archived) {
    add("state", "not archived", "archived");
    return;
  }
  const { fields } = toLineItem(line, desired.timeZone);
  if (fields) for (const { field, expected, observed } of compareLineItem(remote, fields, desired.timeZone)) add(field, expected, observed);
  compareStart(seen, line, remote, add);
  comparePause(seen, order, line, remote, add);
  compareCreatives(seen, line, remote, add);
}

/** `ourKey` names the external object that has to be written again, if it is not the line item itself. */
type Add = (field: string, expected: string, observed: string, ourKey?: string) => void;

/** A start later than sold is right when that is what we wrote, and cannot be moved any more once it has begun. */
function compareStart({ desired, known, now }: Seen, line: DesiredLine, remote: RemoteLineItem, add: Add): void {
  const expected = known.lineItems.get(line.packageId)?.snapshot.startTime ?? line.startsAt;
  const hasBegun = Date.parse(remote.startTime) <= now.getTime();
  if (isSameInstant(remote.startTime, expected) || (hasBegun && Date.parse(remote.startTime) >= Date.parse(line.startsAt))) return;
  add("start", formatDateTime(new Date(expected), desired.timeZone), formatDateTime(new Date(remote.startTime), desired.timeZone));
}

function comparePause({ desired, now }: Seen, order: RemoteOrder, line: DesiredLine, remote: RemoteLineItem, add: Add): void {
  const mustPause = desired.isPaused || line.isPaused || line.isHeld;
  const isPaused = PAUSED.includes(remote.status) || order.status === "PAUSED";
  if (mustPause && DELIVERS.includes(remote.status) && Date.parse(remote.targetEndTime) > now.getTime()) add("state", "paused", words(remote.status));
  if (!mustPause && isPaused) add("state", "running", words(remote.status));
  if (!mustPause && ["DRAFT", "PENDING_APPROVAL", "DISAPPROVED", "CANCELED"].includes(remote.status)) add("state", "approved", words(remote.status));
}

function compareCreatives({ known, associations }: Seen, line: DesiredLine, remote: RemoteLineItem, add: Add): void {
  const lineItemId = idOf(remote.name);
  const expected = new Set<string>();
  for (const creative of line.creatives) {
    const ourKey = associationKey(line.packageId, creative.creativeId);
    const id = known.associations.get(ourKey)?.externalId;
    if (id !== undefined) expected.add(id);
    const status = id === undefined ? undefined : associations.get(id)?.status;
    if (status !== "ACTIVE") add("creative", `“${titleOf(creative)}” serves`, status === undefined ? "not assigned" : "assignment is inactive", ourKey);
  }
  for (const association of associations.values()) {
    if (idOf(association.lineItem) !== lineItemId || association.status !== "ACTIVE" || expected.has(associationId(association))) continue;
    add("creative", "none but ours", `creative ${idOf(association.creative)} serves too`);
  }
}

function compareCount({ desired, lineItems, differences, known }: Seen): void {
  if (desired.isEnded) return;
  const own = new Set([...desired.lines.map(({ packageId }) => toWireId("package", packageId)), ""]);
  const ids = new Set([...known.lineItems.values()].map(({ externalId }) => externalId));
  const foreign = lineItems.filter((item) => !item.archived && !ids.has(idOf(item.name)) && (item.externalLineItemId === "" || !own.has(item.externalLineItemId)));
  const doubled = lineItems.filter((item) => !item.archived && !ids.has(idOf(item.name)) && item.externalLineItemId !== "" && own.has(item.externalLineItemId)
    && lineItems.some((other) => other !== item && other.externalLineItemId === item.externalLineItemId));
  for (const item of [...foreign, ...doubled]) {
    differences.push({ object: "Order", ourKey: desired.fulfilmentId, field: "line items", expected: `${desired.lines.length} of ours`, observed: `also line item ${idOf(item.name)} “${item.displayName}”` });
  }
}

/** "PAUSED_INVENTORY_RELEASED" → "Paused inventory released". */
function words(status: string): string {
  const text = status.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
