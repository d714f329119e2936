import { showStored, type ResourceKind } from "./kind";

export const adUnitKind: ResourceKind = {
  collection: "adUnits",
  message: "AdUnit",
  singular: "adUnit",
  plural: "adUnits",
  filterFields: ["name", "adUnitId", "parentAdUnit", "displayName", "adUnitCode", "status", "explicitlyTargeted", "hasChildren", "updateTime"],
  render: showStored,
};

export const placementKind: ResourceKind = {
  collection: "placements",
  message: "Placement",
  singular: "placement",
  plural: "placements",
  filterFields: ["name", "placementId", "displayName", "description", "placementCode", "status", "targetedAdUnits", "updateTime"],
  render: showStored,
};

export const customTargetingKeyKind: ResourceKind = {
  collection: "customTargetingKeys",
  message: "CustomTargetingKey",
  singular: "customTargetingKey",
  plural: "customTargetingKeys",
  filterFields: ["name", "customTargetingKeyId", "adTagName", "displayName", "type", "status", "reportableType"],
  render: showStored,
};

export const customTargetingValueKind: ResourceKind = {
  collection: "customTargetingValues",
  message: "CustomTargetingValue",
  singular: "customTargetingValue",
  plural: "customTargetingValues",
  filterFields: ["name", "customTargetingKey", "adTagName", "displayName", "matchType", "status"],
  render: showStored,
};
