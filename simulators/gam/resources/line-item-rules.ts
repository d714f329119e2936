import type { Call } from "../call";
import { invalidField } from "../errors";
import { flagOf, numberOf, objectOf, objectsOf, textOf, type JsonObject } from "../json";
import { checkLength, checkMoney } from "./checks";
import { checkTargeting } from "./targeting";

interface TypeRule {
  priority: readonly [usual: number, min: number, max: number];
  costTypes: readonly string[];
  goalTypes: readonly string[];
  /** The goal's units are a share in percent, not a number of impressions or clicks. */
  isShare?: boolean;
  canRunUnlimited?: boolean;
}

const typeRules: Readonly<Record<string, TypeRule>> = {
  SPONSORSHIP: { priority: [4, 2, 5], costTypes: ["CPM", "CPC", "CPD"], goalTypes: ["DAILY"], isShare: true, canRunUnlimited: true },
  STANDARD: { priority: [8, 6, 10], costTypes: ["CPM", "CPC", "VCPM", "CPCV", "CPM_IN_TARGET", "CPF"], goalTypes: ["LIFETIME"] },
  NETWORK: { priority: [12, 11, 14], costTypes: ["CPM", "CPC", "CPD"], goalTypes: ["DAILY"], isShare: true, canRunUnlimited: true },
  BULK: { priority: [12, 11, 14], costTypes: ["CPM", "CPC"], goalTypes: ["LIFETIME"] },
  PRICE_PRIORITY: { priority: [12, 11, 14], costTypes: ["CPM", "CPC"], goalTypes: ["NONE", "LIFETIME", "DAILY"], canRunUnlimited: true },
  HOUSE: { priority: [16, 15, 16], costTypes: ["CPM", "CPC"], goalTypes: ["DAILY"], isShare: true, canRunUnlimited: true },
};

const unitTypeOfCost: Readonly<Record<string, string>> = {
  CPM: "IMPRESSIONS", CPC: "CLICKS", VCPM: "VIEWABLE_IMPRESSIONS", CPM_IN_TARGET: "IN_TARGET_IMPRESSIONS", CPCV: "COMPLETED_VIEWS", CPF: "IMPRESSIONS",
};

/** What Ad Manager fills in when a field is left out. */
export function withDefaults(item: JsonObject): JsonObject {
  const rule = typeRules[textOf(item, "lineItemType") ?? ""];
  const currencyCode = textOf(objectOf(item, "rate") ?? {}, "currencyCode");
  return {
    endTimeUnlimited: false,
    deliveryRateType: "EVENLY",
    deliveryForecastSource: "HISTORICAL",
    roadblockingType: "ONE_OR_MORE",
    environmentType: "BROWSER",
    ...(rule ? { priority: rule.priority[0] } : {}),
    ...(currencyCode === undefined ? {} : { valueCpm: { currencyCode } }),
    ...item,
    creativePlaceholders: objectsOf(item, "creativePlaceholders").map((placeholder) => ({ expectedCreativeCount: 1, ampOnly: false, ...placeholder })),
  };
}

/** Rules that hold after every write; `path` leads to the line item. */
export function checkLineItem(call: Call, item: JsonObject, path: string): void {
  const type = textOf(item, "lineItemType") ?? "";
  const rule = typeRules[type];
  if (!rule) throw invalidField(`${path}.lineItemType`, `Line items of type ${type} cannot be written here.`, "LINE_ITEM_ERROR_LINE_ITEM_TYPE_NOT_ALLOWED");
  checkLength(item, "displayName", 255, path);
  checkLength(item, "externalLineItemId", 255, path);
  checkLength(item, "notes", 65_535, path);
  checkFlight(item, rule, path);
  checkMoney(call, item, "rate", path);
  checkMoney(call, item, "valueCpm", path);
  checkPricing(item, rule, path);
  checkTargeting(call, objectOf(item, "targeting") ?? {}, `${path}.targeting`);
}

function checkFlight(item: JsonObject, rule: TypeRule, path: string): void {
  const start = Date.parse(textOf(item, "startTime") ?? "");
  const target = textOf(item, "targetEndTime");
  if (flagOf(item, "endTimeUnlimited")) {
    if (!rule.canRunUnlimited) throw invalidField(`${path}.endTimeUnlimited`, "This type of line item needs an end.", "LINE_ITEM_FLIGHT_DATE_ERROR_UNLIMITED_NOT_ALLOWED");
    return;
  }
  if (target === undefined) throw invalidField(`${path}.targetEndTime`, "targetEndTime is required unless endTimeUnlimited is set.", "REQUIRED_ERROR_REQUIRED");
  if (Date.parse(target) <= start) throw invalidField(`${path}.targetEndTime`, "targetEndTime must be after startTime.", "LINE_ITEM_FLIGHT_DATE_ERROR_START_DATE_NOT_BEFORE_END_DATE");
  if ((numberOf(item, "autoExtensionDays") ?? 0) !== 0) {
    throw invalidField(`${path}.autoExtensionDays`, "Only Ad Manager 360 networks have this.", "FEATURE_ERROR_MISSING_FEATURE");
  }
  if (textOf(item, "environmentType") === "VIDEO_PLAYER" && textOf(item, "maxVideoCreativeDuration") === undefined) {
    throw invalidField(`${path}.maxVideoCreativeDuration`, "maxVideoCreativeDuration is required for video.", "REQUIRED_ERROR_REQUIRED");
  }
}

function checkPricing(item: JsonObject, rule: TypeRule, path: string): void {
  const costType = textOf(item, "costType") ?? "";
  if (!rule.costTypes.includes(costType)) throw invalidField(`${path}.costType`, `${costType} does not fit this type of line item.`, "LINE_ITEM_ERROR_INVALID_COST_TYPE");
  const priority = numberOf(item, "priority") ?? rule.priority[0];
  if (priority < rule.priority[1] || priority > rule.priority[2]) {
    throw invalidField(`${path}.priority`, `priority must be between ${rule.priority[1]} and ${rule.priority[2]}.`, "LINE_ITEM_ERROR_INVALID_PRIORITY");
  }
  const goal = objectOf(item, "goal");
  const goalType = textOf(goal ?? {}, "goalType");
  if (!goal || goalType === undefined) throw invalidField(`${path}.goal`, "goal is required.", "REQUIRED_ERROR_REQUIRED");
  if (!rule.goalTypes.includes(goalType)) throw invalidField(`${path}.goal.goalType`, `${goalType} does not fit this type of line item.`, "LINE_ITEM_ERROR_INVALID_GOAL_TYPE");
  if (goalType === "NONE") return;
  const units = BigInt(textOf(goal, "units") ?? "0");
  if (units <= 0n || (rule.isShare && units > 100n)) throw invalidField(`${path}.goal.units`, "units is out of range.", "RANGE_ERROR_OUT_OF_RANGE");
  const unitType = textOf(goal, "unitType");
  const expected = rule.isShare ? "IMPRESSIONS" : unitTypeOfCost[costType];
  if (unitType !== expected) throw invalidField(`${path}.goal.unitType`, `unitType must be ${expected ?? "set"} for ${costType}.`, "LINE_ITEM_ERROR_INVALID_UNIT_TYPE");
}
