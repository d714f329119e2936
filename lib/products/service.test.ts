import { and, eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { accounts } from "@/lib/accounts/schema";
import { adapterConfigs } from "@/lib/ad-servers/schema";
import { mediaBuys, mediaPackages } from "@/lib/media-buys/schema";
import { tenants } from "@/lib/tenants/schema";
import { useTestDatabase } from "@/test/db";
import { createPublisher, GAM_TARGET, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { type Ctx } from "../context";
import { withTenant } from "../db/client";
import { fieldMessages } from "../field-errors";
import { newId } from "../ids";
import { writeCollections } from "./collections";
import { type ProductInput, productInput } from "./input";
import { listProducts, loadProduct, type ProductListInput } from "./queries";
import { pricingOptions, productTargets } from "./schema";
import { archiveProduct, restoreProduct, saveProduct } from "./service";

useTestDatabase();

let publisher: PublisherFixture;
let other: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
});

const price = (changes: Partial<ProductInput["pricingOptions"][number]> = {}) => ({ pricingOptionId: "", pricingModel: "cpm" as const, currency: "USD", priceType: "fixed" as const, price: "8.25", minSpend: "", ...changes });

function input(changes: Partial<ProductInput> = {}): ProductInput {
  return {
    productId: "", name: "Sports section", description: "Display in the sports section.", channels: ["display"], formatIds: ["display_300x250_image"], deliveryType: "guaranteed", reviewRule: "always", collections: "",
    pricingOptions: [price()], targets: [{ adapterConfigId: publisher.adapterConfigId, config: GAM_TARGET }], ...changes,
  };
}

async function save(changes: Partial<ProductInput> = {}) {
  return asStaff(publisher.tenantId, "trafficker", (ctx) => saveProduct(ctx, input(changes)));
}

/** What the editor would send back for a product as it is now. */
async function asEdited(id: string, changes: Partial<ProductInput> = {}): Promise<ProductInput> {
  const product = await asStaff(publisher.tenantId, "admin", (ctx) => loadProduct(ctx, id));
  return productInput.parse({
    id, version: product.version, productId: product.productId, name: product.name, description: product.description, channels: product.channels, formatIds: product.formatIds, deliveryType: product.deliveryType, reviewRule: product.reviewRule, collections: writeCollections(product.collections),
    pricingOptions: product.prices.map(({ pricingOptionId, pricingModel, currency, priceType, price: amount, minSpend }) => ({ pricingOptionId, pricingModel, currency, priceType, price: amount, minSpend })),
    targets: product.targets.map(({ adapterConfigId, config }) => ({ adapterConfigId, config })), ...changes,
  });
}

async function catalogVersion(tenantId: string): Promise<number> {
  const [row] = await withTenant(tenantId, (tx) => tx.select({ version: tenants.catalogVersion }).from(tenants).where(eq(tenants.id, tenantId)));
  return row?.version ?? 0;
}

async function sell(productId: string, pricingOptionId: string): Promise<void> {
  const { tenantId } = publisher;
  await withTenant(tenantId, async (tx) => {
    const accountId = newId();
    const mediaBuyId = newId();
    const flight = { startsAt: new Date("2030-01-01"), endsAt: new Date("2030-02-01") };
    await tx.insert(accounts).values({ tenantId, id: accountId, principalId: publisher.principal.id, brandDomain: `${accountId}.example`, operator: "agency.example", name: "Acme", isSandbox: true });
    await tx.insert(mediaBuys).values({ tenantId, id: mediaBuyId, principalId: publisher.principal.id, accountId, status: "active", name: "Order", currency: "USD", budgetMicros: 1_000_000n, isSandbox: true, rawRequest: {}, ...flight });
    await tx.insert(mediaPackages).values({
      tenantId, id: newId(), mediaBuyId, position: 0, productId, pricingModel: "cpm", rateMicros: 8_250_000n, currency: "USD", budgetMicros: 1_000_000n, units: 1_000n, ...flight,
      sold: { productId: "sold", productName: "Sold", deliveryType: "guaranteed", pricingOptionId, formatIds: [], targets: [] },
    });
  });
}

