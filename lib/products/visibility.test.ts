import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, BRAND_ACCOUNT, callMcp, errorCode, newKey } from "@/test/fixtures/door";
import { asActor, days, staff } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { lastAudit } from "@/test/staff";
import { listProductVisibility, loadProductAudience, setPriceVisibility, setPricingOptionBuyers, setProductVisibility } from "./visibility";

useTestDatabase();

let publisher: PublisherFixture;
let other: Awaited<ReturnType<typeof createBuyer>>;
beforeAll(async () => {
  publisher = await createPublisher({
    products: [
      { productId: "open", pricing: [{ pricingOptionId: "list", rate: 10 }, { pricingOptionId: "negotiated", rate: 6 }] },
      { productId: "private", pricing: [{ pricingOptionId: "list", rate: 10 }] },
    ],
  });
  other = await createBuyer(publisher.tenantId, { name: "Other", isSandbox: true });
});

const idOf = (productId: string) => publisher.products.find((product) => product.productId === productId)?.id ?? "";
const asAdmin = <T>(work: Parameters<typeof asActor<T>>[2]) => asActor(publisher, staff("admin"), work, new Date());
type Ctx = Parameters<Parameters<typeof asAdmin>[0]>[0];
const versionOf = async (ctx: Ctx, productId: string) => (await loadProductAudience(ctx, productId)).version;
const priceVersionOf = async (ctx: Ctx, optionId: string) => (await loadProductAudience(ctx, idOf("open"))).prices.find(({ id }) => id === optionId)?.version ?? "";
async function seen(token?: string): Promise<Record<string, string[]>> {
  const { body } = await callMcp("get_products", { buying_mode: "wholesale" }, token === undefined ? {} : { token });
  return Object.fromEntries(asList(body.products).map((product) => [String(product.product_id), asList(product.pricing_options).map((option) => String(option.pricing_option_id)).sort()]));
}
const buy = (token: string, productId: string, pricingOptionId: string) => callMcp("create_media_buy", {
  idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: days(2, new Date()), end_time: days(32, new Date()),
  packages: [{ product_id: productId, pricing_option_id: pricingOptionId, budget: 1_000 }],
}, { token });

test("a product for selected buyers exists for them alone, at every door, as soon as staff say so", async () => {
  expect(Object.keys(await seen(other.token))).toEqual(["open", "private"]);
  await asAdmin(async (ctx) => setProductVisibility(ctx, { productId: idOf("private"), version: await versionOf(ctx, idOf("private")), visibility: "selected", buyers: [publisher.principal.id] }));
  expect(Object.keys(await seen(publisher.token))).toEqual(["open", "private"]);
  expect(Object.keys(await seen(other.token))).toEqual(["open"]);
  expect(Object.keys(await seen())).toEqual(["open"]);
  expect((await buy(publisher.token, "private", "list")).isError).toBe(false);
  const hidden = await buy(other.token, "private", "list");
  const unknown = await buy(other.token, "nothing", "list");
  expect(errorCode(hidden)).toBe("PRODUCT_NOT_FOUND");
  expect(JSON.stringify(hidden.body)).toBe(JSON.stringify(unknown.body));
});

test("a reserved price is offered to its buyers alone, and cannot be taken by others", async () => {
  const option = publisher.products.find(({ productId }) => productId === "open")?.pricingOptions.find(({ pricingOptionId }) => pricingOptionId === "negotiated")?.id ?? "";
  await asAdmin(async (ctx) => setPricingOptionBuyers(ctx, { pricingOptionId: option, version: await priceVersionOf(ctx, option), buyers: [publisher.principal.id] }));
  expect((await seen(publisher.token)).open).toEqual(["list", "negotiated"]);
  expect((await seen(other.token)).open).toEqual(["list"]);
  expect((await seen()).open).toEqual(["list"]);
  const [refused, unknown] = [await buy(other.token, "open", "negotiated"), await buy(other.token, "open", "nothing")];
  expect(errorCode(refused)).toBe("VALIDATION_ERROR");
  expect(JSON.stringify(refused.body)).toBe(JSON.stringify(unknown.body));
  await asAdmin(async (ctx) => setPricingOptionBuyers(ctx, { pricingOptionId: option, version: await priceVersionOf(ctx, option), buyers: null }));
  expect((await seen(other.token)).open).toEqual(["list", "negotiated"]);
});

