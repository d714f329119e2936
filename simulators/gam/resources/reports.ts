import { parentOf, type Call, type Handler } from "../call";
import { countriesOf, deliveredBetween, idIn, servingCreatives, share, type Delivered } from "../delivery";
import { ApiError, invalidField, notFound } from "../errors";
import { numberOf, objectOf, objectsOf, textOf, textsOf, type Json, type JsonObject } from "../json";
import { formatTimestamp } from "../scalars";
import { filteredLeaves, type SellThrough, sellThroughOn } from "../sell-through";
import type { NetworkState } from "../store";
import type { Row } from "../table";
import { findRow } from "./crud";
import { showStored, type WritableKind } from "./kind";

const PAGE_SIZE_DEFAULT = 1_000;
const PAGE_SIZE_MAX = 10_000;
/** How long a report runs. */
const RUN_MS = 150;
const DAY_MS = 86_400_000;
const DAYS_MAX = 400;

export const reportKind: WritableKind = {
  collection: "reports",
  message: "Report",
  singular: "report",
  plural: "reports",
  filterFields: ["name", "reportId", "displayName", "updateTime", "createTime"],
  render: showStored,
  build: (call, input, path) => {
    checkDefinition(input, path);
    const id = call.transaction.nextId("reports");
    return { name: `${parentOf(call)}/reports/${id}`, resource: { visibility: "HIDDEN", ...input, reportId: id, createTime: formatTimestamp(call.now), locale: "en-US" }, hidden: {} };
  },
  revise: (_call, before, after, _input, path) => {
    checkDefinition(after, path);
    return { resource: after, hidden: before.hidden };
  },
};

const HISTORICAL: ReadonlySet<string> = new Set(["DATE", "ORDER_ID", "LINE_ITEM_ID", "CREATIVE_ID", "COUNTRY_CODE", "COUNTRY_NAME"]);

function checkDefinition(report: JsonObject, path: string): void {
  const definition = objectOf(report, "reportDefinition") ?? {};
  const range = objectOf(objectOf(definition, "dateRange") ?? {}, "fixed");
  if (!range) throw invalidField(`${path}.reportDefinition.dateRange`, "This simulator runs reports over a fixed date range only.");
  const days = daysOf(range);
  if (days.length === 0) throw invalidField(`${path}.reportDefinition.dateRange`, "The end date lies before the start date.", "REPORT_ERROR_INVALID_DATE_RANGE");
  const dimensions = textsOf(definition, "dimensions");
  if (textOf(definition, "reportType") === "FUTURE_SELL_THROUGH") {
    if (dimensions.join() !== "DATE") throw invalidField(`${path}.reportDefinition.dimensions`, "This simulator cuts sell-through by DATE only.");
    if (textsOf(definition, "metrics").some((metric) => !SELL_THROUGH.has(metric))) throw invalidField(`${path}.reportDefinition.metrics`, "A metric is not compatible with sell-through.", "REPORT_ERROR_INCOMPATIBLE_METRICS");
    return;
  }
  if (!dimensions.includes("LINE_ITEM_ID") || !dimensions.includes("DATE")) throw invalidField(`${path}.reportDefinition.dimensions`, "This simulator cuts by DATE and LINE_ITEM_ID only, and further.");
  if (dimensions.some((dimension) => !HISTORICAL.has(dimension))) throw invalidField(`${path}.reportDefinition.dimensions`, "This simulator cuts delivery by order, line item, creative and country only.");
  if (textOf(definition, "reportType") !== "HISTORICAL") throw invalidField(`${path}.reportDefinition.reportType`, "This simulator runs historical and sell-through reports only.");
}

/** What each metric of a sell-through report shows. */
const SELL_THROUGH: ReadonlyMap<string, (figures: SellThrough) => number> = new Map([
  ["SELL_THROUGH_FORECASTED_IMPRESSIONS", ({ forecasted }) => forecasted],
  ["SELL_THROUGH_RESERVED_IMPRESSIONS", ({ reserved }) => reserved],
  ["SELL_THROUGH_AVAILABLE_IMPRESSIONS", ({ forecasted, reserved }) => forecasted - reserved],
]);

/** A row per day to come; what has passed is no forecast. */
function sellThroughRows(call: Call, definition: JsonObject): JsonObject[] {
  const zone = textOf(call.network.resource, "timeZone") ?? "UTC";
  const leaves = filteredLeaves(call.network, definition);
  if (leaves.size === 0) return [];
  return daysOf(objectOf(objectOf(definition, "dateRange") ?? {}, "fixed") ?? {}).flatMap((day) => {
    const from = startOfDay(day, zone);
    if (from + DAY_MS <= call.now.getTime()) return [];
    const figures = sellThroughOn(call.network, leaves, from, day);
    return [{
      dimensionValues: [{ intValue: new Date(day).toISOString().slice(0, 10).replaceAll("-", "") }],
      metricValueGroups: [{ primaryValues: textsOf(definition, "metrics").map((metric) => ({ intValue: String(SELL_THROUGH.get(metric)?.(figures) ?? 0) })) }],
    }];
  });
}

