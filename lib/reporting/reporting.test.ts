import { and, asc, eq, like } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asBuyer, asSystem, change, homepage, NOW, order, place, readBuy } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { HAS_SCHEMAS_3_1, loadSchemas31 } from "@/test/fixtures/schemas-3-1";
import { failure } from "@/test/staff";
import { findResponseProblem } from "../adcp/tool-schemas";
import { getMediaBuyDeliveryTool } from "../adcp/tools/get-media-buy-delivery";
import { withTenant } from "../db/client";
import { recordDelivery } from "../delivery/service";
import { toWireId } from "../ids";
import { log } from "../log";
import { mediaBuys } from "../media-buys/schema";
import { products } from "../products/schema";
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from "../time";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { reportingSubscriptions } from "./schema";
import { sendDueReports } from "./sweep";
import { windowAt, windowAfter } from "./windows";

useTestDatabase();
const CREDENTIALS = "a-shared-secret-of-more-than-32-characters";
let publisher: PublisherFixture;
let now: Date;
beforeEach(async () => {
  now = NOW;
  publisher = await createPublisher();
});

const wish = (overrides: Record<string, unknown> = {}) => ({ url: "https://buyer.example/reports", reporting_frequency: "daily", authentication: { schemes: ["HMAC-SHA256"], credentials: CREDENTIALS }, ...overrides });
const run = (at: Date) => {
  now = at;
  return sendDueReports({ transact: withTenant, now: () => now, log });
};

/** An order of one package that runs from March 3 to April 2, London time, and reports as wished. */
async function running(reporting: Record<string, unknown> = {}, overrides: Record<string, unknown> = {}) {
  const { mediaBuyId } = await place(publisher, order({ reporting_webhook: wish(reporting), ...overrides }, homepage()));
  const { buy, packages } = await readBuy(publisher, mediaBuyId);
  await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ status: "active" }).where(eq(mediaBuys.id, mediaBuyId)));
  const record = (day: string, impressions: number, syncedAt: Date, more: Record<string, unknown> = {}) => asSystem(publisher, (ctx) => recordDelivery(ctx, {
    source: "ad_server", syncedAt, days: [{ packageId: packages[0]?.id ?? "", adapterConfigId: publisher.adapterConfigId, day, impressions, spendMicros: BigInt(impressions) * 12_500n, clicks: 7, completedViews: null, conversions: null, ...more }],
  }), syncedAt);
  return { mediaBuyId, buy, record };
}

type Notice = { notification_type: string; sequence_number: number; next_expected_at?: string; partial_data: boolean; reporting_period: { start: string; end: string }; media_buy_deliveries: Record<string, unknown>[] };

/** What was queued, in order, without the envelope. */
async function notices(): Promise<Notice[]> {
  const rows = await asSystem(publisher, ({ db, tenantId }) => db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, tenantId), like(webhookDeliveries.eventKey, "report:%"))).orderBy(asc(webhookDeliveries.id)));
  return rows.map(({ body }) => body.result as Notice).sort((a, b) => a.sequence_number - b.sequence_number);
}
const shapes = async () => (await notices()).map(({ notification_type: type, sequence_number: number, reporting_period: { start } }) => [number, type, start.slice(0, 10)]);

