import { and, eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { ACCOUNT, asSystem, banner, days, homepage, NOW, order, place, readBuy, runOfSite } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, GAM_TARGET, type PublisherFixture } from "@/test/fixtures/publisher";
import { adapterConfigs, externalObjects } from "../ad-servers/schema";
import { workflowSteps } from "../approvals/schema";
import { auditLog } from "../audit/schema";
import { creativeAssignments, creatives } from "../creatives/schema";
import { outbox } from "../events/schema";
import { fromWireId, newId, toWireId } from "../ids";
import { currencyLimits, pricingOptions, products, productTargets } from "../products/schema";
import { tenants } from "../tenants/schema";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { mediaBuys, tasks } from "./schema";

useTestDatabase();

const VIDEO_PRODUCT = { productId: "preroll", channels: ["video"], formatIds: ["video_standard_30s"], pricing: [{ pricingOptionId: "cpm_usd_fixed", rate: 20 }] };

function outboxOf(publisher: PublisherFixture) {
  return asSystem(publisher, ({ db, tenantId }) => db.select({ eventId: outbox.eventId, name: outbox.name, data: outbox.data }).from(outbox).where(eq(outbox.tenantId, tenantId)));
}

async function addConnection(publisher: PublisherFixture, productId: string, overrides: Partial<typeof adapterConfigs.$inferInsert> = {}): Promise<string> {
  const id = newId();
  await asSystem(publisher, async ({ db, tenantId }) => {
    await db.insert(adapterConfigs).values({
      tenantId, id, kind: "google_ad_manager", name: "Second network", mode: "simulated", status: "verified", currency: "USD", timeZone: "UTC", config: { networkCode: "999" }, ratePerSecond: 100, externalIdBase: 7, ...overrides,
    });
    await db.insert(productTargets).values({ tenantId, productId, adapterConfigId: id, config: GAM_TARGET });
  });
  return id;
}

