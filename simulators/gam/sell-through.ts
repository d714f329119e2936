import { ApiError, invalidField } from "./errors";
import { flagOf, numberOf, objectOf, objectsOf, textOf, textsOf, type Json, type JsonObject } from "./json";
import { idIn } from "./delivery";
import { reservesInventory } from "./resources/forecast";
import type { NetworkState } from "./store";
import type { Row } from "./table";

/**
 * What the inventory will see: each ad unit without children has the same traffic every working day, less at weekends, and line items that reserve
 * take their share of it evenly over their flight.
 */
const DAY_MS = 86_400_000;
const WEEKEND_SHARE = 0.8;

export interface SellThrough {
  forecasted: number;
  reserved: number;
}

/** Of the ad units that every filter lets through, on the day that begins at this instant. */
export function sellThroughOn(network: NetworkState, leaves: ReadonlySet<string>, from: number, day: number): SellThrough {
  const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
  const forecasted = [...leaves].reduce((sum, name) => sum + Math.floor(trafficOf(name) * (isWeekend ? WEEKEND_SHARE : 1)), 0);
  const reserved = [...network.tables.lineItems.all()].reduce((sum, row) => sum + reservedOn(network, row, leaves, from), 0);
  return { forecasted, reserved: Math.min(forecasted, Math.floor(reserved)) };
}

function trafficOf(adUnit: string): number {
  return 20_000 + Number(BigInt(idIn(adUnit)) % 97n) * 500;
}

function reservedOn(network: NetworkState, row: Row, leaves: ReadonlySet<string>, from: number): number {
  const item = row.resource;
  if (!reservesInventory(row) || flagOf(item, "archived")) return 0;
  const goal = objectOf(item, "goal") ?? {};
  if (textOf(goal, "goalType") !== "LIFETIME") return 0;
  const order = network.tables.orders.get(textOf(item, "order") ?? "");
  if (!order || textOf(order.resource, "status") !== "APPROVED") return 0;
  const [start, end] = [Date.parse(textOf(item, "startTime") ?? ""), Date.parse(textOf(item, "targetEndTime") ?? "")];
  const overlap = Math.max(0, Math.min(end, from + DAY_MS) - Math.max(start, from));
  if (!(overlap > 0)) return 0;
  const targeted = targetedLeaves(network, item);
  const inside = [...targeted].filter((name) => leaves.has(name)).length;
  if (inside === 0) return 0;
  return (Number(textOf(goal, "units") ?? 0) * overlap * inside) / ((end - start) * targeted.size);
}

function targetedLeaves(network: NetworkState, item: JsonObject): Set<string> {
  const inventory = objectOf(objectOf(item, "targeting") ?? {}, "inventoryTargeting") ?? {};
  const units = objectsOf(inventory, "targetedAdUnits").flatMap((unit) => leavesUnder(network, textOf(unit, "adUnit") ?? "", unit["includeDescendants"] !== false));
  return new Set([...units, ...textsOf(inventory, "targetedPlacements").flatMap((name) => placementLeaves(network, name))]);
}

/** The ad units without children that are this one, or below it. */
function leavesUnder(network: NetworkState, name: string, isDeep: boolean): string[] {
  return leafRows(network).filter(({ name: leaf, resource }) => leaf === name || (isDeep && objectsOf(resource, "parentPath").some((parent) => textOf(parent, "parentAdUnit") === name))).map((row) => row.name);
}

function placementLeaves(network: NetworkState, name: string): string[] {
  const placement = network.tables.placements.get(name);
  return placement ? textsOf(placement.resource, "targetedAdUnits").flatMap((unit) => leavesUnder(network, unit, true)) : [];
}

function leafRows(network: NetworkState): Row[] {
  return [...network.tables.adUnits.all()].filter(({ resource }) => !flagOf(resource, "hasChildren"));
}

/** The ad units that the filters of a sell-through report let through. */
export function filteredLeaves(network: NetworkState, definition: JsonObject): Set<string> {
  const all = new Set(leafRows(network).map(({ name }) => name));
  return objectsOf(definition, "filters").reduce((left, filter) => intersect(left, passing(network, filter, all)), all);
}

function passing(network: NetworkState, filter: JsonObject, all: Set<string>): Set<string> {
  const inner = (key: string) => objectsOf(objectOf(filter, key) ?? {}, "filters").map((one) => passing(network, one, all));
  if (objectOf(filter, "andFilter")) return inner("andFilter").reduce(intersect, all);
  if (objectOf(filter, "orFilter")) return new Set(inner("orFilter").flatMap((set) => [...set]));
  const field = objectOf(filter, "fieldFilter");
  if (!field || textOf(field, "operation") !== "IN") throw invalidField("report.reportDefinition.filters", "This simulator filters by IN only.");
  const ids = objectsOf(field, "values").flatMap((value): Json[] => [textOf(value, "intValue") ?? numberOf(value, "intValue") ?? "", ...textsOf(objectOf(value, "intListValue") ?? {}, "values")]).map(String);
  const unit = (id: string) => `networks/${network.code}/adUnits/${id}`;
  switch (textOf(objectOf(field, "field") ?? {}, "dimension")) {
    case "AD_UNIT_ID": return new Set(ids.flatMap((id) => leavesUnder(network, unit(id), false)));
    case "AD_UNIT_ID_ALL_LEVEL": return new Set(ids.flatMap((id) => leavesUnder(network, unit(id), true)));
    case "PLACEMENT_ID": case "PLACEMENT_ID_ALL": return new Set(ids.flatMap((id) => placementLeaves(network, `networks/${network.code}/placements/${id}`)));
    default: throw new ApiError("INVALID_ARGUMENT", "This simulator filters sell-through by ad units and placements only.");
  }
}

function intersect(a: Set<string>, b: Set<string>): Set<string> {
  return new Set([...a].filter((name) => b.has(name)));
}
