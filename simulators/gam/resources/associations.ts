import { parentOf, type Call, type Handler } from "../call";
import { ApiError, invalidField } from "../errors";
import { flagOf, objectOf, objectsOf, textOf, type JsonObject } from "../json";
import type { Row } from "../table";
import { batchAction } from "./actions";
import { resolveReference } from "./checks";
import { touch } from "./crud";
import { showStored, type WritableKind } from "./kind";
import { sizeKey } from "./line-item-status";

const MAX_NAMES = 1000;
const MAX_CREATIVES_PER_LINE_ITEM = 260;

export const associationKind: WritableKind = {
  collection: "associations",
  message: "LineItemCreativeAssociation",
  singular: "lineItemCreativeAssociation",
  plural: "lineItemCreativeAssociations",
  filterFields: [
    "creative", "creativeSet", "destinationUrl", "endTime", "lineItem", "manualCreativeRotationWeight", "name",
    "sequentialCreativeRotationIndex", "startTime", "status", "targetingDisplayName", "updateTime",
  ],
  render: showStored,
  build: (call, input, path) => {
    const parent = lineItemParent(call);
    const lineItem = textOf(input, "lineItem") ?? "";
    if (!parent.endsWith("/-") && lineItem !== parent) throw invalidField(`${path}.lineItem`, `lineItem must be '${parent}'.`);
    const item = resolveReference(call, "lineItems", lineItem, `${path}.lineItem`);
    const creative = checkAssociation(call, item, input, path);
    const name = `${lineItem}/creatives/${creative.name.slice(creative.name.lastIndexOf("/") + 1)}`;
    const siblings = call.network.tables.associations.findBy("lineItem", lineItem);
    if (siblings.some((row) => row.name === name)) {
      const description = `${name} exists already.`;
      throw new ApiError("ALREADY_EXISTS", description, {
        violations: [{ field: path, description, reason: "LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_ALREADY_EXISTS" }],
      });
    }
    if (siblings.length >= MAX_CREATIVES_PER_LINE_ITEM) {
      throw invalidField(path, `A line item has at most ${MAX_CREATIVES_PER_LINE_ITEM} creatives.`, "LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_TOO_MANY_CREATIVES");
    }
    return { name, resource: { manualCreativeRotationWeight: 10, sequentialCreativeRotationIndex: 1, ...input, status: "ACTIVE" }, hidden: {} };
  },
  revise: (call, before, after, _input, path) => {
    const item = resolveReference(call, "lineItems", textOf(after, "lineItem") ?? "", `${path}.lineItem`);
    checkAssociation(call, item, after, path);
    return { resource: after, hidden: before.hidden };
  },
};

/** The parent in the path: one line item, or `-` for any. */
export function lineItemParent(call: Call): string {
  return `${parentOf(call)}/lineItems/${call.ids[0] ?? "-"}`;
}

export function associationName(call: Call): string {
  return `${lineItemParent(call)}/creatives/${call.ids[1] ?? ""}`;
}

export function withinLineItem(call: Call): { field: string; value: string } | undefined {
  return call.ids[0] === "-" ? undefined : { field: "lineItem", value: lineItemParent(call) };
}

/** An element's parent is the batch's, or its own line item under the wildcard. */
export function acceptsParent(call: Call, request: JsonObject): boolean {
  const parent = lineItemParent(call);
  if (request["parent"] === parent) return true;
  const lineItem = textOf(objectOf(request, associationKind.singular) ?? {}, "lineItem");
  return parent.endsWith("/-") && lineItem !== undefined && request["parent"] === lineItem;
}

function checkAssociation(call: Call, item: Row, association: JsonObject, path: string): Row {
  if (flagOf(item.resource, "archived")) throw invalidField(`${path}.lineItem`, `${item.name} is archived.`, "LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_CANNOT_UPDATE_ARCHIVED_LINE_ITEM");
  if (association["creativeSet"] !== undefined) throw invalidField(`${path}.creativeSet`, "This network has no creative sets.", "COMMON_ERROR_NOT_FOUND");
  for (const key of ["startTime", "endTime", "destinationUrl"]) {
    if (association[key] !== undefined) throw invalidField(`${path}.${key}`, "Only Ad Manager 360 networks have this.", "FEATURE_ERROR_MISSING_FEATURE");
  }
  const name = textOf(association, "creative");
  if (name === undefined) throw invalidField(`${path}.creative`, "creative is required.", "REQUIRED_ERROR_REQUIRED");
  const creative = resolveReference(call, "creatives", name, `${path}.creative`);
  const order = call.network.tables.orders.get(textOf(item.resource, "order") ?? "");
  if (creative.resource["advertiser"] !== order?.resource["advertiser"]) {
    throw invalidField(`${path}.creative`, "The creative belongs to another advertiser.", "LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_CREATIVE_IN_WRONG_ADVERTISERS_LIBRARY");
  }
  const placeholders = objectsOf(item.resource, "creativePlaceholders");
  const overrides = objectsOf(association, "sizes").map(sizeKey);
  const sizes = overrides.length > 0 ? overrides : [sizeKey(objectOf(creative.resource, "size"))];
  if (!sizes.every((size) => placeholders.some((placeholder) => sizeKey(objectOf(placeholder, "size")) === size))) {
    throw invalidField(path, "The creative's size is none of the line item's placeholders.", "LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_INVALID_LINEITEM_CREATIVE_PAIRING");
  }
  const targetingName = textOf(association, "targetingDisplayName");
  if (targetingName && !placeholders.some((placeholder) => placeholder["creativeTargetingDisplayName"] === targetingName)) {
    throw invalidField(`${path}.targetingDisplayName`, "No placeholder has this targeting.", "CREATIVE_TARGETING_ERROR_TARGETING_NOT_FOUND");
  }
  return creative;
}

function setStatus(status: "ACTIVE" | "INACTIVE"): Handler {
  return batchAction({
    kind: associationKind,
    maxNames: MAX_NAMES,
    parent: lineItemParent,
    apply: (call, row) => {
      if (row.resource["status"] === status) return;
      call.transaction.put("associations", { ...row, resource: touch(associationKind, call, { ...row.resource, status }) });
    },
  });
}

/** By the verb in `lineItems/{id}/creatives:verb`. */
export const associationActions: Readonly<Record<string, Handler>> = {
  batchActivate: setStatus("ACTIVE"),
  batchDeactivate: setStatus("INACTIVE"),
  batchDelete: batchAction({
    kind: associationKind,
    maxNames: MAX_NAMES,
    parent: lineItemParent,
    apply: (call, row) => call.transaction.remove("associations", row.name),
  }),
};
