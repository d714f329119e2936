import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asBuyer, asSystem, banner, change, days, homepage, NOW, order, place, readBuy, runOfSite } from "@/test/fixtures/orders";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";
import { findResponseProblem } from "../adcp/tool-schemas";
import { getMediaBuyDeliveryTool } from "../adcp/tools/get-media-buy-delivery";
import { creatives } from "../creatives/schema";
import { toWireId } from "../ids";
import { mediaBuys } from "../media-buys/schema";
import { getMediaBuyDelivery } from "./media-buy-delivery";
import { type DeliveryDay, type DeliverySlice, recordDelivery } from "./service";

useTestDatabase();

type Buyer = Parameters<typeof asBuyer>[0];
type Report = { reporting_period: { start: string; end: string }; currency: string; aggregated_totals?: Record<string, unknown>; media_buy_deliveries: Record<string, unknown>[]; errors?: { code: string; field?: string }[]; ext?: Record<string, unknown> };

/** Ten days into a flight of thirty that began two days after the order. */
const MIDWAY = new Date(days(12));

function report(buyer: Buyer, request: Record<string, unknown>, now = MIDWAY): Promise<Report> {
  return asBuyer(buyer, async (ctx) => {
    const answer = await getMediaBuyDelivery(ctx, { session: buyer.session, account: null, request });
    expect(findResponseProblem(getMediaBuyDeliveryTool, answer)).toBeNull();
    return answer as Report;
  }, now);
}

const slice = (dimension: DeliverySlice["dimension"], key: string, impressions: number, label?: string): DeliverySlice => ({ dimension, key, ...(label === undefined ? {} : { label }), impressions, spendMicros: BigInt(impressions) * 12_500n, clicks: null, completedViews: null, conversions: null });

async function running(...packages: Record<string, unknown>[]) {
  const publisher = await createPublisher();
  const { mediaBuyId, payload } = await place(publisher, order({}, ...packages));
  await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ status: "active" }));
  const sold = await readBuy(publisher, mediaBuyId);
  const wireIds = sold.packages.map(({ id }) => toWireId("package", id));
  const record = (list: (Partial<DeliveryDay> & { index?: number; day: string })[], syncedAt = MIDWAY) => asSystem(publisher, (ctx) => recordDelivery(ctx, {
    source: "ad_server", syncedAt,
    days: list.map(({ index = 0, ...day }) => ({ packageId: sold.packages[index]?.id ?? "", adapterConfigId: publisher.adapterConfigId, impressions: 0, spendMicros: 0n, clicks: null, completedViews: null, conversions: null, ...day })),
  }), syncedAt);
  return { publisher, mediaBuyId, id: String(payload.media_buy_id), wireIds, record };
}