describe("saveProduct", () => {
  test("makes a product, moves the catalogue, and audits it", async () => {
    const before = await catalogVersion(publisher.tenantId);
    const saved = await save({ name: "Travel & leisure" });
    const product = await asStaff(publisher.tenantId, "viewer", (ctx) => loadProduct(ctx, saved.id));
    expect(product).toMatchObject({ productId: "travel_leisure", name: "Travel & leisure", version: 1, reviewRule: "always", isReviewRequired: true });
    expect(product.prices).toMatchObject([{ pricingOptionId: "cpm_usd_fixed", priceMicros: 8_250_000n, price: "8.25", minSpend: "" }]);
    expect(product.targets).toMatchObject([{ adapterConfigId: publisher.adapterConfigId, config: GAM_TARGET }]);
    expect(await catalogVersion(publisher.tenantId)).toBeGreaterThan(before);
    expect(await lastAudit(publisher.tenantId, "product")).toMatchObject({ action: "product.created", actorLabel: "Test trafficker", before: null, after: { productId: "travel_leisure", pricingOptions: [{ price: "8.25" }] } });
  });

  test("keeps what the editor does not show", async () => {
    const id = publisher.products[0]?.id ?? "";
    const edit = await asEdited(id, { name: "Homepage takeover" });
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    const product = await asStaff(publisher.tenantId, "admin", (ctx) => loadProduct(ctx, id));
    expect(product).toMatchObject({ name: "Homepage takeover", version: 2, details: { publisher_properties: [{}] } });
    expect(await lastAudit(publisher.tenantId, "product")).toMatchObject({ action: "product.updated", before: { name: "Homepage display" }, after: { name: "Homepage takeover" } });
  });

  test("keeps collections as they are written, one a line, and says of each line what is wrong", async () => {
    const text = "news.example/trail_life | Trail Life | imdb_id:tt9100001, eidr_id:10.5240/ABCD\nnews.example/summit | Summit Stories";
    const { id } = await save({ name: "With shows", collections: `\n${text}\n\n` });
    const product = await asStaff(publisher.tenantId, "viewer", (ctx) => loadProduct(ctx, id));
    expect(product.collections).toEqual([
      { publisherDomain: "news.example", collectionId: "trail_life", name: "Trail Life", identifiers: ["imdb_id:tt9100001", "eidr_id:10.5240/ABCD"] },
      { publisherDomain: "news.example", collectionId: "summit", name: "Summit Stories", identifiers: [] },
    ]);
    expect((await asEdited(id)).collections).toBe(text);
    expect(await lastAudit(publisher.tenantId, "product")).toMatchObject({ after: { collections: [{ collectionId: "trail_life" }, {}] } });
    for (const [wrong, message] of [
      ["Trail Life", "Line 1: write domain"], ["news.example/a | A\nnews/b | B", "Line 2: “news” is not a domain"], ["news.example/a b | A", "is not a collection id"],
      ["news.example/a | A | tt1", "“tt1” is not an identifier"], ["news.example/a | A | isbn:1", "“isbn:1” is not an identifier"], ["news.example/a | <b>", "without < and >"],
      ["news.example/a | A\nNews.example/a | B", "news.example/a is named twice"], [Array.from({ length: 51 }, (_, n) => `news.example/${n} | N`).join("\n"), "at most 50"],
    ] as const) expect(fieldMessages(await failure(save({ name: "Wrong shows", collections: wrong }))).collections).toContain(message);
  });

  test("two people saving at once: the second is told", async () => {
    const { id } = await save({ name: "Contested" });
    const edit = await asEdited(id, { description: "First." });
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    const error = await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, { ...edit, description: "Second." })));
    expect(error.code).toBe("CONFLICT");
    expect((await asEdited(id)).description).toBe("First.");
  });

  test("an id that another product has, or that would change, is refused", async () => {
    await save({ productId: "unique_one" });
    expect(fieldMessages(await failure(save({ productId: "unique_one" }))).productId).toContain("unique_one");
    const { id } = await save({ productId: "unique_two" });
    const edit = await asEdited(id, { productId: "unique_three" });
    expect(fieldMessages(await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit)))).productId).toContain("cannot change");
  });

  test("names every field at fault in one answer", async () => {
    const error = await failure(save({
      formatIds: ["display_300x250_image", "no_such_format"],
      pricingOptions: [price({ price: "0" }), price({ pricingOptionId: "a", price: "1.1234567" }), price({ pricingOptionId: "a", currency: "EUR", minSpend: "-1" })],
      targets: [{ adapterConfigId: publisher.adapterConfigId, config: { ...GAM_TARGET, lineItemType: "NO_SUCH_TYPE" } }],
    }));
    expect(error.code).toBe("VALIDATION_ERROR");
    expect(Object.keys(fieldMessages(error)).sort()).toEqual([
      "formatIds", "pricingOptions.0.price", "pricingOptions.1.price", "pricingOptions.2.currency", "pricingOptions.2.minSpend", "pricingOptions.2.pricingOptionId", "targets.0.config.lineItemType",
    ]);
  });

  test("a connection must sell in the product's currency", async () => {
    const errors = fieldMessages(await failure(save({ pricingOptions: [price({ currency: "EUR" })] })));
    expect(errors["targets.0.adapterConfigId"]).toContain("USD");
    expect(errors["pricingOptions.0.currency"]).toContain("EUR");
  });

  test("only verified connections can be targeted; a target that stays may stay", async () => {
    const { id } = await save({ name: "Before the key expired" });
    const edit = await asEdited(id, { description: "Reworded." });
    const setStatus = (status: "verified" | "failed") => withTenant(publisher.tenantId, (tx) => tx.update(adapterConfigs).set({ status }).where(eq(adapterConfigs.id, publisher.adapterConfigId)));
    await setStatus("failed");
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    expect(fieldMessages(await failure(save({ name: "After it" })))["targets.0.adapterConfigId"]).toContain("not verified");
    await setStatus("verified");
  });

  test("what the ad server could not book is refused before it is sold", async () => {
    const error = await failure(save({ pricingOptions: [price({ pricingModel: "flat_rate", price: "500" })] }));
    expect(fieldMessages(error)).toEqual({ "targets.0.config": expect.stringContaining("Standard line items") });
    await save({ name: "Sponsorship", pricingOptions: [price({ pricingModel: "flat_rate", price: "500" })], targets: [{ adapterConfigId: publisher.adapterConfigId, config: { ...GAM_TARGET, lineItemType: "SPONSORSHIP", priority: 4, sharePercent: 100 } }] });
  });

  test("a format that the ad server cannot serve is refused before it is sold", async () => {
    expect(fieldMessages(await failure(save({ channels: ["podcast"], formatIds: ["audio_standard_15s"] }))).formatIds).toContain("cannot serve");
    await save({ channels: ["podcast"], formatIds: ["audio_vast_15s"] });
  });

  test("a second ad server is refused: it would deliver the whole goal again", async () => {
    const adapterConfigId = newId();
    await withTenant(publisher.tenantId, async (tx) => {
      const [known] = await tx.select().from(adapterConfigs).where(eq(adapterConfigs.id, publisher.adapterConfigId));
      if (known) await tx.insert(adapterConfigs).values({ ...known, id: adapterConfigId, name: "Second network" });
    });
    const error = await failure(save({ targets: [{ adapterConfigId: publisher.adapterConfigId, config: GAM_TARGET }, { adapterConfigId, config: GAM_TARGET }] }));
    expect(fieldMessages(error)).toEqual({ "targets.1.adapterConfigId": expect.stringContaining("booked on one ad server") });
  });

  test("another publisher's connection is one that does not exist", async () => {
    const error = await failure(save({ targets: [{ adapterConfigId: other.adapterConfigId, config: GAM_TARGET }] }));
    expect(fieldMessages(error)["targets.0.adapterConfigId"]).toBe("This connection does not exist any more.");
  });

  test("a target taken away is gone", async () => {
    const { id } = await save({ name: "To be unmapped" });
    const edit = await asEdited(id, { targets: [] });
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    const rows = await withTenant(publisher.tenantId, (tx) => tx.select().from(productTargets).where(and(eq(productTargets.tenantId, publisher.tenantId), eq(productTargets.productId, id))));
    expect(rows).toEqual([]);
  });
});

