import { z } from "zod";
import { type AppliedObject, type OperationResult } from "../../types";
import { type GamClient } from "../client";
import { type LineItemState, type OrderRef, type Payload } from "../operations";
import { idOf, orderSchema, type RemoteLineItem } from "../resources";
import { listLineItems, notVisibleYet, resolveOrder } from "./lookup";
import { done, withForecast, withoutEffect } from "./results";

/** Pause, resume and archive are actions: status is output only. Each reads first, acts where it must, and reads again. */

const emptyAnswer = z.object({});

const DELIVERS: readonly string[] = ["DELIVERING", "READY", "DELIVERY_EXTENDED"];
const PAUSED: readonly string[] = ["PAUSED", "PAUSED_INVENTORY_RELEASED"];

type Found = { item: LineItemState; remote: RemoteLineItem };

async function read(client: GamClient, order: OrderRef, items: LineItemState[]): Promise<Found[]> {
  const remotes = await listLineItems(client, await resolveOrder(client, order));
  return items.map((item) => {
    const { lineItemId, externalLineItemId } = item.ref;
    const remote = remotes.find((candidate) => (lineItemId === null ? candidate.externalLineItemId === externalLineItemId : idOf(candidate.name) === lineItemId));
    if (!remote) throw notVisibleYet(`line item ${lineItemId ?? externalLineItemId}`);
    return { item, remote };
  });
}

async function act(client: GamClient, verb: string, lineItems: RemoteLineItem[]): Promise<void> {
  if (lineItems.length > 0) await client.post(`${client.network}/lineItems:${verb}`, { names: lineItems.map(({ name }) => name) }, emptyAnswer);
}

function finish(client: GamClient, found: Found[]): OperationResult {
  return done(client, found.map(({ item, remote }): AppliedObject => ({
    kind: "line_item", ourKey: item.ref.packageId, externalId: idOf(remote.name), applied: { ...item.snapshot, startTime: item.snapshot.startTime ?? remote.startTime },
  })));
}

/** What does not deliver (draft, ended, archived) needs no pause; without creatives it would deliver as soon as it gets one. */
export async function pauseLineItems(client: GamClient, { order, items }: Payload<"pause-line-items">): Promise<OperationResult> {
  const found = await read(client, order, items);
  const running = found.filter(({ item, remote }) => !remote.archived && (DELIVERS.includes(remote.status) || (item.isApproved && remote.status === "INACTIVE")));
  await act(client, "batchPause", running.map(({ remote }) => remote));
  if (running.length > 0) {
    const still = (await read(client, order, running.map(({ item }) => item))).find(({ remote }) => DELIVERS.includes(remote.status));
    if (still) throw withoutEffect(client, `line item “${still.remote.displayName}” is still ${still.remote.status}`);
  }
  return finish(client, found);
}

export function resumeLineItems(client: GamClient, { order, flags, items }: Payload<"resume-line-items">): Promise<OperationResult> {
  return withForecast(client, async () => {
    const found = await read(client, order, items);
    const paused = found.filter(({ remote }) => !remote.archived && PAUSED.includes(remote.status));
    await act(client, flags.allowOverbook || flags.skipInventoryCheck ? "batchResumeAndOverbook" : "batchResume", paused.map(({ remote }) => remote));
    if (paused.length > 0) {
      const still = (await read(client, order, paused.map(({ item }) => item))).find(({ remote }) => PAUSED.includes(remote.status));
      if (still) throw withoutEffect(client, `line item “${still.remote.displayName}” is still paused`);
    }
    return finish(client, found);
  });
}

export async function archiveLineItems(client: GamClient, { order, items }: Payload<"archive-line-items">): Promise<OperationResult> {
  const found = await read(client, order, items);
  const open = found.filter(({ remote }) => !remote.archived);
  await act(client, "batchArchive", open.map(({ remote }) => remote));
  if (open.length > 0) {
    const still = (await read(client, order, open.map(({ item }) => item))).find(({ remote }) => !remote.archived);
    if (still) throw withoutEffect(client, `line item “${still.remote.displayName}” is not archived`);
  }
  return finish(client, found);
}

/** Whatever else delivers in the order (an attempt whose answer was lost, a line item added by hand) is paused first. */
export async function archiveOrder(client: GamClient, { ourKey, orderId, snapshot }: Payload<"archive-order">): Promise<OperationResult> {
  const name = client.name("orders", orderId);
  const running = (await listLineItems(client, orderId)).filter(({ archived, status }) => !archived && DELIVERS.includes(status));
  for (let at = 0; at < running.length; at += 50) await act(client, "batchPause", running.slice(at, at + 50));
  const before = await client.get(name, orderSchema);
  if (!before.archived) {
    await client.post(`${client.network}/orders:batchArchive`, { names: [name] }, emptyAnswer);
    if (!(await client.get(name, orderSchema)).archived) throw withoutEffect(client, "the order is not archived");
  }
  return done(client, [{ kind: "order", ourKey, externalId: orderId, applied: snapshot }]);
}
