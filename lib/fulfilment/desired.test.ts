import { and, eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createOrder, type OrderFixture, systemCtx } from "@/test/fixtures/order";
import { createPublisher, GAM_TARGET, type PublisherFixture } from "@/test/fixtures/publisher";
import { type Ctx } from "../context";
import { creativeAssignments, creatives } from "../creatives/schema";
import { withTenant } from "../db/client";
import { newId, toWireId } from "../ids";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { productTargets } from "../products/schema";
import { tenants } from "../tenants/schema";
import { loadDesiredOrder, previewPlans } from "./desired";
import { fulfilments } from "./schema";

useTestDatabase();
let publisher: PublisherFixture;
beforeEach(async () => {
  publisher = await createPublisher({ timeZone: "Europe/Berlin", isAdvertiserCreationAllowed: false });
});

const inTenant = <T>(work: (ctx: Ctx) => Promise<T>) => withTenant(publisher.tenantId, (db) => work(systemCtx(db, publisher.tenantId)));
const desiredOf = (order: OrderFixture) => inTenant((ctx) => loadDesiredOrder(ctx, order.fulfilmentId));
const changeBuy = (order: OrderFixture, set: Partial<typeof mediaBuys.$inferInsert>) => inTenant((ctx) => ctx.db.update(mediaBuys).set(set).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, order.mediaBuyId))));

async function assign(order: OrderFixture, changes: Partial<typeof creatives.$inferInsert> = {}): Promise<string> {
  const id = newId();
  await inTenant(async (ctx) => {
    await ctx.db.insert(creatives).values({
      tenantId: ctx.tenantId, id, principalId: publisher.principal.id, accountId: order.accountId, creativeId: `c-${id}`, name: "Banner", status: "approved", contentHash: "h",
      formatId: { agent_url: "http://127.0.0.1:3000", id: "display_300x250_image" },
      assets: { image: { asset_type: "image", url: "https://cdn.example/b.png", width: 300, height: 250 }, click_url: { asset_type: "url", url: "https://acme.example/" } }, ...changes,
    });
    await ctx.db.insert(creativeAssignments).values({ tenantId: ctx.tenantId, packageId: order.packageIds[0] ?? "", creativeId: id, weight: 40 });
  });
  return id;
}

describe("what an ad server should hold", () => {
  test("is what was sold: names with our suffixes, units of each package alone, frozen targets", async () => {
    const order = await createOrder(publisher, { packages: 2, unitsEach: 100_000n });
    await inTenant((ctx) => ctx.db.update(productTargets).set({ config: { adUnitIds: ["9"] } }));
    const desired = await desiredOf(order);
    expect(desired).toMatchObject({
      mediaBuyId: order.mediaBuyId, version: 1, name: `Spring launch [${toWireId("mediaBuy", order.mediaBuyId)}]`, suffix: `[${toWireId("mediaBuy", order.mediaBuyId)}]`, currency: "USD", timeZone: "Europe/Berlin",
      advertiserExternalId: "4001", advertiserToCreate: null, isEnded: false, isPaused: false, isOverbookingAllowed: false, isInventoryCheckSkipped: false,
    });
    expect(desired.lines).toMatchObject(order.packageIds.map((packageId, index) => ({
      packageId, name: `Homepage ${index + 1} [${toWireId("package", packageId)}]`, target: GAM_TARGET, units: "100000", budgetMicros: "1000000000", rateMicros: "10000000",
      placeholders: [{ width: 300, height: 250, kind: "display" }], isPaused: false, isCanceled: false,
    })));
    expect(JSON.parse(JSON.stringify(desired))).toEqual(desired);
  });

  test("names stay within what ad servers take", async () => {
    const order = await createOrder(publisher);
    await changeBuy(order, { name: "x".repeat(400) });
    const { name, suffix } = await desiredOf(order);
    expect(name).toHaveLength(255);
    expect(name.endsWith(` ${suffix}`)).toBe(true);
  });

  test("nothing starts before the effective start that the approval froze", async () => {
    const order = await createOrder(publisher);
    const later = new Date(Date.now() + 5 * 3_600_000);
    await changeBuy(order, { effectiveStartsAt: later });
    expect((await desiredOf(order)).lines[0]?.startsAt).toBe(later.toISOString());
  });

  test("statuses and overrides show", async () => {
    const order = await createOrder(publisher);
    await changeBuy(order, { status: "paused" });
    await inTenant((ctx) => ctx.db.update(fulfilments).set({ inventoryOverride: "overbook" }));
    await inTenant((ctx) => ctx.db.update(mediaPackages).set({ canceledAt: new Date() }));
    expect(await desiredOf(order)).toMatchObject({ isPaused: true, isEnded: false, isOverbookingAllowed: true, lines: [{ isCanceled: true }] });
    for (const status of ["canceled", "rejected", "completed"] as const) {
      await changeBuy(order, { status });
      expect((await desiredOf(order)).isEnded).toBe(true);
    }
  });

  test("only approved creatives, with their weight", async () => {
    const order = await createOrder(publisher, { packages: 2 });
    const approved = await assign(order);
    await assign(order, { status: "rejected" });
    await assign(order, { status: "pending_review" });
    await assign(order, { archivedAt: new Date() });
    const { lines } = await desiredOf(order);
    expect(lines.map((line) => line.creatives.map(({ creativeId, weight, source }) => [creativeId, weight, source]))).toEqual([[[approved, 40, { type: "image_url", url: "https://cdn.example/b.png" }]], []]);
  });

  test("an advertiser is created only where the publisher allows it", async () => {
    const order = await createOrder(publisher, { advertiser: null });
    expect(await desiredOf(order)).toMatchObject({ advertiserExternalId: null, advertiserToCreate: null });
    await inTenant((ctx) => ctx.db.update(tenants).set({ isAdvertiserCreationAllowed: true }).where(eq(tenants.id, ctx.tenantId)));
    expect(await desiredOf(order)).toMatchObject({ advertiserExternalId: null, advertiserToCreate: "Acme Outdoor" });
  });
});

describe("the preview", () => {
  test("is the ad server's own plan, and changes nothing", async () => {
    const order = await createOrder(publisher);
    const [preview] = await inTenant((ctx) => previewPlans(ctx, order.mediaBuyId));
    expect(preview).toMatchObject({ adapterConfigId: order.adapterConfigId, connectionName: "Ad Manager", kind: "google_ad_manager", mode: "simulated", problems: [] });
    expect(preview?.plan.outcome === "operations" && preview.plan.operations.map(({ key }) => key)).toEqual(["create-order", "create-line-items:0", "approve-order:0"]);
    const [row] = await inTenant((ctx) => ctx.db.select().from(fulfilments).where(eq(fulfilments.id, order.fulfilmentId)));
    expect(row).toMatchObject({ externalOrderNumber: null, state: "pending", leaseEpoch: 0 });
  });

  test("shows a missing advertiser as a block, and a creative with nothing to serve as a problem", async () => {
    const order = await createOrder(publisher, { advertiser: null });
    const plans = () => inTenant((ctx) => previewPlans(ctx, order.mediaBuyId)).then((previews) => previews.map(({ plan }) => plan));
    expect(await plans()).toMatchObject([{ outcome: "blocked", code: "choose_advertiser" }]);
    await assign(order, { assets: {} });
    const [preview] = await inTenant((ctx) => previewPlans(ctx, order.mediaBuyId));
    expect(preview?.problems).toMatchObject([{ code: "creative_rejected", packageId: order.packageIds[0] }]);
  });
});