/** The report's answer, as long as the simulator runs. */
export interface ReportRun {
  report: string;
  result: string;
  readyAt: number;
  failure?: string;
  rows: JsonObject[];
}

export const runReport: Handler = (call) => {
  const [id = "", verb] = (call.ids[0] ?? "").split(":");
  if (verb !== "run") throw new ApiError("NOT_FOUND", `No such method: ${verb ?? ""}`);
  const report = findRow(call, reportKind, `${parentOf(call)}/reports/${id}`);
  const runId = String(call.network.reportRuns.size + 1 + call.now.getTime());
  const isStuck = call.faults.take("reportStuck") !== undefined;
  const run: ReportRun = {
    report: report.name, result: `${report.name}/results/${runId}`, readyAt: isStuck ? Infinity : Date.now() + RUN_MS,
    ...(call.faults.take("reportFails") ? { failure: "The report could not be run." } : {}), rows: rowsOf(call, objectOf(report.resource, "reportDefinition") ?? {}),
  };
  call.network.reportRuns.set(runId, run);
  return operationOf(call, runId, run);
};

export const getReportOperation: Handler = (call) => {
  const runId = call.ids[1] ?? "";
  const run = call.ids[0] === "reports" ? call.network.reportRuns.get(runId) : undefined;
  if (!run) throw notFound(`${parentOf(call)}/operations/reports/runs/${runId}`);
  return operationOf(call, runId, run);
};

function operationOf(call: Call, runId: string, run: ReportRun): JsonObject {
  const isDone = Date.now() >= run.readyAt;
  return {
    name: `${parentOf(call)}/operations/reports/runs/${runId}`,
    metadata: { "@type": "type.googleapis.com/google.ads.admanager.v1.RunReportMetadata", percentComplete: isDone ? 100 : 50, report: run.report },
    ...(isDone ? { done: true } : {}),
    ...(isDone && run.failure !== undefined ? { error: { code: 13, message: run.failure } } : {}),
    ...(isDone && run.failure === undefined ? { response: { "@type": "type.googleapis.com/google.ads.admanager.v1.RunReportResponse", reportResult: run.result } } : {}),
  };
}

