import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AdServerError, type Call, type DeliveryCount, type DeliveryQuery } from "../types";
import { GamClient } from "./client";
import { quote } from "./execute/lookup";
import { chunk } from "./planning";
import { idOf } from "./resources";

/**
 * Delivery by day from Ad Manager's reports: one hidden report per shape and connection, found by its name and given the wanted orders and
 * days each time. Reports count what the ad server has processed, usually within hours; the last days are read again until they stand.
 */
type Shape = { phase: string; title: string; cut: readonly string[]; toCut?: (values: ReportValue[]) => DeliveryCount["cut"] };

const SHAPES: readonly Shape[] = [
  { phase: "days", title: "by day", cut: [] },
  { phase: "creatives", title: "by creative", cut: ["CREATIVE_ID"], toCut: ([id]) => ({ dimension: "creative", key: readText(id) }) },
  { phase: "countries", title: "by country", cut: ["COUNTRY_CODE", "COUNTRY_NAME"], toCut: ([code, name]) => ({ dimension: "country", key: readText(code), label: readText(name) }) },
];
const METRICS = ["AD_SERVER_IMPRESSIONS", "AD_SERVER_CLICKS", "AD_SERVER_COMPLETED_VIEWS", "AD_SERVER_REVENUE"];

/** Orders in one report's filter. */
const ORDERS_AT_ONCE = 200;
const ROWS_AT_ONCE = 10_000;
/** Between looks at a running report: this often the pause doubles. */
const DOUBLINGS_MAX = 4;

const value = z.object({ intValue: z.union([z.string(), z.number()]).transform(String).optional(), doubleValue: z.number().optional(), stringValue: z.string().optional() });
type ReportValue = z.infer<typeof value>;
const reportSchema = z.object({ name: z.string(), displayName: z.string().default("") });
const operationSchema = z.object({
  name: z.string(), done: z.boolean().default(false), error: z.object({ message: z.string().default("") }).optional(), response: z.object({ reportResult: z.string() }).optional(),
});
const rowsSchema = z.object({
  rows: z.array(z.object({ dimensionValues: z.array(value), metricValueGroups: z.array(z.object({ primaryValues: z.array(value) })).min(1) })).default([]),
  totalRowCount: z.number().optional(), nextPageToken: z.string().default(""),
});

export async function* readDelivery(query: DeliveryQuery, call: Call): AsyncIterable<{ phase: string; counts: DeliveryCount[]; total?: number }> {
  const client = new GamClient(call);
  for (const orders of chunk(query.orderExternalIds, ORDERS_AT_ONCE)) {
    for (const shape of SHAPES) {
      const report = await prepareReport(client, shape, orders, query);
      const result = await runReport(client, report);
      let pageToken = "";
      do {
        const page = await client.get(`${result}:fetchRows`, rowsSchema, { pageSize: String(ROWS_AT_ONCE), ...(pageToken ? { pageToken } : {}) });
        yield { phase: shape.phase, counts: page.rows.map(({ dimensionValues, metricValueGroups: [metrics] }) => toCount(shape, dimensionValues, metrics?.primaryValues ?? [])), ...(page.totalRowCount === undefined ? {} : { total: page.totalRowCount }) };
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    }
  }
}

async function prepareReport(client: GamClient, shape: Shape, orders: string[], query: DeliveryQuery): Promise<string> {
  const displayName = `Greenlight delivery ${shape.title} [${query.reportKey}]`;
  const reportDefinition = {
    reportType: "HISTORICAL",
    dimensions: ["DATE", "LINE_ITEM_ID", ...shape.cut],
    metrics: METRICS,
    filters: [{ fieldFilter: { field: { dimension: "ORDER_ID" }, operation: "IN", values: orders.map((id) => ({ intValue: id })) } }],
    // Days and amounts are the network's own, as the connection's zone and currency are.
    timeZoneSource: "PUBLISHER",
    dateRange: { fixed: { startDate: toDate(query.from), endDate: toDate(query.to) } },
  };
  const [known] = await client.list({ path: `${client.network}/reports`, key: "reports", schema: reportSchema, filter: `displayName = ${quote(displayName)}` });
  const report = known
    ? await client.patch(known.name, { name: known.name, reportDefinition }, "reportDefinition", reportSchema)
    : await client.post(`${client.network}/reports`, { displayName, visibility: "HIDDEN", reportDefinition }, reportSchema);
  return report.name;
}

/** Waits until it has run; the job's own deadline ends a wait that is too long. */
async function runReport(client: GamClient, report: string): Promise<string> {
  let operation = await client.post(`${report}:run`, {}, operationSchema);
  for (let look = 0; !operation.done; look += 1) {
    await sleep(client.lookUpPauseMs * 2 ** Math.min(look, DOUBLINGS_MAX), undefined, { signal: client.call.signal });
    operation = await client.get(operation.name, operationSchema);
  }
  if (operation.response) return operation.response.reportResult;
  throw new AdServerError("report_failed", `Ad Manager could not run the report: ${operation.error?.message ?? "it gave no reason"}`, { isPermanent: false, isAmbiguous: false, correlationId: client.correlationId });
}

function toCount(shape: Shape, [day, lineItem, ...cut]: ReportValue[], [impressions, clicks, completedViews, revenue]: ReportValue[]): DeliveryCount {
  const sliced = shape.toCut?.(cut);
  return {
    day: readDay(day), lineItemExternalId: idOf(readText(lineItem)), ...(sliced ? { cut: sliced } : {}),
    impressions: readCount(impressions), clicks: readCount(clicks), completedViews: readCount(completedViews), spendMicros: readMoney(revenue),
  };
}

/** Dates come as the number 20270301, or as text. */
function readDay(shown: ReportValue | undefined): string {
  const text = readText(shown).replaceAll("-", "");
  if (!/^\d{8}$/.test(text)) throw unreadable("a date");
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}

function readText(shown: ReportValue | undefined): string {
  return shown?.stringValue ?? shown?.intValue ?? "";
}

/** No value: nothing was counted. */
function readCount(shown: ReportValue | undefined): number {
  const count = Number(shown?.intValue ?? shown?.doubleValue ?? 0);
  if (!Number.isSafeInteger(count) || count < 0) throw unreadable("a number");
  return count;
}

/** Amounts come in whole and decimal units of the network's currency. */
function readMoney(shown: ReportValue | undefined): string {
  const amount = shown?.doubleValue ?? Number(shown?.intValue ?? 0);
  if (!Number.isFinite(amount) || amount < 0) throw unreadable("an amount");
  return String(BigInt(Math.round(amount * 1e6)));
}

function unreadable(what: string): AdServerError {
  return new AdServerError("unreadable_report", `Ad Manager's report holds ${what} in a form that this release does not know.`, { isPermanent: true, isAmbiguous: false });
}

function toDate(day: string): { year: number; month: number; day: number } {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return { year, month, day: date };
}
