import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asBuyer, asSystem, banner, DAY_MS, homepage, order, place, readBuy } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createClient } from "@/simulators/gam/test-client";
import { converge, type Gam, KIND, NETWORK, startGam } from "@/test/gam";
import { adServerDriver } from "../ad-servers/drivers";
import { adServerDeclaration } from "../ad-servers/registry";
import { externalObjects } from "../ad-servers/schema";
import { withTenant } from "../db/client";
import { getMediaBuyDelivery } from "../delivery/media-buy-delivery";
import { loadPackageDays, loadPackageSlices } from "../delivery/queries";
import { type Executing } from "../fulfilment/call";
import { loadDesiredOrder } from "../fulfilment/desired";
import { fulfilments } from "../fulfilment/schema";
import { toWireId } from "../ids";
import { log } from "../log";
import { mediaBuys } from "../media-buys/schema";
import { runSyncJob } from "./run";
import { scheduleDeliveryPulls } from "./schedule";
import { syncJobs } from "./schema";

useTestDatabase();
let gam: Gam;
let publisher: PublisherFixture;
/** Never goes back, as the ad server's clock. */
let offsetMs = 0;
const now = () => new Date(Date.now() + offsetMs);
const executing: Executing = { transact: withTenant, declaration: adServerDeclaration, driver: adServerDriver, baseUrl: () => gam.url, now, log };

const admin = (path: string, body: unknown) => fetch(`${gam.url}/__sim${path}`, { method: "POST", body: JSON.stringify(body) });

/** Time passes here and in the ad server alike. */
async function pass(ms: number): Promise<void> {
  offsetMs += ms;
  expect((await admin("/clock", { advanceMs: ms })).status).toBe(200);
}

beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(() => gam.reset());

/** An order of one package for ten days that Ad Manager holds as it was sold. */
async function running() {
  const { adUnitId, advertiserId } = await gam.inventory();
  publisher = await createPublisher({
    connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 10 }, credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), timeZone: "America/New_York", ratePerSecond: 10_000,
    products: [{ productId: "homepage_display", formatIds: ["display_300x250_image"], pricing: [{ pricingOptionId: "cpm_usd_fixed", rate: 12.5 }], target: { adUnitIds: [adUnitId], placementIds: [], lineItemType: "STANDARD", priority: 8 } }],
  });
  const start = new Date(now().getTime() + 3_600_000);
  const { mediaBuyId } = await place(publisher, order({ start_time: start.toISOString(), end_time: new Date(start.getTime() + 10 * DAY_MS).toISOString() }, homepage({ creatives: [banner(), banner("banner-2")], targeting_overlay: { geo_countries: ["US"] } })), now());
  const { packages: [sold], fulfilments: [fulfilment] } = await readBuy(publisher, mediaBuyId);
  const desired = await asSystem(publisher, (ctx) => loadDesiredOrder(ctx, fulfilment?.id ?? ""), now());
  const { applied } = await converge(gam, { ...desired, advertiserExternalId: advertiserId, advertiserToCreate: null }, undefined, { now });
  await asSystem(publisher, async ({ db, tenantId }) => {
    await db.insert(externalObjects).values(applied.objects.map((object) => ({ tenantId, adapterConfigId: publisher.adapterConfigId, fulfilmentId: fulfilment?.id, ...object })));
    await db.update(fulfilments).set({ state: "in_sync", appliedVersion: 1 }).where(and(eq(fulfilments.tenantId, tenantId), eq(fulfilments.mediaBuyId, mediaBuyId)));
    await db.update(mediaBuys).set({ status: "active" });
  });
  return { mediaBuyId, packageId: sold?.id ?? "", start };
}

async function pull(attempt = 0) {
  const jobs = () => asSystem(publisher, ({ db, tenantId }) => db.select().from(syncJobs).where(and(eq(syncJobs.tenantId, tenantId), eq(syncJobs.kind, "delivery"))).orderBy(syncJobs.createdAt));
  const open = (await jobs()).find(({ state }) => state === "queued");
  const outcome = open && (await runSyncJob(executing, { tenantId: publisher.tenantId, syncJobId: open.id, attempt }));
  return { outcome, job: (await jobs()).at(-1) };
}

