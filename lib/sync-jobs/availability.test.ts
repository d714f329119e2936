import { setTimeout as sleep } from "node:timers/promises";
import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, errorCode } from "@/test/fixtures/door";
import { asSystem, staff, asActor } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createClient, createFixture, createLineItems, createOrder, nameOf } from "@/simulators/gam/test-client";
import { type Gam, KIND, NETWORK, startGam } from "@/test/gam";
import { adServerDriver } from "../ad-servers/drivers";
import { adServerDeclaration } from "../ad-servers/registry";
import { productAvailability } from "../availability/schema";
import { listAvailability } from "../availability/service";
import { withTenant } from "../db/client";
import { addDays, dayIn, startOfDay } from "../delivery/days";
import { type Executing } from "../fulfilment/call";
import { log } from "../log";
import { productTargets } from "../products/schema";
import { tenants } from "../tenants/schema";
import { runSyncJob } from "./run";
import { scheduleAvailabilitySyncs } from "./schedule";
import { syncJobs } from "./schema";

useTestDatabase();
let gam: Gam;
let publisher: PublisherFixture;
let offsetMs = 0;
const ZONE = "America/New_York";
const now = () => new Date(Date.now() + offsetMs);
const executing: Executing = { transact: withTenant, declaration: adServerDeclaration, driver: adServerDriver, baseUrl: () => gam.url, now, log };

beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(async () => {
  // Each test belongs to one day of the ad server's.
  while (dayIn(new Date(Date.now() + 60_000), ZONE) !== dayIn(new Date(), ZONE)) await sleep(1_000);
  await gam.reset();
  offsetMs = 0;
  const { adUnitId, placementId, keyId, valueIds } = await gam.inventory();
  const product = (productId: string, target: Record<string, unknown>) => ({ productId, formatIds: ["display_300x250_image"], pricing: [{ pricingOptionId: "cpm_usd_fixed", rate: 12.5 }], target: { adUnitIds: [], placementIds: [], lineItemType: "STANDARD", priority: 8, ...target } });
  publisher = await createPublisher({
    slug: `p-${Math.random().toString(36).slice(2, 10)}`,
    connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 10 }, credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), timeZone: ZONE, ratePerSecond: 10_000,
    products: [
      product("unit", { adUnitIds: [adUnitId] }), product("same", { adUnitIds: [adUnitId] }), product("placement", { placementIds: [placementId] }), product("both", { adUnitIds: [adUnitId], placementIds: [placementId] }),
      product("narrowed", { adUnitIds: [adUnitId], customTargeting: [{ keyId, valueIds: valueIds.slice(0, 1) }] }),
    ],
  });
});

const jobs = () => asSystem(publisher, ({ db, tenantId }) => db.select().from(syncJobs).where(and(eq(syncJobs.tenantId, tenantId), eq(syncJobs.kind, "availability"))).orderBy(syncJobs.createdAt));

async function sync(attempt = 0) {
  await scheduleAvailabilitySyncs(executing);
  const open = (await jobs()).find(({ state }) => state === "queued");
  const outcome = open && (await runSyncJob(executing, { tenantId: publisher.tenantId, syncJobId: open.id, attempt }));
  return { outcome, job: (await jobs()).at(-1) };
}

type Shown = Record<string, { impressions: number[]; forecast: Record<string, unknown> } | undefined>;

async function shown(filters: Record<string, unknown> = {}, token = publisher.token) {
  const { body } = await callMcp("get_products", { buying_mode: "wholesale", filters }, { token });
  const products: Shown = Object.fromEntries(asList(body.products).map((product) => {
    const forecast = product.forecast === undefined ? undefined : asObject(product.forecast);
    return [String(product.product_id), forecast && { forecast, impressions: asList(forecast.points).map((point) => Number(asObject(asObject(asObject(point).metrics).impressions).mid)) }];
  }));
  return { products, body };
}

const catalogVersion = () => asSystem(publisher, async ({ db }) => (await db.select({ version: tenants.catalogVersion }).from(tenants).where(eq(tenants.id, publisher.tenantId)))[0]?.version ?? 0);

const today = () => dayIn(now(), ZONE);

