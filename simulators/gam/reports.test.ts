import { afterAll, beforeAll, expect, test } from "vitest";
import { objectOf, objectsOf, textOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import { admin, associate, createClient, createCreative, createFixture, createLineItems, createOrder, idOf, nameOf, type Fixture } from "./test-client";

let simulator: Simulator;
let fixture: Fixture;
const DAY_MS = 86_400_000;
beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true });
  fixture = await createFixture(await createClient(simulator));
});
afterAll(() => simulator.close());

const date = (instant: number) => ({ year: new Date(instant).getUTCFullYear(), month: new Date(instant).getUTCMonth() + 1, day: new Date(instant).getUTCDate() });

function definition(order: JsonObject, changes: JsonObject = {}): JsonObject {
  return {
    reportType: "HISTORICAL", dimensions: ["DATE", "LINE_ITEM_ID"], metrics: ["AD_SERVER_IMPRESSIONS", "AD_SERVER_CLICKS", "AD_SERVER_REVENUE"],
    filters: [{ fieldFilter: { field: { dimension: "ORDER_ID" }, operation: "IN", values: [{ intValue: idOf(order) }] } }],
    dateRange: { fixed: { startDate: date(Date.now() - DAY_MS), endDate: date(Date.now() + 40 * DAY_MS) } }, ...changes,
  };
}

async function runToEnd(report: JsonObject): Promise<JsonObject> {
  let operation = await fixture.client.post(`/reports/${idOf(report)}:run`, {});
  while (operation.done !== true) operation = await fixture.client.get(`/operations/reports/runs/${idOf(operation)}`);
  return operation;
}

async function rows(report: JsonObject): Promise<{ day: string; impressions: number; clicks: number; revenue: number }[]> {
  const result = textOf(objectOf(await runToEnd(report), "response") ?? {}, "reportResult") ?? "";
  const answer = await fixture.client.get(`/${result.split("/").slice(2).join("/")}:fetchRows?pageSize=1000`);
  return objectsOf(answer, "rows").map((row) => {
    const [day] = objectsOf(row, "dimensionValues");
    const [impressions, clicks, revenue] = objectsOf(objectsOf(row, "metricValueGroups")[0] ?? {}, "primaryValues");
    return { day: String(day?.intValue), impressions: Number(impressions?.intValue), clicks: Number(clicks?.intValue), revenue: Number(revenue?.doubleValue) };
  });
}

test("a line item delivers evenly over its flight, not while it is paused, and never more than its goal", async () => {
  const begunMs = Date.now();
  const order = await createOrder(fixture);
  const [item] = await createLineItems(fixture, nameOf(order), 1);
  await associate(fixture, nameOf(item), nameOf(await createCreative(fixture)));
  const report = await fixture.client.post("/reports", { displayName: "Delivery", reportDefinition: definition(order) });
  expect(await rows(report)).toEqual([]);
  await fixture.client.post("/orders:batchApprove", { names: [nameOf(order)] });
  await admin(simulator.url, "POST", "/clock", { advanceMs: 4 * DAY_MS });
  const running = await rows(report);
  const total = (list: typeof running) => list.reduce((sum, row) => sum + row.impressions, 0);
  // 400,000 in thirty days, of which three have passed, and what this test took.
  expect(total(running)).toBeGreaterThanOrEqual(39_990);
  expect(total(running)).toBeLessThanOrEqual(40_010 + (400_000 * (Date.now() - begunMs)) / (30 * DAY_MS));
  for (const row of running) expect(row.revenue).toBeCloseTo((row.impressions * 12.5) / 1000, 1);

  await fixture.client.post("/lineItems:batchPause", { names: [nameOf(item)] });
  await admin(simulator.url, "POST", "/clock", { advanceMs: 5 * DAY_MS });
  expect(total(await rows(report))).toBeCloseTo(total(running), -2);
  await fixture.client.post("/lineItems:batchResume", { names: [nameOf(item)] });
  await admin(simulator.url, "POST", "/clock", { advanceMs: 40 * DAY_MS });
  expect(total(await rows(report))).toBeLessThanOrEqual(400_000);
  expect(total(await rows(report))).toBeGreaterThan(300_000);
});

test("what it cannot run is refused, a failed run says so, and results belong to their report", async () => {
  const order = await createOrder(fixture);
  for (const changes of [{ dimensions: ["DATE"] }, { reportType: "REACH" }, { dimensions: ["DATE", "LINE_ITEM_ID", "AD_UNIT_ID"] }, { dateRange: { fixed: { startDate: date(Date.now()), endDate: date(Date.now() - 5 * DAY_MS) } } }]) {
    expect((await fixture.client.request("POST", "/reports", { reportDefinition: definition(order, changes) })).status).toBe(400);
  }
  const report = await fixture.client.post("/reports", { displayName: "Fails", reportDefinition: definition(order) });
  await admin(simulator.url, "POST", "/faults", { kind: "reportFails", count: 1 });
  expect(await runToEnd(report)).toMatchObject({ done: true, error: { code: 13 } });
  expect((await fixture.client.request("GET", `/reports/${idOf(report)}/results/123:fetchRows`)).status).toBe(404);
});