test("is pulled once an hour while something runs, exact by day, and reaches the buyer with its age", async () => {
  const { mediaBuyId, packageId } = await running();
  expect(await scheduleDeliveryPulls(executing)).toBe(0);
  await pass(3 * DAY_MS);
  expect(await scheduleDeliveryPulls(executing)).toBe(1);
  expect(await scheduleDeliveryPulls(executing)).toBe(0);
  const { outcome, job } = await pull();
  expect(outcome).toEqual({ next: "stop", state: "succeeded" });
  expect(job).toMatchObject({ state: "succeeded", error: null, counts: { orders: 1, line_items: 1, changed_orders: 1 } });
  expect(job?.phases.map(({ name, state }) => [name, state])).toEqual([["days", "done"], ["creatives", "done"], ["countries", "done"]]);

  const days = await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]));
  const total = days.reduce((sum, day) => sum + day.impressions, 0);
  // 80,000 impressions in ten days, less the hour before the start.
  expect(total).toBeGreaterThan(23_600);
  expect(total).toBeLessThanOrEqual(24_000);
  expect(days.length).toBeGreaterThanOrEqual(3);
  expect(days.reduce((sum, day) => sum + day.spendMicros, 0n)).toBe((BigInt(total) * 12_500_000n) / 1000n);
  expect(days.every((day) => day.packageId === packageId && day.completedViews === null && day.clicks !== null)).toBe(true);
  const slices = await asSystem(publisher, (ctx) => loadPackageSlices(ctx, [mediaBuyId], ["creative", "country"]));
  expect(slices.filter(({ dimension }) => dimension === "country")).toMatchObject([{ key: "US", label: "United States", impressions: total }]);
  expect(slices.filter(({ dimension }) => dimension === "creative").reduce((sum, { impressions }) => sum + impressions, 0)).toBe(total);

  const answer = await asBuyer(publisher, (ctx) => getMediaBuyDelivery(ctx, { session: publisher.session, account: null, request: { media_buy_ids: [toWireId("mediaBuy", mediaBuyId)] } }), now());
  expect(answer.media_buy_deliveries).toMatchObject([{ status: "active", totals: { impressions: total }, by_package: [{ pacing_index: expect.closeTo(1, 1), delivery_status: "delivering", by_creative: [{ weight: expect.closeTo(50, 0) }, {}] }] }]);

  await pass(DAY_MS);
  expect(await scheduleDeliveryPulls(executing)).toBe(1);
  await pull();
  const later = await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]));
  expect(later.reduce((sum, day) => sum + day.impressions, 0)).toBeCloseTo(total + 8_000, -2);
  expect((await gam.rows("reports")).map(({ displayName }) => String(displayName).replace(/ \[.*/, "")).sort()).toEqual(["Greenlight delivery by country", "Greenlight delivery by creative", "Greenlight delivery by day"]);
});

test("what was paused delivers nothing meanwhile: zeros that the ad server stated", async () => {
  const { mediaBuyId } = await running();
  const [item] = await gam.rows("lineItems");
  await (await createClient(gam.simulator)).post("/lineItems:batchPause", { names: [item?.name ?? ""] });
  await pass(3 * DAY_MS);
  await scheduleDeliveryPulls(executing);
  await pull();
  const days = await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]));
  expect(days.length).toBeGreaterThanOrEqual(3);
  expect(days.every((day) => day.impressions === 0 && day.spendMicros === 0n && day.clicks === 0)).toBe(true);
});

test("a report that fails is asked for again, and leaves nothing half told", async () => {
  const { mediaBuyId } = await running();
  await pass(2 * DAY_MS);
  await admin("/faults", { kind: "reportFails", count: 1, match: { path: ":run" } });
  await scheduleDeliveryPulls(executing);
  const first = await pull();
  expect(first.outcome).toMatchObject({ next: "later" });
  expect(first.job).toMatchObject({ state: "queued", error: { code: "report_failed" } });
  expect(await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]))).toEqual([]);
  expect((await pull(1)).outcome).toEqual({ next: "stop", state: "succeeded" });
  expect((await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]))).length).toBeGreaterThan(0);
});