test("is asked for once a day, in the ad server's own days, and shown with its age; shared inventory is asked about once", async () => {
  expect((await shown()).products).toEqual({ unit: undefined, same: undefined, placement: undefined, both: undefined, narrowed: undefined });
  const before = await catalogVersion();
  const { outcome, job } = await sync();
  // Five products, one write: each has every web process read the catalogue again.
  expect(await catalogVersion()).toBe(before + 1);
  expect(job?.error).toBeNull();
  expect(outcome).toEqual({ next: "stop", state: "succeeded" });
  expect(job).toMatchObject({ state: "succeeded", error: null, counts: { products: 5, without_forecast: 1 }, phases: [{ name: "Products", state: "done", done: 5, total: 5 }] });
  expect(await scheduleAvailabilitySyncs(executing)).toBe(0);
  expect((await gam.journal("reports", "POST")).filter(({ path }) => path.endsWith(":run"))).toHaveLength(3);

  const { products } = await shown();
  const unit = products.unit;
  expect(unit?.forecast).toMatchObject({
    forecast_range_unit: "availability", method: "modeled", currency: "USD", generated_at: expect.any(String), valid_until: expect.any(String),
    points: [{ label: `${today()} to ${addDays(today(), 29)}` }, { label: `${today()} to ${addDays(today(), 89)}` }],
  });
  expect(unit?.impressions[0]).toBeGreaterThan(100_000);
  expect(unit?.impressions[1]).toBeGreaterThan((unit?.impressions[0] ?? 0) * 2);
  expect(products.same).toEqual(unit);
  expect(products.both?.impressions[0]).toBeGreaterThanOrEqual(Math.max(unit?.impressions[0] ?? 0, products.placement?.impressions[0] ?? 0));
  expect(products.narrowed).toBeUndefined();
  const visitor = await callMcp("get_products", { buying_mode: "wholesale" }, {});
  expect(JSON.stringify(visitor.body)).not.toContain("forecast");

  offsetMs = 25 * 3_600_000;
  expect(await scheduleAvailabilitySyncs(executing)).toBe(1);
});

test("what others have booked is not free, and the buyer's dates and exposures are looked at", async () => {
  await sync();
  const { products: before } = await shown({ start_date: addDays(today(), 10), end_date: addDays(today(), 19) });
  const free = before.unit?.impressions[0] ?? 0;
  expect(before.unit?.impressions).toHaveLength(1);
  await book(addDays(today(), 10), addDays(today(), 20), 100_000);
  offsetMs = 25 * 3_600_000;
  await sync();
  const window = { start_date: addDays(dayIn(new Date(), ZONE), 10), end_date: addDays(dayIn(new Date(), ZONE), 19) };
  const { products: after } = await shown(window);
  expect(after.unit?.impressions[0]).toBeGreaterThan(free - 100_010);
  expect(after.unit?.impressions[0]).toBeLessThan(free - 95_000);

  const left = after.unit?.impressions[0] ?? 0;
  const enough = await shown({ ...window, min_exposures: left });
  expect(Object.keys(enough.products)).toContain("unit");
  const tooMany = await shown({ ...window, min_exposures: left + 1 });
  expect(Object.keys(tooMany.products)).not.toContain("unit");
  // What nobody knows is shown, and said.
  expect(Object.keys(tooMany.products)).toContain("narrowed");
  expect(tooMany.body.incomplete).toMatchObject([{ scope: "forecast", description: expect.stringContaining("narrowed") }]);
  const far = await shown({ start_date: addDays(today(), 60), end_date: addDays(today(), 200) });
  expect(far.products.unit).toBeUndefined();
  expect(asList(far.body.incomplete)).toHaveLength(1);
  expect(errorCode(await callMcp("get_products", { buying_mode: "wholesale", filters: { start_date: "2031-02-02", end_date: "2031-02-01" } }, { token: publisher.token }))).toBe("INVALID_REQUEST");
});

/** A reserved line item of somebody else, over whole days of the network's zone. */
async function book(from: string, to: string, units: number): Promise<void> {
  const fixture = await createFixture(await createClient(gam.simulator));
  const { adUnitId } = await gam.inventory();
  const order = nameOf(await createOrder(fixture));
  await createLineItems(fixture, order, 1, {
    startTime: startOfDay(from, ZONE).toISOString(), targetEndTime: startOfDay(to, ZONE).toISOString(), goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: String(units) },
    targeting: { inventoryTargeting: { targetedAdUnits: [{ adUnit: `networks/${NETWORK}/adUnits/${adUnitId}`, includeDescendants: true }] } },
  });
  await fixture.client.post("/orders:batchApprove", { names: [order] });
}