describe("an order that needs no review", () => {
  test("row first, always: order, packages, fulfilment and the event that starts execution are one transaction", async () => {
    const publisher = await createPublisher();
    const result = await place(publisher, order({}, homepage(), runOfSite()));
    expect(result.outcome).toBe("confirmed");
    const { buy, packages, fulfilments } = await readBuy(publisher, result.mediaBuyId);
    expect(buy).toMatchObject({ status: "pending_creatives", revision: 1, desiredVersion: 1, budgetMicros: 1_500_000_000n, currency: "USD", isSandbox: true, confirmedAt: NOW, name: expect.stringContaining("Homepage display") });
    expect(packages.map((row) => row.position)).toEqual([0, 1]);
    expect(fulfilments).toMatchObject([{ state: "pending", desiredVersion: 1, appliedVersion: 0, adapterConfigId: publisher.adapterConfigId }]);
    expect(await outboxOf(publisher)).toEqual([{
      eventId: `fulfilment.changed:${fulfilments[0]?.id}:1`, name: "greenlight/fulfilment.changed",
      data: { tenantId: publisher.tenantId, mediaBuyId: buy.id, fulfilmentId: fulfilments[0]?.id, adapterConfigId: publisher.adapterConfigId, desiredVersion: 1 },
    }]);
  });

  test("answers id, status, packages, confirmation, revision and what the buyer may do", async () => {
    const publisher = await createPublisher();
    const { payload, mediaBuyId } = await place(publisher, order({}, homepage({ context: { line: 7 } }), runOfSite()));
    const { packages } = await readBuy(publisher, mediaBuyId);
    expect(payload).toMatchObject({
      media_buy_id: toWireId("mediaBuy", mediaBuyId), status: "pending_creatives", media_buy_status: "pending_creatives", confirmed_at: NOW.toISOString(), revision: 1, currency: "USD", total_budget: 1500, sandbox: true,
      account: { account_id: expect.stringMatching(/^acc_/), status: "active" },
      packages: [
        { package_id: toWireId("package", packages[0]?.id ?? ""), product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 1000, impressions: 80_000, pacing: "even", start_time: days(2), end_time: days(32), paused: false, canceled: false, context: { line: 7 } },
        { product_id: "run_of_site", budget: 500, bid_price: 2.5, impressions: 200_000 },
      ],
    });
    expect(payload.valid_actions).toEqual(expect.arrayContaining(["pause", "cancel", "update_budget", "sync_creatives"]));
    expect(payload).not.toHaveProperty("errors");
    expect(payload).not.toHaveProperty("task_id");
  });

  test("our ids are our own: nothing external is known of a new order", async () => {
    const publisher = await createPublisher();
    const { payload } = await place(publisher, order());
    expect(fromWireId("mediaBuy", String(payload.media_buy_id))).toBeDefined();
    expect(await asSystem(publisher, ({ db }) => db.select().from(externalObjects))).toEqual([]);
  });

  test("units come from the package's own budget and rate", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order({}, homepage({ budget: 1000 }), homepage({ budget: 250 }), runOfSite({ budget: 100, bid_price: 4 })));
    const { packages } = await readBuy(publisher, mediaBuyId);
    expect(packages.map((row) => row.units)).toEqual([80_000n, 20_000n, 25_000n]);
    expect(packages.map((row) => row.rateMicros)).toEqual([12_500_000n, 12_500_000n, 4_000_000n]);
  });

  test("one order fans out to several ad servers, each with its own state and event", async () => {
    const publisher = await createPublisher();
    const [product] = publisher.products;
    const second = await addConnection(publisher, product?.id ?? "");
    const { mediaBuyId } = await place(publisher, order({}, homepage(), runOfSite()));
    const { fulfilments, packages } = await readBuy(publisher, mediaBuyId);
    expect(fulfilments.map((row) => row.adapterConfigId).sort()).toEqual([publisher.adapterConfigId, second].sort());
    expect(packages.map((row) => row.sold.targets.map((target) => target.adapterConfigId).sort())).toEqual([[publisher.adapterConfigId, second].sort(), [publisher.adapterConfigId]]);
    expect(await outboxOf(publisher)).toHaveLength(2);
  });

  test("what was sold is frozen: later edits of the product change nothing", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order());
    await asSystem(publisher, async ({ db, tenantId }) => {
      await db.update(products).set({ name: "Renamed", formatIds: ["display_728x90_html"] }).where(eq(products.tenantId, tenantId));
      await db.update(pricingOptions).set({ rateMicros: 99_000_000n, floorMicros: null }).where(eq(pricingOptions.tenantId, tenantId));
      await db.update(productTargets).set({ config: { ...GAM_TARGET, adUnitIds: ["4711"] } }).where(eq(productTargets.tenantId, tenantId));
    });
    const { packages } = await readBuy(publisher, mediaBuyId);
    expect(packages[0]).toMatchObject({
      rateMicros: 12_500_000n, units: 80_000n,
      sold: { productName: "Homepage display", formatIds: ["display_300x250_image", "display_728x90_image"], targets: [{ config: { adUnitIds: ["1001"] } }] },
    });
  });

  test("an order begins a quarter of an hour after its confirmation at the earliest", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId, payload } = await place(publisher, order({ start_time: "asap" }));
    const { buy } = await readBuy(publisher, mediaBuyId);
    expect(buy.startsAt).toEqual(NOW);
    expect(buy.effectiveStartsAt).toEqual(new Date(NOW.getTime() + 15 * 60_000));
    expect(payload.packages).toMatchObject([{ start_time: "2027-03-01T12:15:00.000Z" }]);
  });

  test("no credential of the buyer's is stored, at any depth", async () => {
    const publisher = await createPublisher();
    const secret = "s3cret-s3cret-s3cret-s3cret-s3cret-s3cret";
    const { mediaBuyId } = await place(publisher, order({
      push_notification_config: { url: "https://buyer.example/hook", token: secret, authentication: { schemes: ["HMAC-SHA256"], credentials: secret } },
      reporting_webhook: { url: "https://buyer.example/reports", reporting_frequency: "daily", authentication: { schemes: ["Bearer"], credentials: secret } },
      ext: { partner: { deep: [{ api_key: secret, Password: secret, kept: "yes" }] } },
    }));
    const { buy } = await readBuy(publisher, mediaBuyId);
    expect(JSON.stringify(buy.rawRequest)).not.toContain(secret);
    expect(buy.rawRequest).toMatchObject({ push_notification_config: { url: "https://buyer.example/hook" }, ext: { partner: { deep: [{ kept: "yes" }] } } });
  });

  test("a synchronous answer registers no webhook", async () => {
    const publisher = await createPublisher();
    await place(publisher, order({ push_notification_config: { url: "https://buyer.example/hook" } }));
    expect(await asSystem(publisher, ({ db }) => db.select().from(pushNotificationConfigs))).toEqual([]);
  });
});