describe("get_media_buy_delivery", () => {
  test("adds up days and packages, and says how old the figures are", async () => {
    const { publisher, id, wireIds, record } = await running(homepage(), runOfSite());
    await record([
      { day: "2027-03-03", impressions: 10_000, clicks: 20, spendMicros: 125_000_000n }, { day: "2027-03-04", impressions: 12_000, clicks: 25, spendMicros: 150_000_000n },
      { index: 1, day: "2027-03-04", impressions: 4_000, spendMicros: 12_000_000n },
    ], new Date(MIDWAY.getTime() - 600_000));
    const answer = await report(publisher, { media_buy_ids: [id], include_package_daily_breakdown: true });
    expect(answer).toMatchObject({
      reporting_period: { start: "2027-03-03T00:00:00.000Z", end: "2027-03-14T00:00:00.000Z" }, currency: "USD", sandbox: true,
      aggregated_totals: { impressions: 26_000, spend: 287, clicks: 45, media_buy_count: 1 },
      ext: { delivery: { as_of: new Date(MIDWAY.getTime() - 600_000).toISOString(), age_seconds: 600 } },
    });
    expect(answer.media_buy_deliveries).toMatchObject([{
      media_buy_id: id, status: "active", pricing_model: "cpm", totals: { impressions: 26_000, spend: 287, effective_rate: 11.0385 },
      daily_breakdown: [{ date: "2027-03-03", impressions: 10_000, spend: 125 }, { date: "2027-03-04", impressions: 16_000, spend: 162, clicks: 25 }],
      by_package: [
        { package_id: wireIds[0], impressions: 22_000, clicks: 45, ctr: 0.002, spend: 275, pricing_model: "cpm", rate: 12.5, currency: "USD", delivery_status: "delivering", paused: false, daily_breakdown: [{ date: "2027-03-03" }, { date: "2027-03-04" }] },
        { package_id: wireIds[1], impressions: 4_000, spend: 12, rate: 3, daily_breakdown: [{ date: "2027-03-04", impressions: 4_000, spend: 12 }] },
      ],
      ext: { delivery: { time_zone: "Europe/London", age_seconds: 600 } },
    }]);
    expect(answer.errors).toBeUndefined();
  });

  test("before the flight zero is the truth; once it has begun, silence is not zero", async () => {
    const { publisher, id, wireIds, record } = await running(homepage(), runOfSite());
    const ahead = await report(publisher, { media_buy_ids: [id] }, NOW);
    expect(ahead.media_buy_deliveries).toMatchObject([{ status: "active", totals: { impressions: 0, spend: 0 } }]);

    const silent = await report(publisher, { media_buy_ids: [id] });
    expect(silent.media_buy_deliveries).toMatchObject([{ status: "reporting_delayed", media_buy_status: "active", expected_availability: expect.any(String), totals: { spend: 0 }, ext: { delivery: { not_reported: wireIds } } }]);
    expect(silent.media_buy_deliveries[0]?.totals).not.toHaveProperty("impressions");
    expect(silent.ext).toBeUndefined();

    await record([{ day: "2027-03-04", impressions: 10 }]);
    const partly = await report(publisher, { media_buy_ids: [id] });
    expect(partly.media_buy_deliveries).toMatchObject([{ status: "active", totals: { impressions: 10 }, ext: { delivery: { not_reported: [wireIds[1]] } } }]);
    expect(partly.media_buy_deliveries[0]?.by_package).toMatchObject([{ impressions: 10 }, { spend: 0 }]);
  });

  test("a canceled order that never ran delivered nothing", async () => {
    const { publisher, id } = await running(homepage());
    await change(publisher, { media_buy_id: id, canceled: true });
    expect((await report(publisher, { media_buy_ids: [id] })).media_buy_deliveries).toMatchObject([{ status: "canceled", totals: { impressions: 0, spend: 0 } }]);
  });

  test("takes days of the connection's zone, both ends included", async () => {
    const { publisher, id, record } = await running(homepage());
    await record([{ day: "2027-03-03", impressions: 1 }, { day: "2027-03-04", impressions: 10 }, { day: "2027-03-05", impressions: 100 }, { day: "2027-03-06", impressions: 1000 }]);
    const answer = await report(publisher, { media_buy_ids: [id], start_date: "2027-03-04", end_date: "2027-03-05" });
    expect(answer).toMatchObject({ reporting_period: { start: "2027-03-04T00:00:00.000Z", end: "2027-03-06T00:00:00.000Z" }, aggregated_totals: { impressions: 110 } });
    const quiet = await report(publisher, { media_buy_ids: [id], start_date: "2027-03-08", end_date: "2027-03-08" });
    expect(quiet.media_buy_deliveries).toMatchObject([{ status: "active", totals: { impressions: 0, spend: 0 } }]);
    await expect(report(publisher, { media_buy_ids: [id], start_date: "2027-03-05", end_date: "2027-03-04" })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "end_date" });
    await expect(report(publisher, { media_buy_ids: [id], start_date: "2027-02-30" })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "start_date" });
  });

  test("pace is delivery against an even flight, as far as was reported", async () => {
    const { publisher, id, record } = await running(homepage());
    // 80,000 impressions in 30 days; five days in, 20,000 instead of 13,333.
    await record([{ day: "2027-03-05", impressions: 20_000, spendMicros: 250_000_000n }], new Date(days(7)));
    expect((await report(publisher, { media_buy_ids: [id] })).media_buy_deliveries[0]?.by_package).toMatchObject([{ pacing_index: 1.5 }]);
    await record([{ day: "2027-03-05", impressions: 80_000, spendMicros: 1_000_000_000n }]);
    expect((await report(publisher, { media_buy_ids: [id] })).media_buy_deliveries[0]?.by_package).toMatchObject([{ delivery_status: "goal_met" }]);
  });

  test("cuts by what was asked for, largest first, and says when it left some out", async () => {
    const { publisher, id, record } = await running(homepage({ creatives: [banner(), banner("banner-2")] }));
    const [first, second] = await asSystem(publisher, ({ db }) => db.select({ id: creatives.id, creativeId: creatives.creativeId }).from(creatives).orderBy(creatives.creativeId));
    await record([{
      day: "2027-03-04", impressions: 1000, spendMicros: 12_500_000n,
      slices: [
        slice("creative", first?.id ?? "", 750), slice("creative", second?.id ?? "", 250), slice("country", "US", 700, "United States"), slice("country", "CA", 200), slice("country", "MX", 100),
        slice("device_type", "mobile", 600), slice("device_type", "desktop", 400),
      ],
    }]);
    const answer = await report(publisher, { media_buy_ids: [id], reporting_dimensions: { geo: { geo_level: "country", limit: 2 }, device_type: { sort_by: "clicks" }, audience: {}, placement: {} } });
    const [shown] = answer.media_buy_deliveries[0]?.by_package as Record<string, unknown>[];
    expect(shown).toMatchObject({
      by_creative: [{ creative_id: "banner-1", weight: 75, impressions: 750, spend: 9.375 }, { creative_id: "banner-2", weight: 25 }],
      by_geo: [{ geo_level: "country", geo_code: "US", geo_name: "United States", impressions: 700, spend: 8.75 }, { geo_code: "CA" }], by_geo_truncated: true,
      by_device_type: [{ device_type: "mobile" }, { device_type: "desktop" }], by_device_type_truncated: false,
    });
    expect(shown).not.toHaveProperty("by_audience");
    expect(shown).not.toHaveProperty("by_placement");
    const plain = await report(publisher, { media_buy_ids: [id] });
    expect(plain.media_buy_deliveries[0]?.by_package).not.toMatchObject([{ by_geo: expect.anything() }]);
  });

  test("unknown and foreign media buys are named alike, and the others are answered", async () => {
    const { publisher, id } = await running(homepage());
    const other = await createBuyer(publisher.tenantId);
    const unknown = toWireId("mediaBuy", "01900000-0000-7000-8000-000000000000");
    const answer = await report(publisher, { media_buy_ids: [unknown, id] }, NOW);
    expect(answer.media_buy_deliveries).toHaveLength(1);
    expect(answer.errors).toMatchObject([{ code: "MEDIA_BUY_NOT_FOUND", field: "media_buy_ids[0]" }]);
    const [foreign, absent] = [await report({ tenantId: publisher.tenantId, session: other.session }, { media_buy_ids: [id] }, NOW), await report({ tenantId: publisher.tenantId, session: other.session }, { media_buy_ids: [unknown] }, NOW)];
    expect(foreign).toEqual(absent);
    expect(foreign.media_buy_deliveries).toEqual([]);
  });

  test("without ids it tells of all orders that the filter lets through", async () => {
    const { publisher, id } = await running(homepage());
    const { payload } = await place(publisher, order());
    expect((await report(publisher, {}, NOW)).media_buy_deliveries.map((item) => item.media_buy_id).sort()).toEqual([id, String(payload.media_buy_id)].sort());
    expect((await report(publisher, { status_filter: "active" }, NOW)).media_buy_deliveries).toMatchObject([{ media_buy_id: id }]);
  });
});
