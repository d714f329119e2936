import { AdServerError, type Availability, type AvailabilityDay, type AvailabilityQuery, type Call } from "../types";
import { GamClient } from "./client";
import { gamTargetSchema, type GamTarget } from "./config";
import { dateRange, idFilter, readCount, readDay, readReport } from "./reports";

/**
 * Future sell-through by day, for the ad units and placements of one product at a time. Ad Manager's availability forecast takes line items that
 * exist, and no product has one before it is sold; its sell-through report tells the same of inventory.
 */
const METRICS = ["SELL_THROUGH_FORECASTED_IMPRESSIONS", "SELL_THROUGH_AVAILABLE_IMPRESSIONS"];

export async function* readAvailability(query: AvailabilityQuery, call: Call): AsyncIterable<Availability> {
  const client = new GamClient(call);
  // Products over the same inventory share an answer.
  const known = new Map<string, Answer>();
  for (const { key, target } of query.items) {
    const parsed = gamTargetSchema.safeParse(target);
    if (!parsed.success) {
      yield { key, reason: "Its ad server target is incomplete." };
      continue;
    }
    if (parsed.data.customTargeting && parsed.data.customTargeting.length > 0) {
      yield { key, reason: "It is narrowed by key-values, which Ad Manager's sell-through report does not know." };
      continue;
    }
    const filter = toFilter(parsed.data);
    const name = JSON.stringify(filter);
    const answer = known.get(name) ?? (await answerFor(client, query, filter));
    known.set(name, answer);
    yield { key, ...answer };
  }
}

type Answer = { days: AvailabilityDay[]; reason?: undefined } | { reason: string };

/** One inventory that is refused, such as an ad unit that was deleted, leaves the others theirs. */
async function answerFor(client: GamClient, query: AvailabilityQuery, filter: Record<string, unknown>): Promise<Answer> {
  try {
    return { days: await readDays(client, query, filter) };
  } catch (error) {
    if (error instanceof AdServerError && (error.code === "refused" || error.code === "unreadable_report")) return { reason: `Ad Manager cannot report on its inventory: ${error.message}` };
    throw error;
  }
}

async function readDays(client: GamClient, query: AvailabilityQuery, filter: Record<string, unknown>) {
  const days = [];
  const pages = readReport(client, `Greenlight availability [${query.reportKey}]`, { reportType: "FUTURE_SELL_THROUGH", dimensions: ["DATE"], metrics: METRICS, filters: [filter], ...dateRange(query.from, query.to) });
  for await (const { rows } of pages) {
    for (const { dimensions: [day], metrics: [forecast, available] } of rows) days.push({ day: readDay(day), forecast: readCount(forecast), available: readCount(available) });
  }
  return days.sort((a, b) => a.day.localeCompare(b.day));
}

/** Ad units count with everything below them unless the target says otherwise; a row is in when it is in one of them. */
function toFilter({ adUnitIds, placementIds, includeDescendants = true }: GamTarget): Record<string, unknown> {
  const filters = [
    ...(adUnitIds.length > 0 ? [idFilter(includeDescendants ? "AD_UNIT_ID_ALL_LEVEL" : "AD_UNIT_ID", [...adUnitIds].sort())] : []),
    ...(placementIds.length > 0 ? [idFilter("PLACEMENT_ID_ALL", [...placementIds].sort())] : []),
  ];
  const [first = {}] = filters;
  return filters.length === 1 ? first : { orFilter: { filters } };
}
