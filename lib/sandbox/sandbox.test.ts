import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, newKey, rpc } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { settleStatus } from "../media-buys/settle";
import { systemCtx } from "@/test/fixtures/order";
import { fromWireId, newId } from "../ids";
import { withTenant } from "../db/client";
import { products } from "../products/schema";

useTestDatabase();

let publisher: PublisherFixture;
let other: Awaited<ReturnType<typeof createBuyer>>;
let live: Awaited<ReturnType<typeof createBuyer>>;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createBuyer(publisher.tenantId, { name: "Other", isSandbox: true });
  live = await createBuyer(publisher.tenantId, { name: "Live", isSandbox: false });
});

const control = async (scenario: string, params: Record<string, unknown> = {}, token = publisher.token) => (await callMcp("comply_test_controller", { scenario, params }, { token })).body;
const call = async (tool: string, input: Record<string, unknown>, token = publisher.token) => (await callMcp(tool, input, { token })).body;
const order = (productId: string, pricingOptionId: string) => ({
  idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: days(2, new Date()), end_time: days(32, new Date()), packages: [{ product_id: productId, pricing_option_id: pricingOptionId, budget: 1_000 }],
});
const place = async () => {
  const [product] = publisher.products;
  return call("create_media_buy", order(product?.productId ?? "", product?.pricingOptions[0]?.pricingOptionId ?? ""));
};
const statusOf = async (id: unknown) => asList((await call("get_media_buys", { media_buy_ids: [id] })).media_buys)[0]?.status;