test("a product that was mapped otherwise has no figures until the next sync, which comes soon", async () => {
  await sync();
  const { placementId } = await gam.inventory();
  offsetMs = 11 * 60_000;
  const unit = publisher.products.find(({ productId }) => productId === "unit")?.id ?? "";
  await asSystem(publisher, ({ db, tenantId }) => db.update(productTargets).set({ config: { adUnitIds: [], placementIds: [placementId], lineItemType: "STANDARD", priority: 8 }, updatedAt: now() }).where(and(eq(productTargets.tenantId, tenantId), eq(productTargets.productId, unit))));
  expect((await shown()).products.unit).toBeUndefined();
  expect((await shown()).products.same).toBeDefined();
  offsetMs += 60_000;
  expect((await sync()).job).toMatchObject({ state: "succeeded" });
  const { products } = await shown();
  expect(products.unit?.impressions).toEqual(products.placement?.impressions);
});

test("an ad server that cannot tell costs no product its place, and staff read why", async () => {
  await gam.addFault({ kind: "reportFails", count: 100 });
  const first = await sync();
  expect(first.outcome).toMatchObject({ next: "later" });
  expect(Object.keys((await shown()).products)).toHaveLength(5);
  await gam.clearFaults();
  const open = await jobs();
  expect(await runSyncJob(executing, { tenantId: publisher.tenantId, syncJobId: open[0]?.id ?? "", attempt: 1 })).toMatchObject({ state: "succeeded" });
  const read = (productId: string) => asActor(publisher, staff("viewer"), (ctx) => listAvailability(ctx, publisher.products.find((product) => product.productId === productId)?.id ?? ""), now());
  expect(await read("unit")).toMatchObject([{ reason: null, isCurrent: true, isStale: false, available30: expect.any(Number) }]);
  expect(await read("narrowed")).toMatchObject([{ reason: expect.stringContaining("key-values"), available30: 0 }]);
});

test("figures that are too old are not shown, days that are over do not count, and what is reserved whole is not offered", async () => {
  await sync();
  const set = (figures: Partial<typeof productAvailability.$inferInsert>) => asSystem(publisher, ({ db, tenantId }) => db.update(productAvailability).set(figures)
    .where(and(eq(productAvailability.tenantId, tenantId), eq(productAvailability.productId, publisher.products.find(({ productId }) => productId === "unit")?.id ?? ""))));
  const whole = (await shown()).products.unit?.impressions[1] ?? 0;

  await set({ firstDay: addDays(today(), -1) });
  const { products: later } = await shown();
  expect(asList(later.unit?.forecast.points).map(({ label }) => label)).toEqual([`${today()} to ${addDays(today(), 29)}`, `${today()} to ${addDays(today(), 88)}`]);
  expect(later.unit?.impressions[1]).toBeLessThan(whole);

  await set({ firstDay: today(), generatedAt: new Date(Date.now() - 47 * 3_600_000) });
  const { products: old } = await shown();
  expect(Date.parse(String(old.unit?.forecast.valid_until))).toBeLessThan(Date.now());
  await set({ generatedAt: new Date(Date.now() - 49 * 3_600_000) });
  const { products: tooOld, body } = await shown({ min_exposures: 1_000_000_000 });
  expect(Object.keys(tooOld)).toEqual(["unit", "narrowed"]);
  expect(tooOld.unit).toBeUndefined();
  expect(body.incomplete).toMatchObject([{ scope: "forecast", description: expect.stringMatching(/too long ago, for unit, narrowed/) }]);

  await set({ generatedAt: new Date(), available: Array.from({ length: 90 }, (_, day) => (day < 10 ? 0 : 1_000)) });
  expect(Object.keys((await shown({ start_date: today(), end_date: addDays(today(), 9) })).products)).not.toContain("unit");
  expect((await shown({ start_date: today(), end_date: addDays(today(), 10) })).products.unit?.impressions).toEqual([1_000]);
});

test("an ad unit that the ad server does not know leaves the other products theirs", async () => {
  const [first] = publisher.products;
  await asSystem(publisher, ({ db, tenantId }) => db.update(productTargets).set({ config: { adUnitIds: ["1"], placementIds: [], lineItemType: "STANDARD", priority: 8 } }).where(and(eq(productTargets.tenantId, tenantId), eq(productTargets.productId, first?.id ?? ""))));
  expect((await sync()).job).toMatchObject({ state: "succeeded" });
  expect((await shown()).products.placement).toBeDefined();
});

test("another publisher's figures are nobody's here", async () => {
  await sync();
  const elsewhere = await createPublisher({ slug: `e-${Math.random().toString(36).slice(2, 10)}` });
  const stranger = await createBuyer(elsewhere.tenantId, { name: "Stranger", isSandbox: true });
  expect(JSON.stringify((await shown({}, stranger.token)).body)).not.toContain("forecast");
  expect(await asActor(elsewhere, staff("admin"), (ctx) => listAvailability(ctx, publisher.products[0]?.id ?? ""), now())).toEqual([]);
});
