import { setTimeout as sleep } from "node:timers/promises";
import { AdServerError } from "../../types";
import { type GamClient } from "../client";
import { type AdvertiserRef, type LineItemRef, type NewCreative, type OrderRef } from "../operations";
import { chunk } from "../planning";
import {
  associationSchema, companySchema, creativeSchema, idOf, lineItemSchema, orderSchema, type RemoteAssociation, type RemoteCreative, type RemoteLineItem, type RemoteOrder,
} from "../resources";
import { isSameSize } from "../wire";

/** Finding by natural key what may exist already. No request id and no unique name exist in Ad Manager: this is what keeps each thing single. */

/** Filters grow with what is looked for; a URL holds about 8,000 characters. */
const FILTER_TERMS_MAX = 25;

export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Looks once on the first attempt. On a later one the effect of an earlier create may not be listed yet: what is missing is looked
 * for again after a pause, before anybody creates it.
 */
export async function lookUp<T>(client: GamClient, find: () => Promise<T>, isComplete: (found: T) => boolean): Promise<T> {
  const found = await find();
  if (client.attempts <= 1 || isComplete(found)) return found;
  await sleep(client.lookUpPauseMs, undefined, { signal: client.call.signal });
  return find();
}

export async function findAdvertiser(client: GamClient, name: string): Promise<string | undefined> {
  const companies = await client.list({ path: `${client.network}/companies`, key: "companies", schema: companySchema, filter: `displayName = ${quote(name)} AND type = "ADVERTISER"` });
  return companies.map((company) => idOf(company.name)).sort(byId)[0];
}

/** Id of the advertiser that the order is for. */
export async function resolveAdvertiser(client: GamClient, { id, name }: AdvertiserRef): Promise<string> {
  if (id !== null) return idOf(id);
  const found = name === null ? undefined : await findAdvertiser(client, name);
  if (found === undefined) throw notVisibleYet(`the advertiser “${name ?? ""}”`);
  return found;
}

/**
 * Orders under our number, ours or not. Of any advertiser: the account's advertiser may have been changed after a first attempt
 * whose answer was lost.
 */
export async function findOrders(client: GamClient, { externalOrderNumber }: OrderRef): Promise<RemoteOrder[]> {
  const orders = await client.list({ path: `${client.network}/orders`, key: "orders", schema: orderSchema, filter: `externalOrderId = ${externalOrderNumber}` });
  return orders.sort((a, b) => byId(idOf(a.name), idOf(b.name)));
}

/** The order's id; looked up when an earlier operation of the same plan created it. */
export async function resolveOrder(client: GamClient, ref: OrderRef): Promise<string> {
  if (ref.orderId !== null) return ref.orderId;
  const own = (await findOrders(client, ref)).find((order) => order.displayName.includes(ref.suffix));
  if (!own) throw notVisibleYet("the order");
  return idOf(own.name);
}

/** Line items of an order by our key. */
export async function findLineItems(client: GamClient, orderId: string): Promise<Map<string, RemoteLineItem>> {
  const items = await listLineItems(client, orderId);
  // The oldest wins, should somebody have copied one in Ad Manager.
  return new Map(items.filter(({ externalLineItemId }) => externalLineItemId !== "").sort((a, b) => byId(idOf(b.name), idOf(a.name))).map((item) => [item.externalLineItemId, item]));
}

export function listLineItems(client: GamClient, orderId: string): Promise<RemoteLineItem[]> {
  return client.list({ path: `${client.network}/lineItems`, key: "lineItems", schema: lineItemSchema, filter: `order = ${quote(client.name("orders", orderId))}` });
}

/** The line items of these packages, all of them: one that cannot be found is not guessed at. */
export async function resolveLineItems(client: GamClient, order: OrderRef, refs: LineItemRef[]): Promise<Map<string, RemoteLineItem>> {
  const found = await findLineItems(client, await resolveOrder(client, order));
  for (const { externalLineItemId } of refs) if (!found.has(externalLineItemId)) throw notVisibleYet(`line item ${externalLineItemId}`);
  return found;
}

/** Creatives by the suffix of their name; several of one suffix differ in size. */
export async function findCreatives(client: GamClient, advertiserId: string, wanted: { suffix: string }[]): Promise<RemoteCreative[]> {
  const creatives: RemoteCreative[] = [];
  for (const part of chunk(wanted, FILTER_TERMS_MAX)) {
    const names = part.map(({ suffix }) => `displayName = ${quote(`*${suffix}`)}`).join(" OR ");
    creatives.push(...await client.list({ path: `${client.network}/creatives`, key: "creatives", schema: creativeSchema, filter: `advertiser = ${quote(client.name("companies", advertiserId))} AND (${names})` }));
  }
  return creatives.sort((a, b) => byId(idOf(a.name), idOf(b.name)));
}

type CreativeKey = Pick<NewCreative["fields"], "size" | "type"> & { suffix: string };

/** The oldest of this suffix, size and kind; one of another size or kind was replaced, for those cannot change. */
export function matchCreative(creatives: RemoteCreative[], { suffix, size, type }: CreativeKey): RemoteCreative | undefined {
  return creatives.find((creative) => creative.displayName.endsWith(suffix) && creative[type] !== undefined && isSameSize(size, creative.size));
}

export async function findAssociations(client: GamClient, lineItemIds: string[]): Promise<Map<string, RemoteAssociation>> {
  const found = new Map<string, RemoteAssociation>();
  for (const part of chunk([...new Set(lineItemIds)], FILTER_TERMS_MAX)) {
    const filter = part.map((id) => `lineItem = ${quote(client.name("lineItems", id))}`).join(" OR ");
    const rows = await client.list({ path: `${client.network}/lineItems/-/creatives`, key: "lineItemCreativeAssociations", schema: associationSchema, filter });
    for (const row of rows) found.set(associationId(row), row);
  }
  return found;
}

/** `<line item>/<creative>`, the natural key. */
export function associationId({ lineItem, creative }: Pick<RemoteAssociation, "lineItem" | "creative">): string {
  return `${idOf(lineItem)}/${idOf(creative)}`;
}

export function associationName(client: GamClient, id: string): string {
  const [lineItem = "", creative = ""] = id.split("/");
  return `${client.name("lineItems", lineItem)}/creatives/${creative}`;
}

/** Ids grow with time. */
function byId(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/** What an earlier operation created is not listed yet. Nothing was written: look again later. */
export function notVisibleYet(what: string): AdServerError {
  return new AdServerError("not_visible_yet", `Google Ad Manager does not list ${what} yet.`, { isPermanent: false, isAmbiguous: false, retryAfterMs: 2_000 });
}
