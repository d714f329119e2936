import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type ProductSpec, type PublisherFixture } from "@/test/fixtures/publisher";
import { HAS_SCHEMAS_3_1 } from "@/test/fixtures/schemas-3-1";
import { isObject, loadSchema } from "../adcp/schemas";
import { withTenant } from "../db/client";
import { principals } from "../buyers/schema";
import { eq } from "drizzle-orm";
import { productFilters, REFUSED_FILTERS } from "./filters";

useTestDatabase();

const CATALOG: ProductSpec[] = [
  { productId: "gb", channels: ["display"], formatIds: ["display_970x250_image"], deliveryType: "guaranteed", pricing: [{ pricingOptionId: "fixed", rate: 12.5, minSpend: 1_000 }], details: { countries: ["GB", "GR"], exclusivity: "exclusive", performance_standards: [{ metric: "viewability", threshold: 0.7, standard: "mrc", vendor: { domain: "measure.example" } }, { metric: "ivt", threshold: 0.05, vendor: { domain: "measure.example" } }] } },
  { productId: "everywhere", channels: ["olv"], formatIds: ["video_vast_15s"], deliveryType: "non_guaranteed", pricing: [{ pricingOptionId: "auction", rate: null, floor: 4 }, { pricingOptionId: "fixed", rate: 9 }, { pricingOptionId: "euro", rate: 8, currency: "EUR" }] },
  { productId: "us", channels: ["podcast", "streaming_audio"], formatIds: ["cinema_spot_60s"], deliveryType: "guaranteed", pricing: [{ pricingOptionId: "auction", rate: null, floor: 10 }], details: { countries: ["US"], reporting_capabilities: { available_reporting_frequencies: ["daily"], expected_delay_minutes: 240, timezone: "UTC", supports_webhooks: false, available_metrics: ["impressions", "completed_views"], date_range_support: "date_range", vendor_metrics: [{ vendor: { domain: "attention.example" }, metric_id: "seconds" }] } } },
];

let publisher: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher({ products: CATALOG });
});

const ask = (filters: Record<string, unknown>, token = publisher.token) => callMcp("get_products", { buying_mode: "wholesale", filters }, { token });
const idsOf = (body: Record<string, unknown>) => asList(body.products).map(({ product_id }) => product_id);
const ALL = ["gb", "everywhere", "us"];
const vendor = { domain: "measure.example" };