describe("an order that needs a review", () => {
  test("submitted means stored: order, packages, task, step, fulfilments, and nothing is executed", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const result = await place(publisher, order({ context: { trace: "t-1" }, push_notification_config: { url: "https://buyer.example/hook", token: "token-of-the-buyer-1" } }));
    if (result.outcome !== "submitted") throw new Error("It was not submitted.");
    expect(result.payload).toEqual({ status: "submitted", task_id: toWireId("task", result.taskId), message: expect.any(String) });
    const { buy, packages, fulfilments } = await readBuy(publisher, result.mediaBuyId);
    expect(buy).toMatchObject({ status: "pending_approval", confirmedAt: null, effectiveStartsAt: null, revision: 1 });
    expect(packages).toHaveLength(1);
    expect(fulfilments).toMatchObject([{ state: "pending" }]);
    const stored = await asSystem(publisher, async ({ db }) => ({ tasks: await db.select().from(tasks), steps: await db.select().from(workflowSteps), receivers: await db.select().from(pushNotificationConfigs) }));
    expect(stored.tasks).toMatchObject([{ id: result.taskId, status: "submitted", taskType: "create_media_buy", principalId: publisher.principal.id, buyerContext: { trace: "t-1" } }]);
    expect(stored.steps).toMatchObject([{ kind: "media_buy_approval", state: "requires_approval", taskId: result.taskId, dueAt: new Date(NOW.getTime() + 2_880 * 60_000) }]);
    expect(stored.receivers).toMatchObject([{ taskId: result.taskId, url: "https://buyer.example/hook" }]);
    expect(JSON.stringify(stored.receivers)).not.toContain("token-of-the-buyer-1");
    expect(await outboxOf(publisher)).toEqual([]);
  });

  test("the product's rule comes before the publisher's, either way", async () => {
    const strict = await createPublisher({ isReviewRequired: true, products: [{ productId: "free", isReviewRequired: false }, { productId: "inherits" }] });
    const free = { product_id: "free", pricing_option_id: "cpm_fixed", budget: 100 };
    expect((await place(strict, order({}, free))).outcome).toBe("confirmed");
    expect((await place(strict, order({}, { ...free, product_id: "inherits" }))).outcome).toBe("submitted");
    const lax = await createPublisher({ products: [{ productId: "free" }, { productId: "premium", isReviewRequired: true }] });
    expect((await place(lax, order({}, free))).outcome).toBe("confirmed");
    expect((await place(lax, order({}, free, { ...free, product_id: "premium" }))).outcome).toBe("submitted");
  });

  test("staff are told in the background, once, where they named an address", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const { encryptSecret } = await import("../crypto");
    await asSystem(publisher, ({ db, tenantId }) => db.update(tenants).set({ staffWebhookEncrypted: encryptSecret("https://hooks.example/x", `tenants:${tenantId}:staff_webhook`) }));
    const { mediaBuyId } = await place(publisher, order());
    const notices = await asSystem(publisher, ({ db }) => db.select().from(webhookDeliveries));
    expect(notices).toMatchObject([{ audience: "staff", mediaBuyId, state: "pending", attempts: 0 }]);
    expect(JSON.stringify(notices[0]?.body)).toContain(`/p/${publisher.slug}/media-buys/${mediaBuyId}`);
  });
});

