import { flagOf, numberOf, objectOf, textOf, textsOf, type JsonObject } from "./json";
import { lineItemsOf } from "./resources/orders";
import { renderLineItem } from "./resources/line-item-status";
import { moneyMicros } from "./scalars";
import type { NetworkState, Transaction } from "./store";
import type { Row } from "./table";

/**
 * What line items deliver: evenly over their flight, while they were able to. Only the spans of that are kept; figures follow from them, so
 * that they are the same however often one asks. A later change of goal or end restates earlier days, as real corrections do.
 */
export interface Delivered {
  impressions: number;
  clicks: number;
  completedViews: number;
  revenueMicros: bigint;
}

const CLICK_RATE = 0.002;
const COMPLETION_RATE = 0.7;
/** A day of a line item without a goal in units. */
const SPONSORSHIP_IMPRESSIONS_A_DAY = 40_000;
const DAY_MS = 86_400_000;

/** Whether it delivers whenever its flight runs. */
function canDeliver(network: NetworkState, row: Row, now: Date): boolean {
  if (flagOf(row.resource, "archived")) return false;
  const status = textOf(renderLineItem(network, row, now), "status");
  return status === "READY" || status === "DELIVERING";
}

/** Opens and closes the spans of the line items that a request touched. */
export function trackDelivery(network: NetworkState, transaction: Transaction, now: Date): void {
  const touched = new Set<string>();
  for (const [collection, row] of transaction.written) {
    if (collection === "lineItems") touched.add(row.name);
    if (collection === "orders") for (const item of lineItemsOf(network, row.name)) touched.add(item.name);
    if (collection === "associations") touched.add(textOf(row.resource, "lineItem") ?? "");
    if (collection === "creatives") for (const { resource } of network.tables.associations.findBy("creative", row.name)) touched.add(textOf(resource, "lineItem") ?? "");
  }
  for (const name of touched) {
    const row = network.tables.lineItems.get(name);
    if (!row) continue;
    const spans = row.hidden.deliveringSpans ?? [];
    const open = spans.find(({ to }) => to === undefined);
    const isAble = canDeliver(network, row, now);
    if (isAble === (open !== undefined)) continue;
    const changed = isAble ? [...spans, { from: now.getTime() }] : spans.map((span) => (span === open ? { ...span, to: now.getTime() } : span));
    transaction.put("lineItems", { ...row, hidden: { ...row.hidden, deliveringSpans: changed } });
  }
}

/** Milliseconds of its flight in which it was able to deliver, up to this instant. */
function activeMs(row: Row, until: number): number {
  const start = Date.parse(textOf(row.resource, "startTime") ?? "");
  const end = Math.min(until, Date.parse(textOf(row.resource, "targetEndTime") ?? "") || until);
  return (row.hidden.deliveringSpans ?? []).reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to ?? end, end) - Math.max(from, start)), 0);
}

function deliveredUntil(row: Row, until: number): Delivered {
  const item = row.resource;
  const active = activeMs(row, until);
  const flight = Math.max(1, Date.parse(textOf(item, "targetEndTime") ?? "") - Date.parse(textOf(item, "startTime") ?? ""));
  const goal = objectOf(item, "goal") ?? {};
  const isLifetime = textOf(goal, "goalType") === "LIFETIME";
  const isClicks = textOf(goal, "unitType") === "CLICKS";
  const units = Math.floor((Number(textOf(goal, "units") ?? numberOf(goal, "units") ?? 0) * active) / flight);
  const impressions = !isLifetime ? Math.floor((SPONSORSHIP_IMPRESSIONS_A_DAY * active) / DAY_MS) : isClicks ? Math.floor(units / CLICK_RATE) : units;
  const clicks = isLifetime && isClicks ? units : Math.floor(impressions * CLICK_RATE);
  const completedViews = textOf(item, "environmentType") === "VIDEO_PLAYER" ? Math.floor(impressions * COMPLETION_RATE) : 0;
  return { impressions, clicks, completedViews, revenueMicros: revenueOf(item, impressions, clicks, active) };
}

function revenueOf(item: JsonObject, impressions: number, clicks: number, active: number): bigint {
  const rate = objectOf(item, "rate");
  const micros = rate ? moneyMicros(rate) : 0n;
  switch (textOf(item, "costType")) {
    case "CPC": return micros * BigInt(clicks);
    case "CPD": return (micros * BigInt(active)) / BigInt(DAY_MS);
    default: return (micros * BigInt(impressions)) / 1000n;
  }
}

/** What it delivered between two instants: differences of running totals, so that days add up exactly. */
export function deliveredBetween(row: Row, from: number, to: number): Delivered {
  const [before, after] = [deliveredUntil(row, from), deliveredUntil(row, to)];
  return {
    impressions: after.impressions - before.impressions, clicks: after.clicks - before.clicks,
    completedViews: after.completedViews - before.completedViews, revenueMicros: after.revenueMicros - before.revenueMicros,
  };
}

/** The active creatives of a line item, which share its delivery. */
export function servingCreatives(network: NetworkState, row: Row): string[] {
  return network.tables.associations.findBy("lineItem", row.name).filter(({ resource }) => resource["status"] === "ACTIVE").map(({ resource }) => idIn(textOf(resource, "creative") ?? ""));
}

/** Geo targets of countries are 2000 + the ISO numeric code. */
const COUNTRIES: ReadonlyMap<string, { code: string; name: string }> = new Map([
  ["2840", { code: "US", name: "United States" }], ["2124", { code: "CA", name: "Canada" }], ["2826", { code: "GB", name: "United Kingdom" }], ["2276", { code: "DE", name: "Germany" }],
  ["2250", { code: "FR", name: "France" }], ["2484", { code: "MX", name: "Mexico" }],
]);
const EVERYWHERE = ["2840", "2124", "2826"];

/** Where its impressions are seen: where it is targeted to, as far as the simulator knows the country. */
export function countriesOf(row: Row): { code: string; name: string }[] {
  const targeted = textsOf(objectOf(objectOf(row.resource, "targeting") ?? {}, "geoTargeting") ?? {}, "targetedGeos").map(idIn);
  const known = (targeted.length > 0 ? targeted : EVERYWHERE).flatMap((id) => COUNTRIES.get(id) ?? []);
  return known.length > 0 ? known : [{ code: "ZZ", name: "Unknown" }];
}

export function idIn(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** A whole as parts that add up to it. */
export function share(delivered: Delivered, index: number, count: number): Delivered {
  const part = (amount: number) => Math.floor((amount * (index + 1)) / count) - Math.floor((amount * index) / count);
  const parts = BigInt(count);
  return {
    impressions: part(delivered.impressions), clicks: part(delivered.clicks), completedViews: part(delivered.completedViews),
    revenueMicros: (delivered.revenueMicros * BigInt(index + 1)) / parts - (delivered.revenueMicros * BigInt(index)) / parts,
  };
}

