import { z } from "zod";
import { type AppliedObject, type OperationResult } from "../../types";
import { RETRY_CHOICES } from "../choices";
import { type GamClient } from "../client";
import { compareLineItem } from "../compare";
import { toSeconds, type LineItemFields } from "../line-items";
import { type InventoryFlags, type NewLineItem, type Payload } from "../operations";
import { START_MARGIN_MS } from "../plan-new";
import { idOf, lineItemSchema, type RemoteLineItem } from "../resources";
import { type LineItemSnapshot } from "../snapshots";
import { flagsToWire, lineItemToWire, MASK } from "../wire";
import { findLineItems, lookUp, resolveOrder } from "./lookup";
import { archivedThere, blocked, done, unexpectedAnswer, withForecast } from "./results";

const lineItemsAnswer = z.object({ lineItems: z.array(lineItemSchema).default([]) });

export async function createLineItems(client: GamClient, { order, flags, items }: Payload<"create-line-items">): Promise<OperationResult> {
  const orderId = await resolveOrder(client, order);
  const found = await lookUp(client, () => findLineItems(client, orderId), (existing) => items.every(({ ref }) => existing.has(ref.externalLineItemId)));
  const existing = items.flatMap((item) => {
    const remote = found.get(item.ref.externalLineItemId);
    return remote ? [{ item, remote }] : [];
  });
  const missing = items.filter(({ ref }) => !found.has(ref.externalLineItemId)).map((item) => ({ item, startTime: futureStart(client, item.startsAt) }));
  const late = missing.find(({ item, startTime }) => Date.parse(startTime) >= Date.parse(item.fields.targetEndTime));
  if (late) return blocked(client, "flight_ended", `The flight of “${late.item.fields.displayName}” is over before it could be booked.`, RETRY_CHOICES);

  await alignExisting(client, existing, flags);
  const created = missing.length === 0 ? new Map<string, RemoteLineItem>() : await postLineItems(client, orderId, missing, flags);
  const objects = items.map((item): AppliedObject => {
    const remote = found.get(item.ref.externalLineItemId) ?? created.get(item.ref.externalLineItemId);
    if (!remote) throw unexpectedAnswer(client, `line item “${item.fields.displayName}”`);
    const applied: LineItemSnapshot = { fields: item.fields, startsAt: item.startsAt, startTime: remote.startTime, isPaused: false, isArchived: false };
    return { kind: "line_item", ourKey: item.ref.packageId, externalId: idOf(remote.name), applied };
  });
  return done(client, objects, existing.length === 0 ? undefined : `${existing.length} of ${items.length} existed already.`);
}

/** What we sold, or the next moment that the API takes: a start must lie in the future when it arrives. */
function futureStart(client: GamClient, startsAt: string): string {
  const earliest = Math.ceil((client.call.now().getTime() + START_MARGIN_MS) / 1000) * 1000;
  return toSeconds(new Date(Math.max(Date.parse(startsAt), earliest)));
}

async function postLineItems(client: GamClient, orderId: string, items: { item: NewLineItem; startTime: string }[], flags: InventoryFlags): Promise<Map<string, RemoteLineItem>> {
  const requests = items.map(({ item, startTime }) => ({
    parent: client.network,
    lineItem: {
      order: client.name("orders", orderId), externalLineItemId: item.ref.externalLineItemId, startTime, ...lineItemToWire(client.network, item.fields), ...flagsToWire(flags),
    },
  }));
  const { lineItems } = await client.post(`${client.network}/lineItems:batchCreate`, { requests }, lineItemsAnswer);
  const created = new Map(lineItems.map((item) => [item.externalLineItemId, item]));
  // A batch answers only with what it created.
  if (lineItems.length !== items.length || items.some(({ item }) => !created.has(item.ref.externalLineItemId))) throw unexpectedAnswer(client, `all ${items.length} line items`);
  return created;
}

/** Line items of an earlier attempt, made with older values perhaps. */
async function alignExisting(client: GamClient, existing: { item: NewLineItem; remote: RemoteLineItem }[], flags: InventoryFlags): Promise<void> {
  const archived = existing.find(({ remote }) => remote.archived);
  if (archived) throw archivedThere(`Line item “${archived.item.fields.displayName}”`);
  const updates = existing.flatMap(({ item, remote }) => {
    const changed = compareLineItem(remote, item.fields, "UTC").map(({ key }) => key);
    return changed.length === 0 ? [] : [{ id: idOf(remote.name), fields: item.fields, changed, mask: changed.map((key) => MASK[key]) }];
  });
  if (updates.length > 0) await patchLineItems(client, updates, flags);
}

type Patch = { id: string; fields: LineItemFields; changed: (keyof LineItemFields)[]; mask: string[]; startTime?: string };

async function patchLineItems(client: GamClient, patches: Patch[], flags: InventoryFlags): Promise<Map<string, RemoteLineItem>> {
  const extra = flagsToWire(flags);
  const requests = patches.map(({ id, fields, changed, mask, startTime }) => ({
    lineItem: { name: client.name("lineItems", id), ...lineItemToWire(client.network, fields, changed), ...(startTime === undefined ? {} : { startTime }), ...extra },
    updateMask: [...new Set([...mask, ...(startTime === undefined ? [] : ["startTime"]), ...Object.keys(extra)])].join(","),
  }));
  const { lineItems } = await client.post(`${client.network}/lineItems:batchUpdate`, { requests }, lineItemsAnswer);
  const updated = new Map(lineItems.map((item) => [idOf(item.name), item]));
  if (patches.some(({ id }) => !updated.has(id))) throw unexpectedAnswer(client, `all ${patches.length} line items`);
  return updated;
}

export function updateLineItems(client: GamClient, { flags, items }: Payload<"update-line-items">): Promise<OperationResult> {
  return withForecast(client, async () => {
    const patches = items.map(({ ref, changed, mask, isStartChanged, snapshot }): Patch => ({
      id: ref.lineItemId ?? "", fields: snapshot.fields, changed, mask, ...(isStartChanged && snapshot.startsAt ? { startTime: futureStart(client, snapshot.startsAt) } : {}),
    }));
    const updated = await patchLineItems(client, patches, flags);
    return done(client, items.map(({ ref, snapshot }): AppliedObject => {
      const externalId = ref.lineItemId ?? "";
      return { kind: "line_item", ourKey: ref.packageId, externalId, applied: { ...snapshot, startTime: updated.get(externalId)?.startTime ?? snapshot.startTime ?? null } };
    }));
  });
}
