import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asActor, asBuyer, asSystem, banner, days, homepage, order, place, readBuy, staff } from "@/test/fixtures/orders";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";
import { findResponseProblem } from "../adcp/tool-schemas";
import { getCreativeDeliveryTool } from "../adcp/tools/get-creative-delivery";
import { creatives } from "../creatives/schema";
import { toWireId } from "../ids";
import { getCreativeDelivery } from "./creative-delivery";
import { listFeedback, provideFeedback } from "./feedback";
import { recordDelivery } from "./service";

useTestDatabase();

const LATER = new Date(days(12));
type Buyer = Parameters<typeof asBuyer>[0];

describe("get_creative_delivery", () => {
  type Answer = { creatives: Record<string, unknown>[]; pagination: { has_more: boolean; cursor?: string }; errors?: unknown[] };
  const read = (buyer: Buyer, request: Record<string, unknown>) => asBuyer(buyer, async (ctx) => {
    const answer = await getCreativeDelivery(ctx, { session: buyer.session, account: null, request });
    expect(findResponseProblem(getCreativeDeliveryTool, answer)).toBeNull();
    return answer as Answer;
  }, LATER);

  async function delivered() {
    const publisher = await createPublisher();
    const { mediaBuyId, payload } = await place(publisher, order({}, homepage({ creatives: [banner(), banner("banner-2"), banner("banner-3")] })));
    const { packages: [sold] } = await readBuy(publisher, mediaBuyId);
    const rows = await asSystem(publisher, ({ db }) => db.select({ id: creatives.id, creativeId: creatives.creativeId }).from(creatives));
    const key = rows.find(({ creativeId }) => creativeId === "banner-2")?.id ?? "";
    const figures = { impressions: 500, spendMicros: 6_250_000n, clicks: 5, completedViews: null, conversions: null };
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: LATER, days: [{ packageId: sold?.id ?? "", adapterConfigId: publisher.adapterConfigId, day: "2027-03-04", ...figures, slices: [{ dimension: "creative", key, ...figures }] }] }));
    return { publisher, id: String(payload.media_buy_id) };
  }

  test("shows what each creative delivered, and none for those that did not", async () => {
    const { publisher, id } = await delivered();
    const answer = await read(publisher, { media_buy_ids: [id] });
    expect(answer).toMatchObject({ media_buy_id: id, currency: "USD", reporting_period: { timezone: "Europe/London" }, pagination: { limit: 50, offset: 0, total: 3, has_more: false } });
    expect(answer.creatives).toHaveLength(3);
    expect(answer.creatives).toContainEqual(expect.objectContaining({ creative_id: "banner-2", media_buy_id: id, totals: expect.objectContaining({ impressions: 500, spend: 6.25, clicks: 5, ctr: 0.01 }), variant_count: 1, variants: [expect.objectContaining({ variant_id: "banner-2", impressions: 500 })] }));
    expect(answer.creatives).toContainEqual(expect.objectContaining({ creative_id: "banner-1", variant_count: 0, variants: [] }));
    expect((await read(publisher, { creative_ids: ["banner-2"], start_date: "2027-03-05" })).creatives).toMatchObject([{ creative_id: "banner-2", variants: [] }]);
  });

  test("comes in pages", async () => {
    const { publisher, id } = await delivered();
    const first = await read(publisher, { media_buy_ids: [id], pagination: { max_results: 2 } });
    const second = await read(publisher, { media_buy_ids: [id], pagination: { max_results: 2, cursor: first.pagination.cursor } });
    expect([first.pagination.has_more, second.pagination.has_more]).toEqual([true, false]);
    expect([...first.creatives, ...second.creatives].map((item) => item.creative_id).sort()).toEqual(["banner-1", "banner-2", "banner-3"]);
  });

  test("other buyers' creatives and media buys are unknown", async () => {
    const { publisher, id } = await delivered();
    const { session } = await createBuyer(publisher.tenantId);
    const answer = await read({ tenantId: publisher.tenantId, session }, { media_buy_ids: [id], creative_ids: ["banner-2"] });
    expect(answer).toMatchObject({ creatives: [], errors: [{ code: "MEDIA_BUY_NOT_FOUND", field: "media_buy_ids[0]" }, { code: "CREATIVE_NOT_FOUND", field: "creative_ids[0]" }] });
  });
});

describe("provide_performance_feedback", () => {
  const give = (buyer: Buyer, request: Record<string, unknown>, now = LATER) => asBuyer(buyer, (ctx) => provideFeedback(ctx, { session: buyer.session, request: { performance_index: 1.2, measurement_period: { start: days(2), end: days(9) }, ...request } }), now);

  test("is stored beside earlier ones and shown to staff, newest first", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId, payload } = await place(publisher, order({}, homepage({ creatives: [banner()] })));
    const { packages: [sold] } = await readBuy(publisher, mediaBuyId);
    const id = payload.media_buy_id;
    await give(publisher, { media_buy_id: id }, new Date(LATER.getTime() - 1_000));
    await give(publisher, { media_buy_id: id, package_id: toWireId("package", sold?.id ?? ""), creative_id: "banner-1", performance_index: 0.4, metric_type: "click_through_rate", feedback_source: "third_party_measurement" });
    expect(await asActor(publisher, staff("viewer"), (ctx) => listFeedback(ctx, mediaBuyId))).toMatchObject([
      { performanceIndex: 0.4, packageId: sold?.id, creativeId: "banner-1", metricType: "click_through_rate", feedbackSource: "third_party_measurement", createdAt: LATER },
      { performanceIndex: 1.2, packageId: null, creativeId: null, metricType: "overall_performance", feedbackSource: "buyer_attribution", periodStart: new Date(days(2)), periodEnd: new Date(days(9)) },
    ]);
  });

  test("names what is not there or cannot be", async () => {
    const publisher = await createPublisher();
    const { payload: { media_buy_id: id } } = await place(publisher, order());
    const other = await createBuyer(publisher.tenantId);
    await expect(give({ tenantId: publisher.tenantId, session: other.session }, { media_buy_id: id })).rejects.toMatchObject({ code: "MEDIA_BUY_NOT_FOUND", field: "media_buy_id" });
    await expect(give(publisher, { media_buy_id: id, package_id: "pkg_x" })).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND", field: "package_id" });
    await expect(give(publisher, { media_buy_id: id, creative_id: "none" })).rejects.toMatchObject({ code: "CREATIVE_NOT_FOUND", field: "creative_id" });
    await expect(give(publisher, { media_buy_id: id, measurement_period: { start: days(9), end: days(2) } })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "measurement_period.end" });
    await expect(give(publisher, { media_buy_id: id, measurement_period: { start: days(2), end: days(20) } })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "measurement_period.end" });
  });
});
