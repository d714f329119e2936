import { z } from "zod";
import { type OperationResult } from "../../types";
import { RETRY_CHOICES } from "../choices";
import { type GamClient } from "../client";
import { type Payload } from "../operations";
import { companySchema, idOf, orderSchema, userSchema, type RemoteOrder } from "../resources";
import { type OrderSnapshot } from "../snapshots";
import { findAdvertiser, findOrders, lookUp, resolveAdvertiser } from "./lookup";
import { archivedThere, blocked, done, unexpectedAnswer } from "./results";

const companiesAnswer = z.object({ companies: z.array(companySchema).default([]) });
const ordersAnswer = z.object({ orders: z.array(orderSchema).default([]) });

export async function createAdvertiser(client: GamClient, { name }: Payload<"create-advertiser">): Promise<OperationResult> {
  const found = await lookUp(client, () => findAdvertiser(client, name), (id) => id !== undefined);
  const id = found ?? await postAdvertiser(client, name);
  const result = done(client, [], found === undefined ? undefined : "An advertiser of this name exists: it is used.");
  return result.outcome === "done" ? { ...result, externalIds: { advertiser: id } } : result;
}

async function postAdvertiser(client: GamClient, displayName: string): Promise<string> {
  const company = { displayName, type: "ADVERTISER" };
  const { companies } = await client.post(`${client.network}/companies:batchCreate`, { requests: [{ parent: client.network, company }] }, companiesAnswer);
  const [created] = companies;
  if (!created || companies.length > 1 || created.displayName !== displayName) throw unexpectedAnswer(client, "the advertiser");
  return idOf(created.name);
}

export async function createOrder(client: GamClient, { ourKey, order: ref, snapshot }: Payload<"create-order">): Promise<OperationResult> {
  const advertiserId = await resolveAdvertiser(client, ref.advertiser);
  const isOwn = (order: RemoteOrder) => order.displayName.includes(ref.suffix);
  const orders = await lookUp(client, () => findOrders(client, ref), (found) => found.some(isOwn));
  const own = orders.find(isOwn);
  const foreign = orders.find((order) => idOf(order.advertiser) === advertiserId && !isOwn(order));
  if (!own && foreign) {
    const reason = `Google Ad Manager already has order ${idOf(foreign.name)} (“${foreign.displayName}”) under our number ${ref.externalOrderNumber}, and its name does not carry our suffix ${ref.suffix}. Give it another external id there, or put the suffix back into its name if it is this order.`;
    return blocked(client, "foreign_order", reason, RETRY_CHOICES);
  }
  const order = own ? await adoptOrder(client, own, snapshot) : await postOrder(client, ref.externalOrderNumber, advertiserId, snapshot);
  const applied: OrderSnapshot = { ...snapshot, advertiserId: idOf(order.advertiser) };
  return done(client, [{ kind: "order", ourKey, externalId: idOf(order.name), applied }], own && "The order existed already: it is used.");
}

/** An earlier attempt created it, perhaps under an older name. */
async function adoptOrder(client: GamClient, order: RemoteOrder, { displayName, poNumber }: OrderSnapshot): Promise<RemoteOrder> {
  if (order.archived) throw archivedThere("The order");
  if (order.displayName === displayName && order.poNumber === (poNumber ?? "")) return order;
  return patchOrder(client, order.name, { displayName, poNumber }, ["displayName", "poNumber"]);
}

async function postOrder(client: GamClient, externalOrderId: number, advertiserId: string, { displayName, poNumber }: OrderSnapshot): Promise<RemoteOrder> {
  const order = {
    displayName, advertiser: client.name("companies", advertiserId), trafficker: await findTrafficker(client), externalOrderId, ...(poNumber === null ? {} : { poNumber }),
  };
  const { orders } = await client.post(`${client.network}/orders:batchCreate`, { requests: [{ parent: client.network, order }] }, ordersAnswer);
  const [created] = orders;
  if (!created || orders.length > 1 || created.externalOrderId !== externalOrderId || created.displayName !== displayName) throw unexpectedAnswer(client, "the order");
  return created;
}

async function findTrafficker(client: GamClient): Promise<string> {
  const { traffickerId } = client.connection;
  if (traffickerId !== undefined) return client.name("users", traffickerId);
  return (await client.get(`${client.network}/users/me`, userSchema)).name;
}

async function patchOrder(client: GamClient, name: string, { displayName, poNumber }: Pick<Partial<OrderSnapshot>, "displayName" | "poNumber">, changed: string[]): Promise<RemoteOrder> {
  // A field that the mask names and the body lacks is cleared.
  const order = { name, ...(changed.includes("displayName") ? { displayName } : {}), ...(changed.includes("poNumber") && poNumber ? { poNumber } : {}) };
  const { orders } = await client.post(`${client.network}/orders:batchUpdate`, { requests: [{ order, updateMask: changed.join(",") }] }, ordersAnswer);
  const [updated] = orders;
  if (!updated || updated.name !== name) throw unexpectedAnswer(client, "the order");
  return updated;
}

export async function updateOrder(client: GamClient, { ourKey, orderId, changed, snapshot }: Payload<"update-order">): Promise<OperationResult> {
  const order = await patchOrder(client, client.name("orders", orderId), snapshot, changed);
  return done(client, [{ kind: "order", ourKey, externalId: orderId, applied: { ...snapshot, advertiserId: snapshot.advertiserId ?? idOf(order.advertiser) } }]);
}