describe("prices", () => {
  async function options(productId: string) {
    const rows = await withTenant(publisher.tenantId, (tx) => tx.select().from(pricingOptions).where(and(eq(pricingOptions.tenantId, publisher.tenantId), eq(pricingOptions.productId, productId))));
    return Object.fromEntries(rows.map((row) => [row.pricingOptionId, { price: row.rateMicros ?? row.floorMicros, isAuction: row.rateMicros === null, isArchived: row.archivedAt !== null }]));
  }

  test("an option that was never sold changes in place; one left out is archived", async () => {
    const { id } = await save({ name: "Prices", pricingOptions: [price({ pricingOptionId: "one" }), price({ pricingOptionId: "two", priceType: "auction", price: "2" })] });
    const edit = await asEdited(id, { pricingOptions: [price({ pricingOptionId: "one", price: "9" })] });
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    expect(await options(id)).toEqual({ one: { price: 9_000_000n, isAuction: false, isArchived: false }, two: { price: 2_000_000n, isAuction: true, isArchived: true } });
    const reused = await asEdited(id, { pricingOptions: [price({ pricingOptionId: "one", price: "9" }), price({ pricingOptionId: "two" })] });
    expect(fieldMessages(await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, reused))))["pricingOptions.1.pricingOptionId"]).toContain("archived");
  });

  test("an option that was sold is archived, and its new terms go under a new id", async () => {
    const { id } = await save({ name: "Sold prices", pricingOptions: [price({ pricingOptionId: "cpm" })] });
    await sell(id, "cpm");
    const unchanged = await asEdited(id, { description: "Only the words." });
    expect(await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, unchanged))).toMatchObject({ replacedPrices: [] });
    const edit = await asEdited(id, { pricingOptions: [price({ pricingOptionId: "cpm", price: "11" })] });
    const saved = await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit));
    expect(saved.replacedPrices).toEqual([{ from: "cpm", to: "cpm_2" }]);
    expect(await options(id)).toEqual({ cpm: { price: 8_250_000n, isAuction: false, isArchived: true }, cpm_2: { price: 11_000_000n, isAuction: false, isArchived: false } });
  });
});