/** Each filter with what it leaves of the three products. Those that look at availability have their own tests: lib/sync-jobs/availability.test.ts. */
const HONOURED: [keyof typeof productFilters.shape, unknown, string[]][] = [
  ["delivery_type", "guaranteed", ["gb", "us"]],
  ["exclusivity", "exclusive", ["gb"]],
  ["exclusivity", "none", ["everywhere", "us"]],
  ["is_fixed_price", true, ["gb", "everywhere"]],
  ["is_fixed_price", false, ["everywhere", "us"]],
  ["pricing_currencies", ["EUR"], ["everywhere"]],
  ["pricing_currencies", ["USD", "EUR"], ALL],
  ["format_ids", [{ agent_url: "https://elsewhere.example", id: "video_vast_15s" }], ["everywhere"]],
  ["standard_formats_only", true, ["gb", "everywhere"]],
  ["standard_formats_only", false, ALL],
  ["min_exposures", 1_000_000, ALL],
  ["start_date", "2031-02-01", ALL],
  ["end_date", "2031-02-28", ALL],
  ["budget_range", { max: 999, currency: "USD" }, ["everywhere", "us"]],
  ["budget_range", { min: 1, currency: "EUR" }, ["everywhere"]],
  ["countries", ["US", "FR"], ["everywhere", "us"]],
  ["countries", ["GB"], ["gb", "everywhere"]],
  ["regions", ["US-NY"], ["everywhere", "us"]],
  ["metros", [{ system: "nielsen_dma", code: "501" }], ["everywhere", "us"]],
  ["metros", [{ system: "uk_itl1", code: "TLI" }], ["gb", "everywhere"]],
  ["metros", [{ system: "eurostat_nuts2", code: "EL30" }], ["gb", "everywhere"]],
  ["metros", [{ system: "eurostat_nuts2", code: "DE30" }], ["everywhere"]],
  ["postal_areas", [{ system: "us_zip", values: ["10001"] }], ["everywhere", "us"]],
  ["postal_areas", [{ system: "gb_outward", values: ["SW1"] }], ["gb", "everywhere"]],
  ["channels", ["podcast", "olv"], ["everywhere", "us"]],
  ["required_features", { inline_creative_management: true, catalog_management: false }, ALL],
  ["required_features", { catalog_management: true }, []],
  ["required_features", { unheard_of: true }, []],
  ["required_geo_targeting", [{ level: "country" }], ALL],
  ["required_geo_targeting", [{ level: "country" }, { level: "metro", system: "nielsen_dma" }], []],
  ["required_performance_standards", [{ metric: "viewability", threshold: 0.7, standard: "mrc", vendor }], ["gb"]],
  ["required_performance_standards", [{ metric: "viewability", threshold: 0.71, standard: "mrc", vendor }], []],
  ["required_performance_standards", [{ metric: "ivt", threshold: 0.05, vendor }], ["gb"]],
  ["required_performance_standards", [{ metric: "ivt", threshold: 0.01, vendor }], []],
  ["required_performance_standards", [{ metric: "viewability", threshold: 0.1, standard: "mrc", vendor: { domain: "other.example" } }], []],
  ["required_metrics", ["impressions", "completed_views"], ["us"]],
  ["required_metrics", ["impressions"], ALL],
  ["required_vendor_metrics", [{ vendor: { domain: "attention.example" } }], ["us"]],
  ["required_vendor_metrics", [{ vendor: { domain: "attention.example" }, metric_id: "percent" }], []],
  ["required_vendor_metrics", [{ metric_id: "seconds" }], ["us"]],
  ["ext", { elsewhere: { tier: 1 } }, ALL],
];

/** A valid value for each refused filter. */
const REFUSED: Record<string, unknown> = {
  required_axe_integrations: ["https://exchange.example"],
  trusted_match: {},
  signal_targeting: [{ signal_id: { source: "catalog", data_provider_domain: "data.example", id: "drivers" }, value_type: "binary", value: true }],
  geo_proximity: [{ lat: 51.5, lng: -0.1, radius: { value: 5, unit: "km" } }],
  keywords: [{ keyword: "boots" }],
  video_placement_types: ["instream"],
  audio_distribution_types: ["podcast"],
  sponsored_placement_types: ["sponsored_search"],
  social_placement_surfaces: ["feed"],
};

const namesIn = (schema: unknown) => Object.keys(isObject(schema) && isObject(schema.properties) ? schema.properties : {});