describe("daily", () => {
  test("each day is told once its figures are known, numbered, with the time of the next, in the client's envelope", async () => {
    const { record } = await running();
    await run(new Date("2027-03-03T23:00:00Z"));
    expect(await notices()).toEqual([]);
    await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
    await run(new Date("2027-03-04T04:00:00Z"));
    await record("2027-03-04", 2_000, new Date("2027-03-05T03:00:00Z"));
    await run(new Date("2027-03-05T04:00:00Z"));
    await run(new Date("2027-03-05T04:05:00Z"));
    expect(await notices()).toMatchObject([
      { notification_type: "scheduled", sequence_number: 1, next_expected_at: "2027-03-05T04:00:00.000Z", partial_data: false, currency: "USD", reporting_period: { start: "2027-03-03T00:00:00.000Z", end: "2027-03-04T00:00:00.000Z" }, media_buy_deliveries: [{ status: "active", totals: { impressions: 1_000, spend: 12.5, clicks: 7 } }] },
      { notification_type: "scheduled", sequence_number: 2, next_expected_at: "2027-03-06T04:00:00.000Z", reporting_period: { start: "2027-03-04T00:00:00.000Z" }, media_buy_deliveries: [{ totals: { impressions: 2_000 } }] },
    ]);
    for (const notice of await notices()) {
      expect(findResponseProblem(getMediaBuyDeliveryTool, notice)).toBeNull();
      expect(notice).not.toHaveProperty("aggregated_totals");
    }
    const [row] = await asSystem(publisher, ({ db }) => db.select().from(webhookDeliveries).where(like(webhookDeliveries.eventKey, "report:%")).limit(1));
    expect(row?.body).toMatchObject({ task_type: "media_buy_delivery", protocol: "media-buy", status: "completed", idempotency_key: row?.idempotencyKey, task_id: expect.stringMatching(/^wh_/) as string });
  });

  test("figures that are late are told to be, once; the day follows when they come", async () => {
    const { record } = await running();
    await run(new Date("2027-03-04T04:00:00Z"));
    await run(new Date("2027-03-04T05:00:00Z"));
    await run(new Date("2027-03-04T06:00:00Z"));
    expect(await notices()).toMatchObject([{ notification_type: "delayed", sequence_number: 1, next_expected_at: "2027-03-04T05:00:00.000Z", partial_data: true, unavailable_count: 1, media_buy_deliveries: [{ status: "reporting_delayed" }] }]);
    await record("2027-03-03", 900, new Date("2027-03-04T06:30:00Z"));
    await run(new Date("2027-03-04T07:00:00Z"));
    expect(await shapes()).toEqual([[1, "delayed", "2027-03-03"], [2, "scheduled", "2027-03-03"]]);
  });

  test("after a day of waiting the report goes out with what is known, and says so", async () => {
    await running();
    await run(new Date("2027-03-04T04:00:00Z"));
    await run(new Date("2027-03-05T04:00:00Z"));
    expect((await notices())[1]).toMatchObject({ notification_type: "scheduled", partial_data: true, unavailable_count: 1 });
  });

  test("a reported day whose figures change is sent again, once per change, marked as adjusted", async () => {
    const { record } = await running();
    await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
    await run(new Date("2027-03-04T04:00:00Z"));
    await record("2027-03-03", 1_000, new Date("2027-03-04T10:00:00Z"));
    await record("2027-03-04", 2_000, new Date("2027-03-05T03:00:00Z"));
    await run(new Date("2027-03-05T04:00:00Z"));
    expect(await shapes()).toEqual([[1, "scheduled", "2027-03-03"], [2, "scheduled", "2027-03-04"]]);
    await record("2027-03-03", 950, new Date("2027-03-05T10:00:00Z"));
    await record("2027-03-05", 3_000, new Date("2027-03-06T03:00:00Z"));
    await run(new Date("2027-03-06T04:00:00Z"));
    await run(new Date("2027-03-06T04:05:00Z"));
    expect((await notices()).slice(2)).toMatchObject([
      { notification_type: "adjusted", sequence_number: 3, media_buy_deliveries: [{ is_adjusted: true, totals: { impressions: 950 } }] }, { notification_type: "scheduled", sequence_number: 4, media_buy_deliveries: [{ totals: { impressions: 3_000 } }] },
    ]);
  });

  test("the last notice sums up an order that has ended, and names no next one", async () => {
    const { mediaBuyId, record } = await running();
    await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
    await run(new Date("2027-03-04T04:00:00Z"));
    await record("2027-03-04", 500, new Date("2027-03-04T20:00:00Z"));
    now = new Date("2027-03-04T12:00:00Z");
    await change(publisher, { media_buy_id: toWireId("mediaBuy", mediaBuyId), canceled: true }, now);
    await run(new Date("2027-03-05T04:00:00Z"));
    expect(await notices()).toMatchObject([{ notification_type: "scheduled" }, { notification_type: "final", sequence_number: 2, partial_data: false, media_buy_deliveries: [{ status: "canceled", totals: { impressions: 1_500 } }] }]);
    expect((await notices())[1]).not.toHaveProperty("next_expected_at");
    await run(new Date("2027-03-10T04:00:00Z"));
    expect(await notices()).toHaveLength(2);
  });
});

