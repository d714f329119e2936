import { formatMoney } from "../../money";
import { countDays, formatDate } from "../../time";
import { type DesiredLine, type PlanProblem, type PricingModel } from "../types";
import { gamTargetSchema, LINE_ITEM_TYPES, type GamTarget, type LineItemType } from "./config";
import { sizeText, titleOf, toCreativeFields, toSize, type Size } from "./creatives";
import { describeInventory, readOverlay, toTargeting, type FrequencyCap, type Overlay, type Targeting } from "./targeting";

/** How a package becomes a line item. Pure. */

/** Everything we write on a line item but its order, our key and its start; ids, not resource names, so that it needs no network. */
export type LineItemFields = {
  displayName: string;
  lineItemType: LineItemType;
  priority: number;
  costType: "CPM" | "CPC" | "CPD";
  rateMicros: string;
  currency: string;
  goal: { goalType: "LIFETIME" | "DAILY"; unitType: "IMPRESSIONS" | "CLICKS"; units: string };
  /** RFC 3339 in whole seconds. */
  targetEndTime: string;
  deliveryRateType: "EVENLY" | "AS_FAST_AS_POSSIBLE" | "FRONTLOADED";
  creativeRotationType: "EVENLY" | "WEIGHTED";
  placeholders: Size[];
  environmentType: "BROWSER" | "VIDEO_PLAYER";
  maxVideoSeconds: number | null;
  targeting: Targeting;
  frequencyCaps: FrequencyCap[];
};

export type LineItemMapping = { fields: LineItemFields; details: string; problems?: undefined } | { fields?: undefined; problems: PlanProblem[] };

const COST_TYPES = { cpm: "CPM", cpc: "CPC", time: "CPD", flat_rate: "CPD" } as const satisfies Record<PricingModel, string>;
const PRICES = { cpm: "CPM", cpc: "per click", time: "per day", flat_rate: "per day" } as const satisfies Record<PricingModel, string>;
const DELIVERY_RATES = { even: "EVENLY", asap: "AS_FAST_AS_POSSIBLE", front_loaded: "FRONTLOADED" } as const;
const DEFAULT_VIDEO_SECONDS = 60;
const CREATIVES_MAX = 260;

/** The line item that reflects this package, or why there is none. Creatives are judged apart (creativeProblems). */
export function toLineItem(line: DesiredLine, timeZone: string): LineItemMapping {
  const read = readLine(line);
  if (read.problems) return read;
  const fields = buildFields(line, read.target, read.overlay);
  return { fields, details: describe(line, fields, read.target, read.overlay, timeZone) };
}

function readLine(line: DesiredLine): { target: GamTarget; overlay: Overlay; problems?: undefined } | { problems: PlanProblem[] } {
  const parsed = gamTargetSchema.safeParse(line.target);
  if (!parsed.success) {
    return { problems: [problem(line, "invalid_target", `The Ad Manager target of “${line.productName}” is incomplete: ${parsed.error.issues[0]?.message ?? "it cannot be read."}`)] };
  }
  const target = parsed.data;
  const overlay = readOverlay(line.targeting);
  const problems = [...pricingProblems(line, target), ...sizeProblems(line), ...overlay.problems.map((message) => problem(line, "targeting_not_supported", message))];
  return problems.length > 0 ? { problems } : { target, overlay };
}

function buildFields(line: DesiredLine, target: GamTarget, overlay: Overlay): LineItemFields {
  const type = LINE_ITEM_TYPES[target.lineItemType];
  const isPlayer = line.placeholders.some(({ kind }) => kind === "video" || kind === "audio");
  const longest = Math.max(0, ...line.creatives.map(({ durationMs }) => Math.ceil((durationMs ?? 0) / 1000)));
  return {
    displayName: line.name,
    lineItemType: target.lineItemType,
    priority: target.priority ?? type.priority.usual,
    costType: COST_TYPES[line.pricingModel],
    rateMicros: ratePerCostUnit(line).toString(),
    currency: line.currency,
    goal: type.goal === "share"
      ? { goalType: "DAILY", unitType: "IMPRESSIONS", units: String(target.sharePercent ?? 100) }
      : { goalType: "LIFETIME", unitType: line.pricingModel === "cpc" ? "CLICKS" : "IMPRESSIONS", units: line.units },
    targetEndTime: toSeconds(new Date(line.endsAt)),
    deliveryRateType: type.goal === "share" ? "EVENLY" : DELIVERY_RATES[line.pacing],
    creativeRotationType: line.creatives.some(({ weight }) => weight !== null) ? "WEIGHTED" : "EVENLY",
    placeholders: distinctSizes(line.placeholders.map(toSize)),
    environmentType: isPlayer ? "VIDEO_PLAYER" : "BROWSER",
    maxVideoSeconds: isPlayer ? Math.max(target.maxVideoSeconds ?? DEFAULT_VIDEO_SECONDS, longest) : null,
    targeting: toTargeting(target, overlay),
    frequencyCaps: overlay.frequencyCaps,
  };
}