describe("every filter is honoured or refused by name", () => {
  test("and the protocol knows no other", () => {
    const decided = [...Object.keys(productFilters.shape), ...Object.keys(REFUSED_FILTERS)];
    expect(namesIn(loadSchema("core/product-filters")).length).toBeGreaterThan(20);
    expect(namesIn(loadSchema("core/product-filters")).filter((name) => !decided.includes(name))).toEqual([]);
    expect(Object.keys(productFilters.shape).filter((name) => !HONOURED.some(([honoured]) => honoured === name))).toEqual([]);
    expect(Object.keys(REFUSED).sort()).toEqual(Object.keys(REFUSED_FILTERS).sort());
  });

  test.skipIf(!HAS_SCHEMAS_3_1)("nor does 3.1", () => {
    const decided = [...Object.keys(productFilters.shape), ...Object.keys(REFUSED_FILTERS)];
    expect(namesIn(JSON.parse(readFileSync("../shared/adcp/schemas-3.1.19/core/product-filters.json", "utf8"))).sort()).toEqual(decided.sort());
  });

  test.each(HONOURED)("%s %j", async (name, wanted, left) => {
    const { body, isError } = await ask({ [name]: wanted });
    expect([isError, idsOf(body)]).toEqual([false, left]);
  });

  test.each(Object.entries(REFUSED))("%s is refused", async (name, wanted) => {
    for (const door of [callMcp, callRest]) {
      const { body } = await door("get_products", { buying_mode: "wholesale", filters: { [name]: wanted } }, { token: publisher.token });
      expect(body.adcp_error).toMatchObject({ code: "UNSUPPORTED_FEATURE", recovery: "correctable", field: `filters.${name}`, message: REFUSED_FILTERS[name] });
    }
  });

  test("so are filters that nobody knows, and areas of a system of the buyer's own", async () => {
    expect((await ask({ channels: ["olv"], moon_phase: "full" })).body.adcp_error).toMatchObject({ code: "UNSUPPORTED_FEATURE", field: "filters.moon_phase" });
    expect((await ask({ toString: 1 })).body.adcp_error).toMatchObject({ code: "UNSUPPORTED_FEATURE", field: "filters.toString" });
    expect((await ask({ metros: [{ system: "nielsen_dma", code: "501" }, { system: "custom", code: "x" }] })).body.adcp_error).toMatchObject({ code: "UNSUPPORTED_FEATURE", field: "filters.metros[1].system" });
  });

  test("and those that contradict themselves, or that only 3.1's schema could have checked, are invalid", async () => {
    for (const [filters, field] of [
      [{ start_date: "2031-02-02", end_date: "2031-02-01" }, "filters.end_date"], [{ budget_range: { min: 10, max: 5, currency: "USD" } }, "filters.budget_range.max"],
      [{ pricing_currencies: ["dollars"] }, "filters.pricing_currencies[0]"], [{ required_metrics: "impressions" }, "filters.required_metrics"], [{ required_vendor_metrics: [{ vendor: 1 }] }, "filters.required_vendor_metrics[0].vendor"],
    ] as const) expect((await ask(filters)).body.adcp_error).toMatchObject({ code: "INVALID_REQUEST", field });
  });
});

describe("filters together", () => {
  test("all must hold", async () => {
    expect(idsOf((await ask({ countries: ["US"], delivery_type: "guaranteed" })).body)).toEqual(["us"]);
    expect(idsOf((await ask({ is_fixed_price: false, pricing_currencies: ["EUR"] })).body)).toEqual([]);
  });

  test("prices that do not fit are not shown with a product that does", async () => {
    const options = async (filters: Record<string, unknown>) => asList(asList((await ask(filters)).body.products).find(({ product_id }) => product_id === "everywhere")?.pricing_options).map(({ pricing_option_id: id }) => String(id)).sort();
    expect(await options({})).toEqual(["auction", "euro", "fixed"]);
    expect(await options({ is_fixed_price: true })).toEqual(["euro", "fixed"]);
    expect(await options({ is_fixed_price: true, pricing_currencies: ["USD"] })).toEqual(["fixed"]);
    expect(await options({})).toEqual(["auction", "euro", "fixed"]);
  });

  test("what is taken and changes nothing is named", async () => {
    expect(asObject((await ask({ ext: { elsewhere: {} } })).body.ext)).toEqual({ greenlight: { filters_not_applied: ["ext"] } });
    expect((await ask({})).body).not.toHaveProperty("ext");
  });
});

test("who sees no amounts finds none out by filtering", async () => {
  const buyer = await createBuyer(publisher.tenantId, { name: "Priceless" });
  await withTenant(publisher.tenantId, (tx) => tx.update(principals).set({ arePricesHidden: true }).where(eq(principals.id, buyer.principal.id)));
  for (const token of [buyer.token, ""]) {
    for (const max of [1, 999, 1_000]) {
      const { body } = await callMcp("get_products", { buying_mode: "wholesale", filters: { budget_range: { max, currency: "USD" }, min_exposures: 5 } }, token === "" ? {} : { token });
      expect(idsOf(body)).toEqual(ALL);
      expect(asList(body.incomplete).map(({ scope }) => scope)).toEqual(["pricing", "forecast"]);
    }
  }
});