test("hourly: how the day stands, every hour, and the days once more when they are corrected", async () => {
  const { record } = await running({ reporting_frequency: "hourly" });
  await record("2027-03-03", 100, new Date("2027-03-03T12:50:00Z"));
  await run(new Date("2027-03-03T13:00:00Z"));
  await record("2027-03-03", 200, new Date("2027-03-03T13:50:00Z"));
  await run(new Date("2027-03-03T14:00:00Z"));
  expect(await notices()).toMatchObject([{ notification_type: "scheduled", next_expected_at: "2027-03-03T14:00:00.000Z", media_buy_deliveries: [{ totals: { impressions: 100 } }] }, { sequence_number: 2, media_buy_deliveries: [{ totals: { impressions: 200 } }] }]);
});

test("monthly: the calendar months of the ad server's zone", async () => {
  const { record } = await running({ reporting_frequency: "monthly" });
  await record("2027-03-10", 4_000, new Date("2027-04-01T02:00:00Z"));
  await run(new Date("2027-03-20T00:00:00Z"));
  expect(await notices()).toEqual([]);
  await run(new Date("2027-04-01T03:00:00Z"));
  expect(await notices()).toMatchObject([{ notification_type: "scheduled", reporting_period: { start: "2027-03-01T00:00:00.000Z", end: "2027-03-31T23:00:00.000Z" }, media_buy_deliveries: [{ totals: { impressions: 4_000 } }] }]);
});

test.skipIf(!HAS_SCHEMAS_3_1)("notices fit 3.1's schemas too", async () => {
  const problems = loadSchemas31();
  const { record } = await running();
  await run(new Date("2027-03-04T04:00:00Z"));
  await record("2027-03-03", 1_000, new Date("2027-03-04T05:30:00Z"));
  await run(new Date("2027-03-04T06:00:00Z"));
  const rows = await asSystem(publisher, ({ db }) => db.select({ body: webhookDeliveries.body }).from(webhookDeliveries).where(like(webhookDeliveries.eventKey, "report:%")));
  expect(rows).toHaveLength(2);
  for (const { body } of rows) {
    expect(problems("core/mcp-webhook-payload", body)).toEqual([]);
    expect(problems("media-buy/get-media-buy-delivery-response", body.result)).toEqual([]);
  }
});

test("only what was asked for is reported, and impressions and spend always", async () => {
  const { record } = await running({ requested_metrics: ["ctr"] });
  await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
  await run(new Date("2027-03-04T04:00:00Z"));
  const totals = (await notices())[0]?.media_buy_deliveries[0]?.totals;
  expect(totals).toMatchObject({ impressions: 1_000, spend: 12.5, ctr: 0.007 });
  expect(JSON.stringify(await notices())).not.toContain('"clicks"');
});

test("several schedulers at once write each notice once", async () => {
  const { record } = await running();
  await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
  now = new Date("2027-03-04T04:00:00Z");
  await Promise.all([run(now), run(now), run(now)]);
  expect(await shapes()).toEqual([[1, "scheduled", "2027-03-03"]]);
});