describe("doors", () => {
  test("a viewer may look and not touch", async () => {
    const { id } = await save({ name: "Looked at" });
    await asStaff(publisher.tenantId, "viewer", (ctx) => loadProduct(ctx, id));
    for (const attempt of [
      (ctx: Ctx) => saveProduct(ctx, input({ name: "Denied" })),
      (ctx: Ctx) => archiveProduct(ctx, { id }),
      (ctx: Ctx) => restoreProduct(ctx, { id }),
    ] satisfies ((ctx: Ctx) => Promise<unknown>)[]) expect((await failure(asStaff<unknown>(publisher.tenantId, "viewer", attempt))).code).toBe("PERMISSION_DENIED");
  });

  test("another publisher's product, and an id that is none, are not found", async () => {
    const foreign = other.products[0]?.id ?? "";
    for (const id of [foreign, newId(), "nonsense"]) {
      expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => loadProduct(ctx, id)))).code).toBe("PRODUCT_NOT_FOUND");
      expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => archiveProduct(ctx, { id })))).code).toBe("PRODUCT_NOT_FOUND");
    }
    expect((await failure(save({ id: foreign, version: 1 }))).code).toBe("PRODUCT_NOT_FOUND");
  });
});

const LIST: ProductListInput = { search: "", state: "selling", sort: "position", direction: "asc", page: 1, pageSize: 25 };

describe("archiving and lists", () => {
  test("an archived product leaves the list, refuses edits, and comes back", async () => {
    const { id } = await save({ name: "Winter special" });
    const list = (state: "selling" | "archived") => asStaff(publisher.tenantId, "viewer", (ctx) => listProducts(ctx, { ...LIST, search: "winter", state }));
    await asStaff(publisher.tenantId, "trafficker", (ctx) => archiveProduct(ctx, { id }));
    expect((await list("selling")).rows).toEqual([]);
    expect((await list("archived")).rows.map((row) => row.id)).toEqual([id]);
    expect((await failure(asStaff(publisher.tenantId, "trafficker", (ctx) => archiveProduct(ctx, { id })))).code).toBe("CONFLICT");
    const edit = await asEdited(id);
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, edit)))).code).toBe("INVALID_STATE");
    await asStaff(publisher.tenantId, "trafficker", (ctx) => restoreProduct(ctx, { id }));
    expect((await list("selling")).rows.map((row) => row.id)).toEqual([id]);
  });

  test("search is literal, pages are stable, states are counted", async () => {
    const shop = await createPublisher({ products: Array.from({ length: 23 }, (_, index) => ({ productId: `p_${index}`, name: index === 7 ? "100% reach" : `Product ${String(index).padStart(2, "0")}` })) });
    const list = (query: Partial<ProductListInput>) => asStaff(shop.tenantId, "viewer", (ctx) => listProducts(ctx, { ...LIST, ...query }));
    expect((await list({ search: "100%" })).rows.map((row) => row.name)).toEqual(["100% reach"]);
    expect(await list({ search: "%" })).toMatchObject({ total: 1, counts: { selling: 1, archived: 0 } });
    const pages = await Promise.all([1, 2, 3].map((page) => list({ page, pageSize: 10, sort: "name", direction: "desc" })));
    expect(pages.map((page) => page.rows.length)).toEqual([10, 10, 3]);
    expect(new Set(pages.flatMap((page) => page.rows.map((row) => row.id))).size).toBe(23);
    expect(pages[0]?.rows[0]?.name).toBe("Product 22");
    expect(pages[0]?.rows[0]).toMatchObject({ prices: [{ price: "10", currency: "USD" }], connections: [{ connectionName: "Ad Manager", status: "verified" }] });
  });
});
