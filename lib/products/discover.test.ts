import { and, eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest, DOOR_URL, errorCode, newKey } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type ProductSpec, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { tenants } from "../tenants/schema";
import { pricingOptions, products } from "./schema";

useTestDatabase();

const CATALOG: ProductSpec[] = [
  { productId: "homepage_display", name: "Homepage takeover", description: "Large display on the homepage.", channels: ["display"], formatIds: ["display_970x250_image"], deliveryType: "guaranteed", pricing: [{ pricingOptionId: "fixed", rate: 12.5, minSpend: 1_000 }], details: { countries: ["GB"] } },
  { productId: "preroll", name: "Pre-roll", description: "Video before our films.", channels: ["olv"], formatIds: ["video_standard_15s", "video_vast_15s"], deliveryType: "non_guaranteed", pricing: [{ pricingOptionId: "auction", rate: null, floor: 4 }, { pricingOptionId: "daily", pricingModel: "time", rate: 900 }] },
  { productId: "news_audio", name: "News audio", description: "Spots in the morning news.", channels: ["podcast", "streaming_audio"], formatIds: ["audio_standard_30s"], deliveryType: "guaranteed", pricing: [{ pricingOptionId: "fixed", rate: 20 }, { pricingOptionId: "auction", rate: null, floor: 10 }], details: { enforced_policies: ["uk_hfss"] } },
  { productId: "unpriced", name: "Unpriced", pricing: [] },
];

let publisher: PublisherFixture;
let caller: { token: string };
beforeAll(async () => {
  publisher = await createPublisher({ products: CATALOG });
  await createPublisher({ slug: "elsewhere", products: [{ productId: "foreign" }] });
  caller = { token: publisher.token };
});

const find = async (input: Record<string, unknown>) => (await callMcp("get_products", input, caller)).body;
const idsOf = (body: Record<string, unknown>) => asList(body.products).map(({ product_id }) => product_id);