test("nothing is reported of an order that is not confirmed, nor of one that never will be", async () => {
  publisher = await createPublisher({ isReviewRequired: true });
  const { mediaBuyId } = await place(publisher, order({ reporting_webhook: wish() }));
  await run(addMs(NOW, 5 * DAY_MS));
  await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ status: "rejected" }).where(eq(mediaBuys.id, mediaBuyId)));
  await run(addMs(NOW, 6 * DAY_MS));
  expect(await notices()).toEqual([]);
  const [subscription] = await asSystem(publisher, ({ db }) => db.select().from(reportingSubscriptions));
  expect(subscription?.endedAt).not.toBeNull();
});

describe("a wish", () => {
  test("keeps its secrets sealed, and a later one takes its place", async () => {
    const { mediaBuyId, record } = await running();
    await record("2027-03-03", 1_000, new Date("2027-03-04T03:00:00Z"));
    await run(new Date("2027-03-04T04:00:00Z"));
    await change(publisher, { media_buy_id: toWireId("mediaBuy", mediaBuyId), reporting_webhook: wish({ url: "https://buyer.example/elsewhere" }) }, new Date("2027-03-04T10:00:00Z"));
    const configs = await asSystem(publisher, ({ db }) => db.select().from(pushNotificationConfigs).orderBy(pushNotificationConfigs.createdAt));
    expect(configs.map(({ url, purpose, archivedAt }) => [url, purpose, archivedAt !== null])).toEqual([["https://buyer.example/reports", "reporting", true], ["https://buyer.example/elsewhere", "reporting", false]]);
    expect(JSON.stringify(configs)).not.toContain(CREDENTIALS);
    await record("2027-03-04", 2_000, new Date("2027-03-05T03:00:00Z"));
    await run(new Date("2027-03-05T04:00:00Z"));
    expect(await shapes()).toEqual([[1, "scheduled", "2027-03-03"], [2, "scheduled", "2027-03-04"]]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["an address inside", { url: "https://10.1.2.3/" }, "reporting_webhook.url"], ["a metric nobody has", { requested_metrics: ["roas"] }, "reporting_webhook.requested_metrics"], ["a short secret", { authentication: { schemes: ["Bearer"], credentials: "short" } }, "reporting_webhook.authentication.credentials"],
  ])("with %s is refused, and the order with it", async (_what, reporting, field) => {
    const error = await failure(place(publisher, order({ reporting_webhook: wish(reporting) })));
    expect([error.code, error.field]).toEqual(["VALIDATION_ERROR", field]);
    expect(await asBuyer(publisher, ({ db }) => db.$count(mediaBuys))).toBe(0);
  });

  test("that a product says it cannot grant is refused", async () => {
    await asSystem(publisher, ({ db, tenantId }) => db.update(products).set({ details: { reporting_capabilities: { available_reporting_frequencies: ["daily"], available_metrics: ["impressions"] } } }).where(eq(products.tenantId, tenantId)));
    expect((await failure(place(publisher, order({ reporting_webhook: wish({ reporting_frequency: "hourly" }) })))).field).toBe("reporting_webhook.reporting_frequency");
    expect((await failure(place(publisher, order({ reporting_webhook: wish({ requested_metrics: ["clicks"] }) })))).field).toBe("reporting_webhook.requested_metrics");
    expect((await place(publisher, order({ reporting_webhook: wish({ requested_metrics: ["spend"] }) }))).outcome).toBe("confirmed");
  });
});

test("windows follow each other without gap or overlap, over clock changes too", () => {
  for (const [frequency, hours] of [["hourly", 1], ["daily", 24], ["monthly", 28 * 24]] as const) {
    for (let window = windowAt(new Date("2027-03-13T12:00:00Z"), frequency, "America/New_York"), count = 0; count < 400 / hours + 30; count += 1) {
      const next = windowAfter(window, frequency, "America/New_York");
      expect(next.startsAt).toEqual(window.endsAt);
      expect(window.endsAt.getTime() - window.startsAt.getTime()).toBeGreaterThanOrEqual(Math.min(hours, 23) * HOUR_MS - MINUTE_MS);
      window = next;
    }
  }
});