test("a buyer who sees no amounts orders with a person's consent", async () => {
  expect((await buy(other.token, "open", "list")).body).toMatchObject({ media_buy_id: expect.any(String) as string });
  await asAdmin((ctx) => setPriceVisibility(ctx, { principalId: other.principal.id, arePricesHidden: true }));
  const { body } = await callMcp("get_products", { buying_mode: "wholesale" }, { token: other.token });
  expect(JSON.stringify(body.products)).not.toMatch(/fixed_price|floor_price|min_spend/);
  expect((await buy(other.token, "open", "list")).body).toMatchObject({ status: "submitted" });
  expect(JSON.stringify((await callMcp("get_products", { buying_mode: "wholesale" }, { token: publisher.token })).body)).toContain("fixed_price");
});

test("staff see who sees what; a viewer changes nothing; another publisher's buyer is nobody", async () => {
  const rows = await asAdmin((ctx) => listProductVisibility(ctx, other.principal.id));
  expect(rows).toMatchObject([{ productId: "open", isVisible: true }, { productId: "private", visibility: "selected", isVisible: false }]);
  const audience = await asActor(publisher, staff("viewer"), (ctx) => loadProductAudience(ctx, idOf("private")), new Date());
  expect(audience).toMatchObject({ visibility: "selected", selected: [publisher.principal.id], prices: [{ name: "list", isReserved: false, selected: [] }] });
  expect(audience.buyers.map(({ id }) => id).sort()).toEqual([publisher.principal.id, other.principal.id].sort());
  await expect(asActor(publisher, staff("viewer"), (ctx) => setProductVisibility(ctx, { productId: idOf("open"), version: "", visibility: "all", buyers: [] }), new Date())).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  const elsewhere = await createPublisher({ slug: "elsewhere" });
  await expect(asActor(elsewhere, staff("admin"), (ctx) => loadProductAudience(ctx, idOf("open")), new Date())).rejects.toMatchObject({ code: "PRODUCT_NOT_FOUND" });
  await expect(asAdmin(async (ctx) => setProductVisibility(ctx, { productId: idOf("open"), version: await versionOf(ctx, idOf("open")), visibility: "selected", buyers: [elsewhere.principal.id] }))).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
});

test("of two people who choose who sees it, the second is told, and nothing is lost", async () => {
  const option = publisher.products.find(({ productId }) => productId === "open")?.pricingOptions[0]?.id ?? "";
  const [product, price] = await asAdmin(async (ctx) => [await versionOf(ctx, idOf("open")), await priceVersionOf(ctx, option)]);
  await asAdmin((ctx) => setProductVisibility(ctx, { productId: idOf("open"), version: product, visibility: "selected", buyers: [other.principal.id] }));
  await asAdmin((ctx) => setPricingOptionBuyers(ctx, { pricingOptionId: option, version: price, buyers: [other.principal.id] }));
  const isStale = { code: "CONFLICT", details: { hasChangedSinceOpened: true } };
  await expect(asAdmin((ctx) => setProductVisibility(ctx, { productId: idOf("open"), version: product, visibility: "all", buyers: [] }))).rejects.toMatchObject(isStale);
  await expect(asAdmin((ctx) => setPricingOptionBuyers(ctx, { pricingOptionId: option, version: price, buyers: null }))).rejects.toMatchObject(isStale);
  expect(await lastAudit(publisher.tenantId, "product")).toMatchObject({ before: { buyers: "all" }, after: { buyers: ["Other"] } });
});
