import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AdServerError } from "../types";
import { type GamClient } from "./client";
import { quote } from "./execute/lookup";

/** Ad Manager's reports: one hidden report per purpose and connection, found by its name, given its definition anew each time, run, and read in pages. */

const ROWS_AT_ONCE = 10_000;
/** Between looks at a running report: this often the pause doubles. */
const DOUBLINGS_MAX = 4;

const value = z.object({ intValue: z.union([z.string(), z.number()]).transform(String).optional(), doubleValue: z.number().optional(), stringValue: z.string().optional() });
export type ReportValue = z.infer<typeof value>;
export type ReportRow = { dimensions: ReportValue[]; metrics: ReportValue[] };
const reportSchema = z.object({ name: z.string(), displayName: z.string().default("") });
const operationSchema = z.object({
  name: z.string(), done: z.boolean().default(false), error: z.object({ message: z.string().default("") }).optional(), response: z.object({ reportResult: z.string() }).optional(),
});
const rowsSchema = z.object({
  rows: z.array(z.object({ dimensionValues: z.array(value), metricValueGroups: z.array(z.object({ primaryValues: z.array(value) })).min(1) })).default([]),
  totalRowCount: z.number().optional(), nextPageToken: z.string().default(""),
});

/** Runs a report and yields its rows in pages; the job's own deadline ends a wait that is too long. */
export async function* readReport(client: GamClient, displayName: string, reportDefinition: Record<string, unknown>): AsyncIterable<{ rows: ReportRow[]; total?: number }> {
  const result = await runReport(client, await prepareReport(client, displayName, reportDefinition));
  let pageToken = "";
  do {
    const page = await client.get(`${result}:fetchRows`, rowsSchema, { pageSize: String(ROWS_AT_ONCE), ...(pageToken ? { pageToken } : {}) });
    yield { rows: page.rows.map(({ dimensionValues, metricValueGroups: [metrics] }) => ({ dimensions: dimensionValues, metrics: metrics?.primaryValues ?? [] })), ...(page.totalRowCount === undefined ? {} : { total: page.totalRowCount }) };
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

async function prepareReport(client: GamClient, displayName: string, reportDefinition: Record<string, unknown>): Promise<string> {
  const [known] = await client.list({ path: `${client.network}/reports`, key: "reports", schema: reportSchema, filter: `displayName = ${quote(displayName)}` });
  const report = known
    ? await client.patch(known.name, { name: known.name, reportDefinition }, "reportDefinition", reportSchema)
    : await client.post(`${client.network}/reports`, { displayName, visibility: "HIDDEN", reportDefinition }, reportSchema);
  return report.name;
}

async function runReport(client: GamClient, report: string): Promise<string> {
  let operation = await client.post(`${report}:run`, {}, operationSchema);
  for (let look = 0; !operation.done; look += 1) {
    await sleep(client.lookUpPauseMs * 2 ** Math.min(look, DOUBLINGS_MAX), undefined, { signal: client.call.signal });
    operation = await client.get(operation.name, operationSchema);
  }
  if (operation.response) return operation.response.reportResult;
  throw new AdServerError("report_failed", `Ad Manager could not run the report: ${operation.error?.message ?? "it gave no reason"}`, { isPermanent: false, isAmbiguous: false, correlationId: client.correlationId });
}

/** Whole days of the network's own zone. */
export function dateRange(from: string, to: string): Record<string, unknown> {
  return { timeZoneSource: "PUBLISHER", dateRange: { fixed: { startDate: toDate(from), endDate: toDate(to) } } };
}

/** Rows whose value of this dimension is one of these ids. */
export function idFilter(dimension: string, ids: readonly string[]): Record<string, unknown> {
  return { fieldFilter: { field: { dimension }, operation: "IN", values: ids.map((id) => ({ intValue: id })) } };
}

/** Dates come as the number 20270301, or as text. */
export function readDay(shown: ReportValue | undefined): string {
  const text = readText(shown).replaceAll("-", "");
  if (!/^\d{8}$/.test(text)) throw unreadable("a date");
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}

export function readText(shown: ReportValue | undefined): string {
  return shown?.stringValue ?? shown?.intValue ?? "";
}

/** No value: nothing was counted. */
export function readCount(shown: ReportValue | undefined): number {
  const count = Number(shown?.intValue ?? shown?.doubleValue ?? 0);
  if (!Number.isSafeInteger(count) || count < 0) throw unreadable("a number");
  return count;
}

/** Amounts come in whole and decimal units of the network's currency. */
export function readMoney(shown: ReportValue | undefined): string {
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