describe("creatives of an order", () => {
  test("sent with the order they make it ready", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId, payload } = await place(publisher, order({}, homepage({ creatives: [banner("b-1", { weight: 70 }), banner("b-2")] }), homepage({ creatives: [banner("b-2")] })));
    expect(payload).toMatchObject({ status: "pending_start", packages: [{ creative_assignments: [{ creative_id: "b-1", weight: 70 }, { creative_id: "b-2" }] }, { creative_assignments: [{ creative_id: "b-2" }] }] });
    const { packages } = await readBuy(publisher, mediaBuyId);
    const stored = await asSystem(publisher, async ({ db }) => ({ library: await db.select().from(creatives), assigned: await db.select().from(creativeAssignments) }));
    expect(stored.library.map((row) => row.creativeId).sort()).toEqual(["b-1", "b-2"]);
    expect(stored.assigned.filter((row) => row.packageId === packages[0]?.id)).toHaveLength(2);
    expect(stored.assigned.filter((row) => row.packageId === packages[1]?.id)).toHaveLength(1);
  });

  test("of the library are assigned by their id", async () => {
    const publisher = await createPublisher();
    await place(publisher, order({}, homepage({ creatives: [banner("b-1")] })));
    const { payload } = await place(publisher, order({}, homepage({ creative_assignments: [{ creative_id: "b-1", weight: 10 }] })));
    expect(payload).toMatchObject({ status: "pending_start", packages: [{ creative_assignments: [{ creative_id: "b-1", weight: 10 }] }] });
  });

  test("one package without creatives holds the order back", async () => {
    const publisher = await createPublisher();
    const { payload } = await place(publisher, order({}, homepage({ creatives: [banner()] }), homepage()));
    expect(payload).toMatchObject({ status: "pending_creatives", packages: [{}, { format_ids_to_provide: [{ id: "display_300x250_image" }, { id: "display_728x90_image" }] }] });
  });

  test("one that cannot be used fails the whole order and leaves nothing", async () => {
    const publisher = await createPublisher();
    const tooSmall = banner("b-2", { assets: { image: { asset_type: "image", url: "https://cdn.example/x.png", width: 10, height: 10, format: "png" } } });
    await expect(place(publisher, order({}, homepage({ creatives: [banner("b-1"), tooSmall] })))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: expect.stringContaining("packages[0].creatives[1].assets.image") });
    const left = await asSystem(publisher, async ({ db }) => [...(await db.select().from(creatives)), ...(await db.select().from(mediaBuys)), ...(await db.select().from(outbox))]);
    expect(left).toEqual([]);
  });

  test("of another format than the product's are refused", async () => {
    const publisher = await createPublisher({ products: [VIDEO_PRODUCT, { productId: "homepage_display", pricing: [{ pricingOptionId: "cpm_usd_fixed" }] }] });
    const package_ = { product_id: "preroll", pricing_option_id: "cpm_usd_fixed", budget: 100 };
    await expect(place(publisher, order({}, { ...package_, creatives: [banner()] }))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].creatives[0].format_id" });
    await place(publisher, order({}, homepage({ creatives: [banner()] })));
    await expect(place(publisher, order({}, { ...package_, creative_assignments: [{ creative_id: "banner-1" }] }))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].creative_assignments[0].creative_id" });
  });

  test("of another buyer are as unknown as any that never was", async () => {
    const publisher = await createPublisher();
    const other = { tenantId: publisher.tenantId, ...(await createBuyer(publisher.tenantId, { name: "Another agency" })) };
    await place(other, order({}, homepage({ creatives: [banner("theirs")] })));
    const refusal = (creativeId: string) => place(publisher, order({}, homepage({ creative_assignments: [{ creative_id: creativeId }] }))).catch((error: unknown) => error);
    const [foreign, unknown] = [await refusal("theirs"), await refusal("nobody's")];
    expect(foreign).toMatchObject({ code: "CREATIVE_NOT_FOUND", field: "packages[0].creative_assignments[0].creative_id" });
    expect({ ...(foreign as Error), message: (foreign as Error).message }).toEqual({ ...(unknown as Error), message: (unknown as Error).message });
  });
});

