import { parentOf, type Call, type Handler } from "./call";
import { associationActions, associationKind, associationName, acceptsParent, lineItemParent, withinLineItem } from "./resources/associations";
import { companyKind } from "./resources/companies";
import { batchCreate, batchUpdate, createSingle, getByPath, listAll, patchByPath } from "./resources/crud";
import { creativeActions, creativeKind } from "./resources/creatives";
import { adUnitKind, customTargetingKeyKind, customTargetingValueKind, placementKind } from "./resources/inventory";
import type { ResourceKind } from "./resources/kind";
import { lineItemActions } from "./resources/line-item-actions";
import { lineItemKind } from "./resources/line-items";
import { orderActions } from "./resources/order-actions";
import { orderKind } from "./resources/orders";
import { fetchReportRows, getReportOperation, reportKind, runReport } from "./resources/reports";
import { getUser } from "./resources/users";

export interface Route {
  handler: Handler;
  /** Query parameters beside the system ones. */
  parameters: readonly string[];
}

const listParameters = ["pageSize", "pageToken", "filter", "orderBy", "skip"];
const routes = new Map<string, Route>();

function add(route: string, handler: Handler, parameters: readonly string[] = []): void {
  routes.set(route, { handler, parameters });
}

function addReads(segment: string, kind: ResourceKind): void {
  add(`GET networks/*/${segment}/*`, getByPath(kind, pathName(segment)));
  add(`GET networks/*/${segment}`, listAll(kind), listParameters);
}

function addActions(path: string, actions: Readonly<Record<string, Handler>>): void {
  for (const [verb, handler] of Object.entries(actions)) add(`POST ${path}:${verb}`, handler);
}

function pathName(segment: string): (call: Call) => string {
  return (call) => `${parentOf(call)}/${segment}/${call.ids[0] ?? ""}`;
}

add("GET networks/*", (call) => call.network.resource);
add("GET networks/*/users/*", getUser);

addReads("companies", companyKind);
add("POST networks/*/companies", createSingle(companyKind));
add("POST networks/*/companies:batchCreate", batchCreate(companyKind));

addReads("adUnits", adUnitKind);
addReads("placements", placementKind);
addReads("customTargetingKeys", customTargetingKeyKind);
addReads("customTargetingValues", customTargetingValueKind);

addReads("orders", orderKind);
add("POST networks/*/orders:batchCreate", batchCreate(orderKind));
add("POST networks/*/orders:batchUpdate", batchUpdate(orderKind));
addActions("networks/*/orders", orderActions);

addReads("lineItems", lineItemKind);
add("POST networks/*/lineItems", createSingle(lineItemKind));
add("PATCH networks/*/lineItems/*", patchByPath(lineItemKind, pathName("lineItems")), ["updateMask"]);
add("POST networks/*/lineItems:batchCreate", batchCreate(lineItemKind));
add("POST networks/*/lineItems:batchUpdate", batchUpdate(lineItemKind));
addActions("networks/*/lineItems", lineItemActions);

addReads("creatives", creativeKind);
add("POST networks/*/creatives", createSingle(creativeKind));
add("PATCH networks/*/creatives/*", patchByPath(creativeKind, pathName("creatives")), ["updateMask"]);
add("POST networks/*/creatives:batchCreate", batchCreate(creativeKind));
add("POST networks/*/creatives:batchUpdate", batchUpdate(creativeKind));
addActions("networks/*/creatives", creativeActions);

const associations = "networks/*/lineItems/*/creatives";
add(`GET ${associations}/*`, getByPath(associationKind, associationName));
add(`GET ${associations}`, listAll(associationKind, withinLineItem), listParameters);
add(`POST ${associations}`, createSingle(associationKind));
add(`PATCH ${associations}/*`, patchByPath(associationKind, associationName), ["updateMask"]);
add(`POST ${associations}:batchCreate`, batchCreate(associationKind, { name: lineItemParent, accepts: acceptsParent }));
add(`POST ${associations}:batchUpdate`, batchUpdate(associationKind, lineItemParent));
addActions(associations, associationActions);

addReads("reports", reportKind);
add("POST networks/*/reports", createSingle(reportKind));
add("PATCH networks/*/reports/*", patchByPath(reportKind, pathName("reports")), ["updateMask"]);
add("POST networks/*/reports/*", runReport);
add("GET networks/*/operations/*/runs/*", getReportOperation);
add("GET networks/*/reports/*/results/*", fetchReportRows, ["pageSize", "pageToken"]);

export interface RouteMatch {
  route: Route;
  network: string;
  ids: string[];
}

/** Every second segment of a path below `/v1` is a variable. */
export function matchRoute(method: string, path: string): RouteMatch | undefined {
  const segments = path.split("/").slice(2);
  const key = segments.map((segment, index) => (index % 2 === 1 ? "*" : segment)).join("/");
  const route = routes.get(`${method} ${key}`);
  const [network = "", ...ids] = segments.filter((_, index) => index % 2 === 1);
  return route && { route, network, ids };
}
