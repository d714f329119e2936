import { parentOf, type Call } from "../call";
import { invalidField } from "../errors";
import { objectOf, objectsOf, textOf, textsOf, type JsonObject } from "../json";
import { resolveReference } from "./checks";

const MAX_CRITERIA = 800;

/** What is targeted must exist in this network; geo targets are checked for their form only. */
export function checkTargeting(call: Call, targeting: JsonObject, path: string): void {
  const inventory = objectOf(targeting, "inventoryTargeting") ?? {};
  const adUnits = [...objectsOf(inventory, "targetedAdUnits"), ...objectsOf(inventory, "excludedAdUnits")];
  const placements = textsOf(inventory, "targetedPlacements");
  const geo = objectOf(targeting, "geoTargeting") ?? {};
  const geos = [...textsOf(geo, "targetedGeos"), ...textsOf(geo, "excludedGeos")];
  const literals = objectsOf(objectOf(targeting, "customTargeting") ?? {}, "customTargetingClauses")
    .flatMap((clause) => objectsOf(clause, "customTargetingLiterals"));
  if (objectsOf(inventory, "targetedAdUnits").length + placements.length === 0) {
    throw invalidField(`${path}.inventoryTargeting`, "At least one ad unit or placement must be targeted.", "INVENTORY_TARGETING_ERROR_AT_LEAST_ONE_PLACEMENT_OR_INVENTORY_UNIT_REQUIRED");
  }
  for (const target of adUnits) {
    const unit = resolveReference(call, "adUnits", textOf(target, "adUnit") ?? "", `${path}.inventoryTargeting`);
    if (unit.resource["status"] === "ARCHIVED") throw invalidField(`${path}.inventoryTargeting`, `${unit.name} is archived.`, "INVENTORY_TARGETING_ERROR_INVALID_INVENTORY_UNIT_STATUS");
  }
  for (const name of placements) resolveReference(call, "placements", name, `${path}.inventoryTargeting.targetedPlacements`);
  for (const name of geos) checkGeoName(call, name, `${path}.geoTargeting`);
  for (const literal of literals) checkLiteral(call, literal, `${path}.customTargeting`);
  const values = literals.reduce((count, literal) => count + textsOf(literal, "customTargetingValues").length, 0);
  const criteria = adUnits.length + placements.length + geos.length + values;
  if (criteria > MAX_CRITERIA) throw invalidField(path, `A line item has at most ${MAX_CRITERIA} targeting criteria; this has ${criteria}.`, "TARGETING_ERROR_TOO_MANY_CRITERIA");
}

function checkGeoName(call: Call, name: string, path: string): void {
  const id = name.startsWith(`${parentOf(call)}/geoTargets/`) ? name.slice(name.lastIndexOf("/") + 1) : "";
  if (!/^\d{4,}$/.test(id)) throw invalidField(path, `${name} is no geo target of this network.`, "COMMON_ERROR_NOT_FOUND");
}

function checkLiteral(call: Call, literal: JsonObject, path: string): void {
  const key = resolveReference(call, "customTargetingKeys", textOf(literal, "customTargetingKey") ?? "", path);
  const values = textsOf(literal, "customTargetingValues");
  if (values.length === 0) throw invalidField(path, "A custom targeting literal needs a value.", "REQUIRED_ERROR_REQUIRED");
  for (const name of values) {
    const value = resolveReference(call, "customTargetingValues", name, path);
    if (value.resource["customTargetingKey"] !== key.name) throw invalidField(path, `${name} is no value of ${key.name}.`, "CUSTOM_TARGETING_ERROR_KEY_VALUE_MISMATCH");
  }
}