describe("sandbox and live never mix", () => {
  test("a sandbox order goes to simulated connections only", async () => {
    const publisher = await createPublisher({ mode: "live" });
    await expect(place(publisher, order())).rejects.toMatchObject({ code: "PRODUCT_UNAVAILABLE", field: "packages[0].product_id", details: { reason: "connection_missing" } });
  });

  test("a live order goes to live connections only", async () => {
    const publisher = await createPublisher({ mode: "live", isSandbox: false });
    const [product] = publisher.products;
    await addConnection(publisher, product?.id ?? "", { mode: "simulated" });
    await openAccount(publisher);
    const { mediaBuyId } = await place(publisher, order());
    const { buy, fulfilments } = await readBuy(publisher, mediaBuyId);
    expect(buy.isSandbox).toBe(false);
    expect(fulfilments.map((row) => row.adapterConfigId)).toEqual([publisher.adapterConfigId]);
    const simulated = await createPublisher({ mode: "simulated", isSandbox: false });
    await openAccount(simulated);
    await expect(place(simulated, order())).rejects.toMatchObject({ code: "PRODUCT_UNAVAILABLE", details: { reason: "connection_missing" } });
  });

  async function openAccount(publisher: PublisherFixture): Promise<void> {
    const { accounts } = await import("../accounts/schema");
    await asSystem(publisher, ({ db, tenantId }) => db.insert(accounts).values({
      tenantId, id: newId(), principalId: publisher.principal.id, brandDomain: ACCOUNT.brand.domain, operator: ACCOUNT.operator, name: "Acme Outdoor", isSandbox: false,
    }));
  }
});

describe("no silent fallback: configuration errors say so", () => {
  const cases: [string, string, (publisher: PublisherFixture) => Promise<unknown>][] = [
    ["a product without a connection", "connection_missing", (publisher) => asSystem(publisher, ({ db, tenantId }) => db.delete(productTargets).where(eq(productTargets.tenantId, tenantId)))],
    ["an unverified connection", "connection_unverified", (publisher) => asSystem(publisher, ({ db, tenantId }) => db.update(adapterConfigs).set({ status: "unverified" }).where(eq(adapterConfigs.tenantId, tenantId)))],
    ["a connection whose test failed", "connection_unverified", (publisher) => asSystem(publisher, ({ db, tenantId }) => db.update(adapterConfigs).set({ status: "failed" }).where(eq(adapterConfigs.tenantId, tenantId)))],
    ["an archived connection", "connection_missing", (publisher) => asSystem(publisher, ({ db, tenantId }) => db.update(adapterConfigs).set({ archivedAt: NOW }).where(eq(adapterConfigs.tenantId, tenantId)))],
    ["a connection of another currency", "connection_currency", (publisher) => asSystem(publisher, ({ db, tenantId }) => db.update(adapterConfigs).set({ currency: "EUR" }).where(eq(adapterConfigs.tenantId, tenantId)))],
  ];
  test.each(cases)("%s", async (_name, reason, spoil) => {
    const publisher = await createPublisher();
    await spoil(publisher);
    await expect(place(publisher, order())).rejects.toMatchObject({ code: "PRODUCT_UNAVAILABLE", field: "packages[0].product_id", details: { reason } });
  });

  test("a target that its ad server cannot read", async () => {
    const publisher = await createPublisher({ products: [{ productId: "homepage_display", pricing: [{ pricingOptionId: "cpm_usd_fixed" }], target: { adUnitIds: [], placementIds: [], lineItemType: "STANDARD" } }] });
    await expect(place(publisher, order())).rejects.toMatchObject({ code: "PRODUCT_UNAVAILABLE", details: { reason: "invalid_target" } });
  });
});