/** A flat price is written by the day, rounded down, so that the days never cost more than it: those that are left when an order was decided late. */
function ratePerCostUnit(line: DesiredLine): bigint {
  return line.pricingModel === "flat_rate" ? BigInt(line.rateMicros) / countDays(line.startsAt, line.endsAt) : BigInt(line.rateMicros);
}

function distinctSizes(sizes: Size[]): Size[] {
  return [...new Map(sizes.map((size) => [`${size.width}x${size.height} ${size.sizeType}`, size])).entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, size]) => size);
}

/** RFC 3339 in whole seconds: what the API stores and answers. */
export function toSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

function pricingProblems(line: DesiredLine, target: GamTarget): PlanProblem[] {
  const { label, goal } = LINE_ITEM_TYPES[target.lineItemType];
  const isDaily = line.pricingModel === "time" || line.pricingModel === "flat_rate";
  const problems: PlanProblem[] = [];
  if (target.lineItemType === "HOUSE") problems.push(problem(line, "pricing_not_supported", "House line items are for the publisher's own ads and cannot carry a sold package."));
  else if (isDaily && goal !== "share") problems.push(problem(line, "pricing_not_supported", `A ${line.pricingModel === "time" ? "price per day" : "flat price"} is a cost per day, which ${label} line items do not have; sponsorship and network do.`));
  else if (!isDaily && goal === "share") {
    problems.push(problem(line, "pricing_not_supported", `${label} line items deliver a share of impressions, so a package sold per ${line.pricingModel === "cpc" ? "click" : "thousand impressions"} could deliver more than was bought; standard, bulk and price priority have a goal.`));
  }
  if (BigInt(line.units) <= 0n) problems.push(problem(line, "zero_units", `The budget of “${line.productName}” buys nothing at its price.`));
  else if (ratePerCostUnit(line) <= 0n) problems.push(problem(line, "zero_rate", `“${line.productName}” has no price.`));
  return problems;
}

function sizeProblems(line: DesiredLine): PlanProblem[] {
  if (line.placeholders.length === 0) return [problem(line, "no_sizes", `The formats of “${line.productName}” have no sizes that Google Ad Manager knows.`)];
  const inPlayer = line.placeholders.filter(({ kind }) => kind === "video" || kind === "audio").length;
  if (inPlayer === 0 || inPlayer === line.placeholders.length) return [];
  return [problem(line, "mixed_environments", `“${line.productName}” mixes ads for video or audio players with ads for pages: one line item serves only one of them.`)];
}

/** Why single creatives of this package cannot be served; the others still can. */
export function creativeProblems(line: DesiredLine): PlanProblem[] {
  const sizes = new Set(line.placeholders.map((placeholder) => sizeText(toSize(placeholder))));
  const problems = line.creatives.flatMap((creative) => {
    const mapping = toCreativeFields(creative, "");
    if (mapping.problem !== undefined) return [problem(line, "creative_not_supported", mapping.problem)];
    if (sizes.has(sizeText(mapping.fields.size))) return [];
    return [problem(line, "creative_size", `Creative “${titleOf(creative)}” is ${sizeText(mapping.fields.size)}; “${line.productName}” takes ${[...sizes].join(", ")}.`)];
  });
  if (line.creatives.length > CREATIVES_MAX) problems.push(problem(line, "too_many_creatives", `A line item takes at most ${CREATIVES_MAX} creatives; “${line.productName}” has ${line.creatives.length}.`));
  return problems;
}

/** Whether this creative of this package can be written: it maps, and its size is one of the line item's. */
export function isServable(line: DesiredLine, creative: DesiredLine["creatives"][number]): boolean {
  return creativeProblems({ ...line, creatives: [creative] }).length === 0;
}

export function checkLine(line: DesiredLine): PlanProblem[] {
  return [...(readLine(line).problems ?? []), ...creativeProblems(line)];
}

function problem(line: DesiredLine, code: string, message: string): PlanProblem {
  return { code, message, packageId: line.packageId };
}

/** "Line item “Homepage”: 100,000 impressions at $12.50 CPM, 1 Dec 2026 – 31 Dec 2026, targets Homepage Top". */
function describe(line: DesiredLine, fields: LineItemFields, target: GamTarget, overlay: Overlay, timeZone: string): string {
  const price = `${formatMoney(BigInt(fields.rateMicros), fields.currency)} ${PRICES[line.pricingModel]}`;
  const flight = `${formatDate(new Date(line.startsAt), timeZone)} – ${formatDate(new Date(line.endsAt), timeZone)}`;
  const { label } = LINE_ITEM_TYPES[fields.lineItemType];
  return [
    `Line item “${line.productName}”: ${goalText(fields)} at ${price}`, flight, `${label.toLowerCase()} priority ${fields.priority}`,
    fields.placeholders.map(sizeText).join(", "), `targets ${describeInventory(target)}`, ...overlay.words,
  ].join(", ");
}

export function goalText({ goal }: Pick<LineItemFields, "goal">): string {
  if (goal.goalType === "DAILY") return `${goal.units}% of impressions`;
  return `${BigInt(goal.units).toLocaleString("en-US")} ${goal.unitType === "CLICKS" ? "clicks" : "impressions"}`;
}