export const fetchReportRows: Handler = (call) => {
  const [resultId = "", verb] = (call.ids[1] ?? "").split(":");
  if (verb !== "fetchRows") throw new ApiError("NOT_FOUND", `No such method: ${verb ?? ""}`);
  const run = call.network.reportRuns.get(resultId);
  const name = `${parentOf(call)}/reports/${call.ids[0] ?? ""}/results/${resultId}`;
  if (!run || run.result !== name || Date.now() < run.readyAt || run.failure !== undefined) throw notFound(name);
  const size = Math.min(Number(call.query.get("pageSize") ?? 0) || PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const token = call.query.get("pageToken") ?? "";
  const offset = token === "" ? 0 : Number(token);
  if (!Number.isInteger(offset) || offset < 0) throw invalidField("pageToken", "The page token is not valid.");
  const page = run.rows.slice(offset, offset + size);
  return { ...(page.length > 0 ? { rows: page } : {}), ...(offset === 0 ? { totalRowCount: run.rows.length, runTime: formatTimestamp(call.now) } : {}), ...(offset + size < run.rows.length ? { nextPageToken: String(offset + size) } : {}) };
};

/** Rows where anything was delivered: a report has no row for nothing. */
function rowsOf(call: Call, definition: JsonObject): JsonObject[] {
  if (textOf(definition, "reportType") === "FUTURE_SELL_THROUGH") return sellThroughRows(call, definition);
  const dimensions = textsOf(definition, "dimensions");
  const metrics = textsOf(definition, "metrics");
  const range = objectOf(objectOf(definition, "dateRange") ?? {}, "fixed") ?? {};
  const zone = textOf(call.network.resource, "timeZone") ?? "UTC";
  const wanted = readFilters(definition);
  const rows: JsonObject[] = [];
  for (const item of itemsOf(call.network, wanted)) {
    for (const day of daysOf(range)) {
      const [from, to] = [startOfDay(day, zone), startOfDay(day + DAY_MS, zone)];
      if (from >= call.now.getTime()) break;
      const whole = deliveredBetween(item, from, Math.min(to, call.now.getTime()));
      if (whole.impressions === 0 && whole.clicks === 0) continue;
      for (const { values, delivered } of cut(call.network, item, dimensions, whole)) {
        rows.push({
          dimensionValues: dimensions.map((dimension) => values[dimension] ?? dimensionValue(dimension, item, day)),
          metricValueGroups: [{ primaryValues: metrics.map((metric) => metricValue(metric, delivered)) }],
        });
      }
    }
  }
  return rows;
}

type Part = { values: Partial<Record<string, JsonObject>>; delivered: Delivered };

function cut(network: NetworkState, item: Row, dimensions: string[], whole: Delivered): Part[] {
  let parts: Part[] = [{ values: {}, delivered: whole }];
  const split = (choices: Partial<Record<string, JsonObject>>[]) => {
    parts = parts.flatMap((part) => choices.map((values, index) => ({ values: { ...part.values, ...values }, delivered: share(part.delivered, index, choices.length) })));
  };
  if (dimensions.includes("CREATIVE_ID")) split(servingCreatives(network, item).map((id) => ({ CREATIVE_ID: { intValue: id } })));
  if (dimensions.includes("COUNTRY_CODE") || dimensions.includes("COUNTRY_NAME")) split(countriesOf(item).map(({ code, name }) => ({ COUNTRY_CODE: { stringValue: code }, COUNTRY_NAME: { stringValue: name } })));
  return parts;
}

function dimensionValue(dimension: string, item: Row, day: number): JsonObject {
  if (dimension === "DATE") return { intValue: new Date(day).toISOString().slice(0, 10).replaceAll("-", "") };
  return { intValue: idIn(dimension === "ORDER_ID" ? (textOf(item.resource, "order") ?? "") : item.name) };
}

function metricValue(metric: string, { impressions, clicks, completedViews, revenueMicros }: Delivered): JsonObject {
  if (metric === "AD_SERVER_REVENUE") return { doubleValue: Number(revenueMicros) / 1e6 };
  return { intValue: String(metric === "AD_SERVER_IMPRESSIONS" ? impressions : metric === "AD_SERVER_CLICKS" ? clicks : completedViews) };
}

/** Ids by dimension that every filter lets through. */
function readFilters(definition: JsonObject): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  const read = (filter: JsonObject): void => {
    for (const inner of objectsOf(objectOf(filter, "andFilter") ?? {}, "filters")) read(inner);
    const field = objectOf(filter, "fieldFilter");
    if (!field) return;
    const dimension = textOf(objectOf(field, "field") ?? {}, "dimension") ?? "";
    if (textOf(field, "operation") !== "IN" || (dimension !== "ORDER_ID" && dimension !== "LINE_ITEM_ID")) throw invalidField("report.reportDefinition.filters", "This simulator filters by ORDER_ID IN and LINE_ITEM_ID IN only.");
    wanted.set(dimension, new Set(objectsOf(field, "values").flatMap((value): Json[] => [textOf(value, "intValue") ?? "", ...textsOf(objectOf(value, "intListValue") ?? {}, "values")]).map(String)));
  };
  for (const filter of objectsOf(definition, "filters")) read(filter);
  return wanted;
}

function itemsOf(network: NetworkState, wanted: Map<string, Set<string>>): Row[] {
  const orders = wanted.get("ORDER_ID");
  const items = wanted.get("LINE_ITEM_ID");
  const rows = orders ? [...orders].flatMap((id) => network.tables.lineItems.findBy("order", `networks/${network.code}/orders/${id}`)) : [...network.tables.lineItems.all()];
  return items ? rows.filter((row) => items.has(idIn(row.name))) : rows;
}

/** Midnights of the dates in the range, as UTC. */
function daysOf(range: JsonObject): number[] {
  const instant = (key: string) => {
    const date = objectOf(range, key) ?? {};
    return Date.UTC(numberOf(date, "year") ?? 0, (numberOf(date, "month") ?? 1) - 1, numberOf(date, "day") ?? 1);
  };
  const [first, last] = [instant("startDate"), instant("endDate")];
  const days: number[] = [];
  for (let day = first; day <= last && days.length < DAYS_MAX; day += DAY_MS) days.push(day);
  return days;
}

/** When this date begins in the network's zone. */
function startOfDay(day: number, timeZone: string): number {
  const shown = (instant: number) => {
    const parts = new Intl.DateTimeFormat("en-CA", { timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(new Date(instant));
    const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
    return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  };
  const guess = day - (shown(day) - day);
  return guess - (shown(guess) - day);
}