test("a bid beside a fixed price counts for nothing, and the answer says so", async () => {
  const publisher = await createPublisher();
  const { mediaBuyId, payload } = await place(publisher, order({}, homepage({ bid_price: 7.5 }), runOfSite()));
  expect(payload.packages).toMatchObject([{ budget: 1000, impressions: 80_000, ext: { ignored_fields: ["bid_price"] } }, { bid_price: 2.5 }]);
  expect(payload.packages).not.toMatchObject([{}, { ext: expect.anything() }]);
  expect((await readBuy(publisher, mediaBuyId)).packages.map((row) => row.rateMicros)).toEqual([12_500_000n, 2_500_000n]);
});

describe("bad input", () => {
  const MIXED = [
    { productId: "homepage_display", pricing: [{ pricingOptionId: "cpm_usd_fixed", rate: 12.5, minSpend: 50 }, { pricingOptionId: "cpc_usd", pricingModel: "cpc" as const, rate: 2 }, { pricingOptionId: "cpm_eur", currency: "EUR" }] },
    { productId: "run_of_site", pricing: [{ pricingOptionId: "cpm_usd_auction", rate: null, floor: 2 }], target: { ...GAM_TARGET, lineItemType: "PRICE_PRIORITY", priority: 12 } },
    { productId: "sponsorship", pricing: [{ pricingOptionId: "flat", pricingModel: "flat_rate" as const, rate: 3000 }, { pricingOptionId: "daily", pricingModel: "time" as const, rate: 300 }], target: { ...GAM_TARGET, lineItemType: "SPONSORSHIP", priority: 4, sharePercent: 100 } },
  ];
  const sponsorship = { product_id: "sponsorship", pricing_option_id: "flat", budget: 3000 };

  const cases: [string, Record<string, unknown>, { code: string; field: string }][] = [
    ["an unknown product", order({}, homepage({ product_id: "nothing" })), { code: "PRODUCT_NOT_FOUND", field: "packages[0].product_id" }],
    ["an unknown pricing option", order({}, homepage({ pricing_option_id: "nothing" })), { code: "VALIDATION_ERROR", field: "packages[0].pricing_option_id" }],
    ["a pricing option of another product", order({}, homepage({ pricing_option_id: "cpm_usd_auction" })), { code: "VALIDATION_ERROR", field: "packages[0].pricing_option_id" }],
    ["a negative budget", order({}, homepage({ budget: -5 })), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a zero budget", order({}, homepage(), homepage({ budget: 0 })), { code: "BUDGET_TOO_LOW", field: "packages[1].budget" }],
    ["a budget with more than six decimals", order({}, homepage({ budget: 100.1234567 })), { code: "VALIDATION_ERROR", field: "packages[0].budget" }],
    ["a budget below the publisher's minimum", order({}, runOfSite({ budget: 9.99 })), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a budget below the price's minimum", order({}, homepage({ budget: 49 })), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a budget beyond the daily maximum", order({}, homepage({ budget: 4_000_000 })), { code: "BUDGET_EXCEEDED", field: "packages[0].budget" }],
    ["a budget beyond every order", order({}, homepage({ budget: 2e9 })), { code: "BUDGET_EXCEEDED", field: "packages[0].budget" }],
    ["a budget beyond every number", order({}, homepage({ budget: 9.3e12 })), { code: "VALIDATION_ERROR", field: "packages[0].budget" }],
    ["a bid beyond every number", order({}, runOfSite({ bid_price: 1e300 })), { code: "VALIDATION_ERROR", field: "packages[0].bid_price" }],
    ["more packages than an ad server takes", order({}, ...Array.from({ length: 451 }, () => homepage())), { code: "VALIDATION_ERROR", field: "packages" }],
    ["a budget below the flat rate", order({}, { ...sponsorship, budget: 2999 }), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a budget below the days of the flight", order({}, { ...sponsorship, pricing_option_id: "daily", budget: 301 }), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["two currencies", order({}, homepage(), homepage({ pricing_option_id: "cpm_eur" })), { code: "PRODUCT_UNAVAILABLE", field: "packages[1].product_id" }],
    ["a total in another currency", order({ total_budget: { amount: 1000, currency: "EUR" } }), { code: "VALIDATION_ERROR", field: "total_budget.currency" }],
    ["a package's budget in another currency", order({}, homepage({ currency: "EUR" })), { code: "VALIDATION_ERROR", field: "packages[0].currency" }],
    ["a total that is not the sum", order({ total_budget: { amount: 999, currency: "USD" } }), { code: "VALIDATION_ERROR", field: "total_budget.amount" }],
    ["an auction without a bid", order({}, runOfSite({ bid_price: undefined })), { code: "VALIDATION_ERROR", field: "packages[0].bid_price" }],
    ["a bid under the floor", order({}, runOfSite({ bid_price: 1.99 })), { code: "VALIDATION_ERROR", field: "packages[0].bid_price" }],
    ["reversed dates", order({ start_time: days(10), end_time: days(9) }), { code: "VALIDATION_ERROR", field: "end_time" }],
    ["dates in the past", order({ start_time: days(-10), end_time: days(9) }), { code: "VALIDATION_ERROR", field: "start_time" }],
    ["a time without a zone", order({ start_time: "2027-03-05T00:00:00" }), { code: "VALIDATION_ERROR", field: "start_time" }],
    ["a flight that is over before it could begin", order({ start_time: "asap", end_time: new Date(NOW.getTime() + 10 * 60_000).toISOString() }), { code: "VALIDATION_ERROR", field: "end_time" }],
    ["a package's reversed dates", order({}, homepage({ start_time: days(5), end_time: days(4) })), { code: "VALIDATION_ERROR", field: "packages[0].end_time" }],
    ["a package outside the order's dates", order({}, homepage({ end_time: days(40) })), { code: "VALIDATION_ERROR", field: "packages[0].end_time" }],
    ["a package before the order", order({}, homepage({ start_time: days(1) })), { code: "VALIDATION_ERROR", field: "packages[0].start_time" }],
    ["a format that the product does not take", order({}, homepage({ format_ids: [{ agent_url: "https://x.example", id: "video_standard_30s" }] })), { code: "VALIDATION_ERROR", field: "packages[0].format_ids[0]" }],
    ["targeting that the ad server cannot express", order({}, homepage({ targeting_overlay: { geo_postal_areas: [{ system: "us_zip", values: ["10001"] }] } })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].targeting_overlay.geo_postal_areas" }],
    ["a country that is none", order({}, homepage({ targeting_overlay: { geo_countries: ["XX"] } })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].targeting_overlay" }],
    ["a goal that the budget does not buy", order({}, homepage({ impressions: 1_000_000 })), { code: "VALIDATION_ERROR", field: "packages[0].impressions" }],
    ["an impression goal on clicks", order({}, homepage({ pricing_option_id: "cpc_usd", impressions: 500 })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].impressions" }],
    ["own measurement terms", order({}, homepage({ measurement_terms: {} })), { code: "TERMS_REJECTED", field: "packages[0].measurement_terms" }],
    ["own performance standards", order({}, homepage({ performance_standards: [{}] })), { code: "TERMS_REJECTED", field: "packages[0].performance_standards" }],
    ["optimization goals", order({}, homepage({ optimization_goals: [{}] })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].optimization_goals" }],
    ["catalogs", order({}, homepage({ catalogs: [{}] })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].catalogs" }],
    ["a proposal", order({ proposal_id: "p-1", total_budget: { amount: 1, currency: "USD" } }), { code: "VALIDATION_ERROR", field: "packages" }],
    ["another invoice recipient", order({ invoice_recipient: { name: "x" } }), { code: "UNSUPPORTED_FEATURE", field: "invoice_recipient" }],
    ["no packages", order({ packages: undefined }), { code: "VALIDATION_ERROR", field: "packages" }],
    ["placements of a creative", order({}, homepage({ creative_assignments: [{ creative_id: "x", placement_ids: ["top"] }] })), { code: "UNSUPPORTED_FEATURE", field: "packages[0].creative_assignments[0].placement_ids" }],
    ["an unknown creative", order({}, homepage({ creative_assignments: [{ creative_id: "x" }] })), { code: "CREATIVE_NOT_FOUND", field: "packages[0].creative_assignments[0].creative_id" }],
  ];

  test.each(cases)("%s", async (_name, request, expected) => {
    const publisher = await createPublisher({ products: MIXED });
    await expect(place(publisher, request)).rejects.toMatchObject(expected);
    const left = await asSystem(publisher, async ({ db }) => [...(await db.select().from(mediaBuys)), ...(await db.select().from(outbox)), ...(await db.select().from(tasks))]);
    expect(left).toEqual([]);
  });

  test("two currencies in one order, although the publisher sells in both", async () => {
    const publisher = await createPublisher({ products: MIXED });
    await addConnection(publisher, publisher.products[0]?.id ?? "", { currency: "EUR" });
    const euros = homepage({ pricing_option_id: "cpm_eur" });
    await expect(place(publisher, order({}, homepage(), euros))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[1].pricing_option_id" });
    const { mediaBuyId } = await place(publisher, order({}, euros));
    const { buy, packages } = await readBuy(publisher, mediaBuyId);
    expect(buy.currency).toBe("EUR");
    expect(packages[0]?.sold.targets).toHaveLength(1);
  });

  test("a webhook address inside a network", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    await expect(place(publisher, order({ push_notification_config: { url: "http://169.254.169.254/latest/meta-data" } }))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "push_notification_config.url" });
    expect(await asSystem(publisher, ({ db }) => db.select().from(mediaBuys))).toEqual([]);
  });

  test("what remains is good input: flat rates, prices per day, clicks, targeting, formats and a start of right now", async () => {
    const publisher = await createPublisher({ products: MIXED });
    const { mediaBuyId } = await place(publisher, order({ start_time: NOW.toISOString(), total_budget: { amount: 12_840, currency: "USD" }, po_number: "PO-7" },
      sponsorship, { ...sponsorship, pricing_option_id: "daily", budget: 9_600 }, homepage({ pricing_option_id: "cpc_usd", budget: 100 }),
      homepage({ budget: 140, impressions: 11_200, pacing: "asap", paused: true, targeting_overlay: { geo_countries: ["US", "GB"] }, format_ids: [{ agent_url: "https://buyer.example", id: "display_300x250" }] })));
    const { buy, packages } = await readBuy(publisher, mediaBuyId);
    expect(buy.poNumber).toBe("PO-7");
    expect(packages.map((row) => row.units)).toEqual([32n, 32n, 50n, 11_200n]);
    expect(packages[3]).toMatchObject({ pacing: "asap", isPaused: true, targeting: { geo_countries: ["US", "GB"] }, sold: { formatIds: ["display_300x250_image"] } });
  });

  test("limits of the publisher's are read, not remembered", async () => {
    const publisher = await createPublisher();
    await place(publisher, order());
    await asSystem(publisher, ({ db, tenantId }) => db.update(currencyLimits).set({ minPackageMicros: 2_000_000_000n }).where(and(eq(currencyLimits.tenantId, tenantId), eq(currencyLimits.currency, "USD"))));
    await expect(place(publisher, order())).rejects.toMatchObject({ code: "BUDGET_TOO_LOW" });
  });
});

test("the audit says who ordered what, without secrets", async () => {
  const publisher = await createPublisher();
  const { mediaBuyId } = await place(publisher, order());
  const entries = await asSystem(publisher, ({ db }) => db.select().from(auditLog).where(eq(auditLog.mediaBuyId, mediaBuyId)));
  expect(entries).toMatchObject([{ action: "media_buy.created", actorKind: "principal", actorId: publisher.principal.id, after: { status: "pending_creatives", revision: 1, budget: "1000" } }]);
});