describe("the test controller", () => {
  test("exists for sandbox buyers alone, at every door", async () => {
    for (const token of [live.token, undefined]) {
      expect(JSON.stringify((await rpc("tools/list", {}, token ? { token } : {})).body)).not.toContain("comply_test_controller");
      const answer = await rpc("tools/call", { name: "comply_test_controller", arguments: { scenario: "list_scenarios" } }, token ? { token } : {});
      const unknown = await rpc("tools/call", { name: "no_such_tool", arguments: {} }, token ? { token } : {});
      expect(JSON.stringify(answer.body)).toBe(JSON.stringify(unknown.body));
      expect((await callRest("comply_test_controller", { scenario: "list_scenarios" }, token ? { token } : {})).status).toBe(404);
      expect(JSON.stringify(await call("get_adcp_capabilities", {}, token ?? live.token))).not.toContain("compliance_testing");
    }
    expect(asObject((await call("get_adcp_capabilities", {})).compliance_testing).scenarios).toContain("force_media_buy_status");
    expect(await control("list_scenarios")).toMatchObject({ success: true, scenarios: expect.arrayContaining(["seed_product", "simulate_delivery"]) as string[] });
  });

  test("says what is wrong in its own codes, and keeps nothing of what failed", async () => {
    expect(await control("nonsense")).toMatchObject({ success: false, error: "UNKNOWN_SCENARIO" });
    expect(await control("toString")).toMatchObject({ success: false, error: "UNKNOWN_SCENARIO" });
    expect(await control("seed_product", {})).toMatchObject({ success: false, error: "INVALID_PARAMS", error_detail: expect.stringContaining("params.product_id") as string });
    expect(await control("force_media_buy_status", { media_buy_id: "mb_unknown", status: "active" })).toMatchObject({ success: false, error: "NOT_FOUND" });
    expect(await control("seed_product", { product_id: "half", fixture: { pricing_options: [{ pricing_option_id: "x" }] } })).toMatchObject({ success: false, error: "INVALID_PARAMS" });
    expect(JSON.stringify(await call("get_products", { buying_mode: "wholesale" }))).not.toContain("half");
  });

  test("a seeded product is for its buyer alone, sells without review, and a second seeding of another one under its id is refused", async () => {
    const fixture = { name: "Seeded", delivery_type: "non_guaranteed", pricing_options: [{ pricing_option_id: "fixed", pricing_model: "cpm", fixed_price: 4 }] };
    expect(await control("seed_product", { product_id: "seeded", fixture })).toMatchObject({ success: true });
    expect(await control("seed_product", { product_id: "seeded", fixture })).toMatchObject({ success: true });
    expect(await control("seed_product", { product_id: "seeded", fixture: { ...fixture, name: "Else" } })).toMatchObject({ success: false, error: "INVALID_PARAMS" });
    expect(await call("create_media_buy", order("seeded", "fixed"))).toMatchObject({ media_buy_id: expect.any(String) as string });
    for (const token of [other.token, live.token]) {
      expect(JSON.stringify(await call("get_products", { buying_mode: "wholesale" }, token))).not.toContain("Seeded");
    }
    expect(asObject((await call("create_media_buy", order("seeded", "fixed"), other.token)).adcp_error).code).toBe("PRODUCT_NOT_FOUND");
  });

  test("ids of seeded products are their buyer's own: another buyer's seeding and what the publisher hides tell nothing, and the buyer's product stands before the publisher's", async () => {
    const fixture = (name: string) => ({ name, delivery_type: "non_guaranteed", pricing_options: [{ pricing_option_id: "fixed", pricing_model: "cpm", fixed_price: 4 }] });
    const crowded = await createPublisher();
    const [first, second] = [crowded.token, (await createBuyer(crowded.tenantId, { name: "Second", isSandbox: true })).token];
    const real = (await createBuyer(crowded.tenantId, { name: "Real", isSandbox: false })).token;
    const shownTo = async (token: string) => asList((await call("get_products", { buying_mode: "wholesale" }, token)).products).map(({ product_id: id, name }) => `${String(id)}: ${String(name)}`);
    const before = await shownTo(real);
    await withTenant(crowded.tenantId, (db) => db.insert(products).values({ tenantId: crowded.tenantId, id: newId(), productId: "hidden", name: "Hidden", description: "For others.", formatIds: ["display_300x250_image"], deliveryType: "guaranteed", visibility: "selected" }));
    for (const id of ["shared", "hidden", crowded.products[0]?.productId ?? ""]) {
      const answers = [];
      for (const token of [first, second]) answers.push(await control("seed_product", { product_id: id, fixture: fixture(`${id} of ${token === second ? "the second" : "the first"}`) }, token));
      for (const answer of answers) expect(answer).toMatchObject({ success: true, message: "Fixture seeded." });
      for (const [token, whose] of [[first, "the first"], [second, "the second"]] as const) {
        const shown = asList((await call("get_products", { buying_mode: "wholesale" }, token)).products).filter(({ product_id: productId }) => productId === id);
        expect(shown.map(({ name }) => name)).toEqual([`${id} of ${whose}`]);
        const [ordered] = asList((await call("create_media_buy", order(id, "fixed"), token)).packages);
        expect(ordered).toMatchObject({ product_id: id });
      }
    }
    // To everybody else nothing has changed.
    expect(await shownTo(real)).toEqual(before);
  });

  test("a fixture that is seeded again is there already; another one under its id is refused with the fields that differ", async () => {
    const fixture = { name: "Again", delivery_type: "non_guaranteed", pricing_options: [{ pricing_option_id: "fixed", pricing_model: "cpm", fixed_price: 4 }] };
    await control("seed_product", { product_id: "again", fixture });
    expect(await control("seed_product", { product_id: "again", fixture: { ...fixture } })).toMatchObject({ success: true, message: expect.stringContaining("before") as string });
    const refused = await control("seed_product", { product_id: "again", fixture: { ...fixture, name: "Else", channels: ["display"] } });
    expect(refused).toMatchObject({ success: false, error: "INVALID_PARAMS", error_detail: expect.stringMatching(/name.*channels|channels.*name/) as string });
    expect(String(refused.error_detail)).not.toContain("delivery_type");
  });

  test("moves an order along the protocol's table, where every tool sees it and the clock leaves it", async () => {
    const id = (await place()).media_buy_id;
    expect(await control("force_media_buy_status", { media_buy_id: id, status: "active" })).toMatchObject({ success: true, previous_state: "pending_creatives", current_state: "active" });
    expect(await control("force_media_buy_status", { media_buy_id: id, status: "active" }, other.token)).toMatchObject({ success: false, error: "NOT_FOUND" });
    await withTenant(publisher.tenantId, (db) => settleStatus(systemCtx(db, publisher.tenantId, new Date("2099-01-01T00:00:00Z")), fromWireId("mediaBuy", String(id)) ?? ""));
    expect(await statusOf(id)).toBe("active");
    expect(await control("force_media_buy_status", { media_buy_id: id, status: "completed" })).toMatchObject({ success: true });
    expect(await control("force_media_buy_status", { media_buy_id: id, status: "active" })).toMatchObject({ success: false, error: "INVALID_TRANSITION", current_state: "completed" });
    expect(await statusOf(id)).toBe("completed");
  });

  test("makes up delivery, which reports then show", async () => {
    const id = (await place()).media_buy_id;
    await control("force_media_buy_status", { media_buy_id: id, status: "active" });
    expect(await control("simulate_delivery", { media_buy_id: id, impressions: 10_000, clicks: 50, reported_spend: { amount: 150, currency: "USD" } })).toMatchObject({ success: true, cumulative: { impressions: 10_000, clicks: 50 } });
    const [report] = asList((await call("get_media_buy_delivery", { media_buy_ids: [id] })).media_buy_deliveries);
    expect(report?.totals).toMatchObject({ impressions: 10_000, clicks: 50, spend: 150 });
  });

  test("an order seeded under an id of the buyer's own is known by it to every tool, and to nobody else", async () => {
    expect(await control("seed_media_buy", { media_buy_id: "mb_of_mine", fixture: { status: "active" } })).toMatchObject({ success: true });
    expect(await statusOf("mb_of_mine")).toBe("active");
    const [read] = asList((await call("get_media_buys", { media_buy_ids: ["mb_of_mine"] })).media_buys);
    expect(read?.media_buy_id).toBe("mb_of_mine");
    expect(await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: "mb_of_mine", paused: true })).toMatchObject({ media_buy_id: "mb_of_mine", status: "paused" });
    expect(asList((await call("get_media_buy_delivery", { media_buy_ids: ["mb_of_mine"] })).media_buy_deliveries)).toHaveLength(1);
    expect(asList((await call("get_media_buys", { media_buy_ids: ["mb_of_mine"] }, other.token)).media_buys)).toHaveLength(0);
  });

  test("the next order waits behind a task of the given id, once, and the task completes as told", async () => {
    expect(await control("force_create_media_buy_arm", { arm: "submitted", task_id: "task_of_mine", message: "Awaiting signature" })).toMatchObject({ success: true, forced: { arm: "submitted", task_id: "task_of_mine" } });
    expect(await place()).toMatchObject({ status: "submitted", task_id: "task_of_mine", message: "Awaiting signature" });
    expect(await place()).toMatchObject({ media_buy_id: expect.any(String) as string });
    expect(await call("tasks_get", { task_id: "task_of_mine" })).toMatchObject({ status: "submitted" });
    const result = { media_buy_id: "mb_signed", packages: [] };
    expect(await control("force_task_completion", { task_id: "task_of_mine", result }, other.token)).toMatchObject({ success: false, error: "NOT_FOUND" });
    expect(await control("force_task_completion", { task_id: "task_of_mine", result })).toMatchObject({ success: true, current_state: "completed" });
    expect(await call("tasks_get", { task_id: "task_of_mine" })).toMatchObject({ status: "completed", result });
  });
});
