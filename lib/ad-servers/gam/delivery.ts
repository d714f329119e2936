import { type Call, type DeliveryCount, type DeliveryQuery } from "../types";
import { GamClient } from "./client";
import { chunk } from "./planning";
import { dateRange, idFilter, readCount, readDay, readMoney, readReport, type ReportRow, readText, type ReportValue } from "./reports";
import { idOf } from "./resources";

/**
 * Delivery by day, from one report per shape. Reports count what the ad server has processed, usually within hours; the last days are read
 * again until they stand. Days and amounts are the network's own, as the connection's zone and currency are.
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

export async function* readDelivery(query: DeliveryQuery, call: Call): AsyncIterable<{ phase: string; counts: DeliveryCount[]; total?: number }> {
  const client = new GamClient(call);
  for (const orders of chunk(query.orderExternalIds, ORDERS_AT_ONCE)) {
    for (const shape of SHAPES) {
      const pages = readReport(client, `Greenlight delivery ${shape.title} [${query.reportKey}]`, {
        reportType: "HISTORICAL", dimensions: ["DATE", "LINE_ITEM_ID", ...shape.cut], metrics: METRICS, filters: [idFilter("ORDER_ID", orders)], ...dateRange(query.from, query.to),
      });
      for await (const { rows, total } of pages) yield { phase: shape.phase, counts: rows.map((row) => toCount(shape, row)), ...(total === undefined ? {} : { total }) };
    }
  }
}

function toCount(shape: Shape, { dimensions: [day, lineItem, ...cut], metrics: [impressions, clicks, completedViews, revenue] }: ReportRow): DeliveryCount {
  const sliced = shape.toCut?.(cut);
  return {
    day: readDay(day), lineItemExternalId: idOf(readText(lineItem)), ...(sliced ? { cut: sliced } : {}),
    impressions: readCount(impressions), clicks: readCount(clicks), completedViews: readCount(completedViews), spendMicros: readMoney(revenue),
  };
}
