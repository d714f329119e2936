import { isDeepStrictEqual } from "node:util";
import { formatMoney } from "../../money";
import { formatDateTime } from "../../time";
import { sizeText, type CreativeFields } from "./creatives";
import { goalText, type LineItemFields } from "./line-items";
import { idOf, type RemoteCreative, type RemoteLineItem } from "./resources";
import { type FrequencyCap, type Targeting } from "./targeting";
import { moneyToMicros } from "./wire";

/** What the ad server has beside what we wrote. Pure. */

export type FieldDifference = { key: keyof LineItemFields; field: string; expected: string; observed: string };

/** Ad Manager keeps times by the minute. */
const TIME_TOLERANCE_MS = 60_000;

export function isSameInstant(a: string, b: string): boolean {
  return Math.abs(Date.parse(a) - Date.parse(b)) < TIME_TOLERANCE_MS;
}

/** @param timeZone for the words */
export function compareLineItem(remote: RemoteLineItem, fields: LineItemFields, timeZone: string): FieldDifference[] {
  const differences: FieldDifference[] = [];
  const check = (key: keyof LineItemFields, field: string, expected: string, observed: string, isSame = expected === observed) => {
    if (!isSame) differences.push({ key, field, expected, observed: observed === "" ? "nothing" : observed });
  };
  const time = (text: string) => (text === "" ? "" : formatDateTime(new Date(text), timeZone));
  check("displayName", "name", fields.displayName, remote.displayName);
  check("lineItemType", "type", fields.lineItemType, remote.lineItemType);
  check("priority", "priority", String(fields.priority), String(remote.priority ?? ""));
  check("costType", "cost type", fields.costType, remote.costType);
  check("rateMicros", "rate", formatMoney(BigInt(fields.rateMicros), fields.currency), remote.rate ? formatMoney(moneyToMicros(remote.rate), remote.rate.currencyCode || fields.currency) : "",
    remote.rate !== undefined && moneyToMicros(remote.rate) === BigInt(fields.rateMicros) && remote.rate.currencyCode === fields.currency);
  check("goal", "goal", goalText(fields), remoteGoal(remote), isDeepStrictEqual({ ...fields.goal }, { ...remote.goal }));
  check("targetEndTime", "end", time(fields.targetEndTime), time(remote.targetEndTime), isSameInstant(fields.targetEndTime, remote.targetEndTime));
  check("deliveryRateType", "pacing", fields.deliveryRateType, remote.deliveryRateType);
  check("creativeRotationType", "creative rotation", fields.creativeRotationType, remote.creativeRotationType);
  check("environmentType", "environment", fields.environmentType, remote.environmentType);
  if (fields.maxVideoSeconds !== null) check("maxVideoSeconds", "longest creative", `${fields.maxVideoSeconds}s`, remote.maxVideoCreativeDuration);
  check("placeholders", "sizes", sizesText(fields.placeholders), sizesText(remote.creativePlaceholders.map(({ size }) => size)));
  check("targeting", "targeting", targetingText(fields.targeting), targetingText(readTargeting(remote)), isSameTargeting(fields.targeting, remote));
  check("frequencyCaps", "frequency caps", capsText(fields.frequencyCaps), capsText(remote.frequencyCaps));
  return differences;
}

function remoteGoal({ goal }: RemoteLineItem): string {
  if (!goal) return "";
  if (goal.goalType === "NONE") return "none";
  return goalText({ goal: { goalType: goal.goalType === "DAILY" ? "DAILY" : "LIFETIME", unitType: goal.unitType === "CLICKS" ? "CLICKS" : "IMPRESSIONS", units: goal.units } });
}

function sizesText(sizes: { width: number; height: number; sizeType: string }[]): string {
  return sizes.map(sizeText).sort().join(", ");
}

function capsText(caps: (Omit<FrequencyCap, "timeUnit"> & { timeUnit: string })[]): string {
  return caps.length === 0 ? "none" : caps.map(({ maxImpressions, timeAmount, timeUnit }) => `${maxImpressions} per ${timeAmount} ${timeUnit.toLowerCase()}`).sort().join(", ");
}

/** The remote targeting in our form, sorted like ours. */
function readTargeting({ targeting }: RemoteLineItem): Targeting {
  const ids = (names: string[] = []) => names.map(idOf).sort();
  return {
    adUnits: (targeting?.inventoryTargeting?.targetedAdUnits ?? []).map(({ adUnit, includeDescendants }) => ({ id: idOf(adUnit), includeDescendants })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    placements: ids(targeting?.inventoryTargeting?.targetedPlacements),
    geos: ids(targeting?.geoTargeting?.targetedGeos),
    excludedGeos: ids(targeting?.geoTargeting?.excludedGeos),
    custom: (targeting?.customTargeting?.customTargetingClauses ?? []).flatMap((clause) => clause.customTargetingLiterals)
      .map(({ customTargetingKey, customTargetingValues, negative }) => ({ keyId: idOf(customTargetingKey), valueIds: ids(customTargetingValues), isNegative: negative }))
      .sort((a, b) => a.keyId.localeCompare(b.keyId) || Number(a.isNegative) - Number(b.isNegative)),
  };
}

/** Excluded ad units and further clauses (alternatives) are none that we write. */
function isSameTargeting(wanted: Targeting, remote: RemoteLineItem): boolean {
  const { inventoryTargeting, customTargeting } = remote.targeting ?? {};
  return isDeepStrictEqual(readTargeting(remote), wanted) && (inventoryTargeting?.excludedAdUnits.length ?? 0) === 0 && (customTargeting?.customTargetingClauses.length ?? 0) <= 1;
}

function targetingText({ adUnits, placements, geos, excludedGeos, custom }: Targeting): string {
  const parts = [
    ...adUnits.map(({ id, includeDescendants }) => `ad unit ${id}${includeDescendants ? "" : " alone"}`), ...placements.map((id) => `placement ${id}`),
    ...geos.map((id) => `geo ${id}`), ...excludedGeos.map((id) => `not geo ${id}`),
    ...custom.map(({ keyId, valueIds, isNegative }) => `key ${keyId} ${isNegative ? "is not" : "is"} ${valueIds.join("/")}`),
  ];
  return parts.join(", ");
}

/** Whether the remote creative already says what we would write. Fields that we do not write are not ours. */
export function isSameCreative(remote: RemoteCreative, fields: CreativeFields): boolean {
  const details = remote[fields.type];
  if (remote.displayName !== fields.displayName || typeof details !== "object" || details === null) return false;
  const observed = new Map(Object.entries(details));
  return Object.entries(fields.details).every(([key, value]) => isDeepStrictEqual(observed.get(key), value));
}