describe("get_products", () => {
  test("shows all that the publisher sells, and nothing without a price or of others", async () => {
    const body = await find({ buying_mode: "wholesale" });
    expect(idsOf(body)).toEqual(["homepage_display", "preroll", "news_audio"]);
    expect(asList(body.products)[0]).toMatchObject({
      format_ids: [{ agent_url: DOOR_URL, id: "display_970x250_image" }], delivery_type: "guaranteed", channels: ["display"],
      pricing_options: [{ pricing_option_id: "fixed", pricing_model: "cpm", currency: "USD", fixed_price: 12.5, min_spend_per_package: 1_000 }],
    });
    expect(asList(asList(body.products)[1]?.pricing_options)).toEqual([
      { pricing_option_id: "auction", pricing_model: "cpm", currency: "USD", floor_price: 4 },
      { pricing_option_id: "daily", pricing_model: "time", currency: "USD", fixed_price: 900, parameters: { time_unit: "day" } },
    ]);
    expect(body).toMatchObject({ pagination: { has_more: false, total_count: 3 }, sandbox: true });
  });

  test("puts what matches the brief first and says why", async () => {
    const body = await find({ buying_mode: "brief", brief: "We are looking for video, or radio around the news" });
    expect(idsOf(body)).toEqual(["news_audio", "preroll", "homepage_display"]);
    expect(asList(body.products).map(({ brief_relevance: why }) => why)).toEqual(["Matches the brief in: radio, news.", "Matches the brief in: video.", undefined]);
    expect(idsOf(await find({ brief: "…", preferred_delivery_types: ["non_guaranteed"] }))[0]).toBe("preroll");
  });

  test("the pages of a brief follow one another, also when the first call asked for none", async () => {
    const many = await createPublisher({ slug: "many", products: Array.from({ length: 52 }, (_, n) => ({ productId: `p${n}`, name: `Banner ${n}`, description: "Sport." })) });
    const page = async (input: Record<string, unknown>) => (await callMcp("get_products", { buying_mode: "brief", brief: "sport banner", ...input }, { token: many.token })).body;
    const first = await page({});
    const { cursor } = asObject(first.pagination);
    expect(asList(first.products)).toHaveLength(50);
    expect(idsOf(await page({ pagination: { cursor } }))).toHaveLength(2);
  });

  test("looks at the inventory that a product is mapped to and at its countries", async () => {
    const placed = await createPublisher({
      slug: "placed",
      products: [
        { productId: "a", name: "First", description: "Banners.", details: { countries: ["DE"] } },
        { productId: "b", name: "Second", description: "Banners.", target: { adUnitIds: ["21700000009"], placementIds: [], lineItemType: "STANDARD", names: { 21700000009: "Travel > Mountains" } } },
      ],
    });
    const first = async (brief: string) => asList((await callMcp("get_products", { buying_mode: "brief", brief }, { token: placed.token })).body.products)[0];
    expect(await first("hiking in the mountains")).toMatchObject({ product_id: "b", brief_relevance: "Matches the brief in: mountains." });
    expect(await first("readers in Germany")).toMatchObject({ product_id: "a", brief_relevance: "Matches the brief in: germany." });
  });

  test("among products that match alike, past performance counts, once three live buyers told of it", async () => {
    const twins = await createPublisher({ slug: "twins", mode: "live", isSandbox: false, products: [{ productId: "older", name: "Banner", description: "Sport." }, { productId: "better", name: "Banner", description: "Sport." }] });
    const ask = async () => {
      // The catalogue is read anew with its next version.
      await withTenant(twins.tenantId, (tx) => tx.update(tenants).set({ name: `Twins ${Math.random()}` }).where(eq(tenants.id, twins.tenantId)));
      return asList((await callMcp("get_products", { buying_mode: "brief", brief: "sport banner" }, { token: twins.token })).body.products).map(({ product_id: id, brief_relevance: why }) => [id, why]);
    };
    const tell = async (token: string, index: number) => {
      const account = { brand: { domain: "acme.example" }, operator: "acme.example" };
      await callMcp("sync_accounts", { idempotency_key: newKey(), accounts: [{ ...account, billing: "operator" }] }, { token });
      const { body } = await callMcp("create_media_buy", {
        idempotency_key: newKey(), account, brand: account.brand, start_time: days(2, new Date()), end_time: days(32, new Date()),
        packages: [{ product_id: "better", pricing_option_id: twins.products[1]?.pricingOptions[0]?.pricingOptionId, budget: 1_000 }],
      }, { token });
      for (let time = 0; time < 3; time += 1) {
        const told = await callMcp("provide_performance_feedback", { idempotency_key: newKey(), account, media_buy_id: body.media_buy_id, measurement_period: { start: days(-3, new Date()), end: days(-2, new Date()) }, performance_index: index }, { token });
        expect(told.isError).toBe(false);
      }
    };
    const buyers = [twins.token, (await createBuyer(twins.tenantId, { name: "Two", isSandbox: false })).token];
    for (const token of buyers) await tell(token, 1.5);
    expect((await ask()).map(([id]) => id)).toEqual(["older", "better"]);
    await tell((await createBuyer(twins.tenantId, { name: "Three", isSandbox: false })).token, 1.7);
    expect(await ask()).toEqual([["better", "Matches the brief in: sport, banner. Past campaigns on it did better than expected."], ["older", "Matches the brief in: sport, banner."]]);
  });

  test("filters", async () => {
    const filtered = async (filters: Record<string, unknown>) => idsOf(await find({ buying_mode: "wholesale", filters }));
    expect(await filtered({ delivery_type: "guaranteed" })).toEqual(["homepage_display", "news_audio"]);
    expect(await filtered({ channels: ["olv", "podcast"] })).toEqual(["preroll", "news_audio"]);
    expect(await filtered({ format_ids: [{ agent_url: "https://creative.adcontextprotocol.org", id: "video_standard_15s" }] })).toEqual(["preroll"]);
    expect(await filtered({ format_ids: [{ agent_url: "https://elsewhere.example", id: "video_15s" }] })).toEqual(["preroll"]);
    expect(await filtered({ format_ids: [{ agent_url: DOOR_URL, id: "unknown" }] })).toEqual([]);
    expect(await filtered({ is_fixed_price: false })).toEqual(["preroll", "news_audio"]);
    expect(await filtered({ countries: ["DE"] })).toEqual(["preroll", "news_audio"]);
    expect(await filtered({ budget_range: { max: 500, currency: "USD" } })).toEqual(["preroll", "news_audio"]);
    expect(await filtered({ budget_range: { min: 1, currency: "EUR" } })).toEqual([]);
    expect(idsOf(await find({ buying_mode: "wholesale", required_policies: ["uk_hfss"] }))).toEqual(["news_audio"]);
  });

  test("pages hold together when the catalogue changes between them", async () => {
    const page = async (cursor?: unknown) => find({ buying_mode: "wholesale", pagination: { max_results: 1, ...(cursor === undefined ? {} : { cursor }) } });
    const first = await page();
    expect([idsOf(first), asObject(first.pagination).has_more]).toEqual([["homepage_display"], true]);
    await withTenant(publisher.tenantId, (tx) => tx.update(products).set({ position: -1 }).where(and(eq(products.tenantId, publisher.tenantId), eq(products.productId, "preroll"))));
    const second = await page(asObject(first.pagination).cursor);
    expect(idsOf(second)).toEqual(["news_audio"]);
    expect(second.pagination).toEqual({ has_more: false, total_count: 3 });
    await withTenant(publisher.tenantId, (tx) => tx.update(products).set({ position: 1 }).where(and(eq(products.tenantId, publisher.tenantId), eq(products.productId, "preroll"))));
    for (const cursor of ["nonsense", `${String(asObject(first.pagination).cursor)}x`]) expect(errorCode(await callMcp("get_products", { pagination: { cursor } }, caller))).toBe("INVALID_REQUEST");
  });

  test("refines what was found", async () => {
    const body = await find({ buying_mode: "refine", refine: [{ scope: "product", product_id: "preroll", action: "omit" }, { scope: "request", ask: "more audio" }, { scope: "product", product_id: "nothing" }, { scope: "proposal", proposal_id: "p" }] });
    expect(idsOf(body)).toEqual(["news_audio", "homepage_display"]);
    expect(asList(body.refinement_applied).map(({ scope, status }) => `${String(scope)} ${String(status)}`)).toEqual(["product applied", "request partial", "product unable", "proposal unable"]);
    expect(idsOf(await find({ buying_mode: "refine", refine: [{ scope: "product", product_id: "preroll" }] }))).toEqual(["preroll"]);
  });

  test("modes and their fields go together", async () => {
    for (const input of [{ buying_mode: "wholesale", brief: "x" }, { buying_mode: "refine" }, { buying_mode: "brief", refine: [{ scope: "request", ask: "x" }] }]) {
      expect(errorCode(await callMcp("get_products", input, caller))).toBe("INVALID_REQUEST");
    }
  });

  test("`fields` shortens products, but never below what the protocol demands", async () => {
    const [product] = asList((await find({ buying_mode: "wholesale", fields: ["product_id", "channels"] })).products);
    expect(Object.keys(product ?? {}).sort()).toEqual(["channels", "delivery_type", "description", "format_ids", "name", "pricing_options", "product_id", "publisher_properties", "reporting_capabilities"]);
    expect(Object.keys(asList((await find({ buying_mode: "wholesale", fields: ["product_id"] })).products)[0] ?? {})).not.toContain("channels");
  });

  test("is never stale: a changed price, product or publisher shows in the next answer", async () => {
    const priceOf = async () => asList(asList((await find({ buying_mode: "wholesale" })).products)[0]?.pricing_options)[0]?.fixed_price;
    expect(await priceOf()).toBe(12.5);
    const setRate = (rateMicros: bigint) => withTenant(publisher.tenantId, (tx) => tx.update(pricingOptions).set({ rateMicros }).where(and(eq(pricingOptions.tenantId, publisher.tenantId), eq(pricingOptions.productId, publisher.products[0]?.id ?? ""))));
    await setRate(13_000_001n);
    expect(await priceOf()).toBe(13.000001);
    await setRate(12_500_000n);
    expect(await priceOf()).toBe(12.5);
    await withTenant(publisher.tenantId, (tx) => tx.update(tenants).set({ timeZone: "Asia/Tokyo" }).where(eq(tenants.id, publisher.tenantId)));
    expect(asList((await find({ buying_mode: "wholesale" })).products)[0]?.reporting_capabilities).toMatchObject({ timezone: "Asia/Tokyo" });
  });

  test("answers kept in memory are nobody else's: prices, sandbox, context", async () => {
    const real = await createBuyer(publisher.tenantId, { isSandbox: false });
    const input = { buying_mode: "wholesale", context: { who: "sandbox" } };
    const sandbox = await callRest("get_products", input, caller);
    const live = await callRest("get_products", { ...input, context: { who: "live" } }, { token: real.token });
    const visitor = await callRest("get_products", { buying_mode: "wholesale" });
    expect([sandbox.body.sandbox, live.body.sandbox, visitor.body.sandbox]).toEqual([true, undefined, undefined]);
    expect([sandbox.body.context, live.body.context, "context" in visitor.body]).toEqual([{ who: "sandbox" }, { who: "live" }, false]);
    expect(live.body.products).toEqual(sandbox.body.products);
    expect(JSON.stringify(visitor.body)).not.toContain("fixed_price");
    expect((await callRest("get_products", input, caller)).body).toEqual(sandbox.body);
  });
});
