import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrateEngine } from "@/engine/migrate";
import { adServerDriver } from "@/lib/ad-servers/drivers";
import { adServerInventory, adapterConfigs } from "@/lib/ad-servers/schema";
import { type AdServerDriver } from "@/lib/ad-servers/types";
import { workflowSteps } from "@/lib/approvals/schema";
import { withTenant } from "@/lib/db/client";
import { type Relay, startRelay } from "@/lib/events/relay";
import { fulfilments } from "@/lib/fulfilment/schema";
import { newId, toWireId } from "@/lib/ids";
import { log } from "@/lib/log";
import { mediaBuys, mediaPackages, tasks } from "@/lib/media-buys/schema";
import { syncJobs } from "@/lib/sync-jobs/schema";
import { requestSyncJob } from "@/lib/sync-jobs/service";
import { resolveByDns } from "@/lib/webhooks/address";
import { queueTaskWebhook, registerReceiver } from "@/lib/webhooks/service";
import { useTestDatabase } from "@/test/db";
import { changeOrder, createOrder, type OrderFixture, systemCtx } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { type Gam, KIND, NETWORK, startGam } from "@/test/gam";
import { startReceiver } from "@/test/receiver";
import { waitFor } from "@/test/wait";
import { type Background } from "./background";
import { createEmbeddedBackground } from "./embedded";
import { executing } from "./executing";

const database = useTestDatabase();
let gam: Gam;
let background: Background;
let relay: Relay;
let publisher: PublisherFixture;
let inventory: Awaited<ReturnType<Gam["inventory"]>>;
let onExecute: (kind: string) => void = () => undefined;

const watched = (driver: AdServerDriver): AdServerDriver => ({ ...driver, execute: (operation, call) => {
  onExecute(operation.kind);
  return driver.execute(operation, call);
} });

beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
  process.env.GAM_SIMULATOR_URL = gam.url;
  inventory = await gam.inventory();
  await migrateEngine(database.adminUrl, decodeURIComponent(new URL(database.appUrl).username));
  background = createEmbeddedBackground({
    needs: { ...executing, driver: (kind) => watched(adServerDriver(kind)), resolve: resolveByDns }, databaseUrl: database.appUrl, onLockLost: (reason) => { throw new Error(reason); },
  });
  await background.start();
  relay = await startRelay({ send: (events) => background.send(events), log });
});
afterAll(async () => {
  await relay.stop();
  await background.stop();
  await gam.close();
});
beforeEach(async () => {
  await gam.clearFaults();
  onExecute = () => undefined;
  publisher = await createPublisher({ connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 10 }, credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), timeZone: "America/New_York", ratePerSecond: 500 });
});

const place = (packages = 1) => createOrder(publisher, { packages, advertiser: inventory.advertiserId, target: { adUnitIds: [inventory.adUnitId], placementIds: [], lineItemType: "STANDARD", priority: 8 } });
const fulfilmentOf = async (order: OrderFixture) => (await withTenant(order.tenantId, (tx) => tx.select().from(fulfilments).where(eq(fulfilments.id, order.fulfilmentId))))[0];
const reach = (order: OrderFixture, state: string, version = 1) => waitFor(`the fulfilment to be ${state}`, async () => {
  const row = await fulfilmentOf(order);
  if (row?.state !== state || row.appliedVersion < version) throw new Error(`${row?.state} ${row?.appliedVersion}/${row?.desiredVersion}: ${row?.blockedReason}`);
  return true;
});
const ordersOf = async (order: OrderFixture) => (await gam.rows("orders")).filter(({ displayName }) => String(displayName).includes(toWireId("mediaBuy", order.mediaBuyId)));
const linesOf = async (order: OrderFixture) => {
  const [parent] = await ordersOf(order);
  return (await gam.rows("lineItems")).filter((row) => row.order === parent?.name);
};
const setBuy = (order: OrderFixture, set: Partial<typeof mediaBuys.$inferInsert>) => changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set(set).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, order.mediaBuyId))));

describe("the functions in the embedded executor, against Google Ad Manager's simulator", () => {
  test("an order, a new budget, a pause and a cancellation arrive", async () => {
    const order = await place(2);
    await reach(order, "in_sync");
    expect(await ordersOf(order)).toMatchObject([{ status: "APPROVED", externalOrderId: (await fulfilmentOf(order))?.externalOrderNumber }]);
    expect((await linesOf(order)).map(({ goal, externalLineItemId }) => [goal, externalLineItemId]).sort()).toEqual(order.packageIds.map((id) => [expect.objectContaining({ units: "100000" }), toWireId("package", id)]).sort());

    await changeOrder(order, (ctx) => ctx.db.update(mediaPackages).set({ units: 200_000n, budgetMicros: 2_000_000_000n }).where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.mediaBuyId, order.mediaBuyId))));
    await reach(order, "in_sync", 2);
    expect((await linesOf(order)).map(({ goal }) => goal)).toMatchObject([{ units: "200000" }, { units: "200000" }]);

    await setBuy(order, { status: "paused" });
    await reach(order, "in_sync", 3);
    expect((await linesOf(order)).map(({ status }) => status)).toEqual(["PAUSED", "PAUSED"]);

    await setBuy(order, { status: "canceled" });
    await reach(order, "ended", 4);
    expect(await ordersOf(order)).toMatchObject([{ archived: true }]);
  });

  test("replies that are dropped after they were committed double nothing", async () => {
    for (const path of ["orders:batchCreate", "lineItems:batchCreate", "orders:batchApprove"]) await gam.addFault({ kind: "dropAfterCommit", match: { method: "POST", path }, count: 1 });
    const order = await place(3);
    await reach(order, "in_sync");
    expect(await ordersOf(order)).toHaveLength(1);
    expect(await linesOf(order)).toHaveLength(3);
  });

  test("a cancellation wakes an order that waits for its forecast", async () => {
    await gam.addFault({ kind: "noForecastYet" });
    const order = await place();
    await waitFor("the wait", async () => (await fulfilmentOf(order))?.state === "awaiting_ad_server");
    await setBuy(order, { status: "canceled" });
    await reach(order, "ended", 2);
    expect(await ordersOf(order)).toMatchObject([{ archived: true }]);
  });

  test("two changes at once end at the newest version, once", async () => {
    const order = await place();
    await setBuy(order, { poNumber: "PO-1" });
    await setBuy(order, { poNumber: "PO-2" });
    await reach(order, "in_sync", 3);
    expect(await ordersOf(order)).toMatchObject([{ poNumber: "PO-2" }]);
  });

  test("a function that fails leaves a step for staff", async () => {
    const live = await createPublisher({ mode: "live", credentials: "{}", isSandbox: true });
    const order = await createOrder(live, { isSandbox: true });
    await waitFor("the failure", async () => (await fulfilmentOf(order))?.state === "failed");
    const steps = await withTenant(order.tenantId, (tx) => tx.select().from(workflowSteps).where(eq(workflowSteps.fulfilmentId, order.fulfilmentId)));
    expect(steps).toMatchObject([{ kind: "fulfilment_blocked", state: "pending", payload: { code: "unexpected_error" } }]);
  });

  test("a connection test and an inventory sync", async () => {
    const { tenantId, adapterConfigId } = publisher;
    await withTenant(tenantId, async (db) => {
      await db.update(adapterConfigs).set({ status: "unverified" }).where(eq(adapterConfigs.id, adapterConfigId));
      for (const kind of ["connection_test", "inventory"] as const) await requestSyncJob(systemCtx(db, tenantId), { adapterConfigId, kind });
    });
    await waitFor("both jobs", async () => (await withTenant(tenantId, (tx) => tx.select().from(syncJobs))).every(({ state }) => state === "succeeded"));
    expect((await withTenant(tenantId, (tx) => tx.select().from(adapterConfigs)))[0]?.status).toBe("verified");
    expect((await withTenant(tenantId, (tx) => tx.select().from(adServerInventory))).length).toBeGreaterThan(60);
  });

  test("a webhook that fails once is delivered ten seconds later", async () => {
    const receiver = await startReceiver((n) => (n === 1 ? 500 : 200));
    const taskId = newId();
    await withTenant(publisher.tenantId, async (db) => {
      const ctx = systemCtx(db, publisher.tenantId);
      await db.insert(tasks).values({ tenantId: publisher.tenantId, id: taskId, principalId: publisher.principal.id, taskType: "create_media_buy", status: "completed", result: { media_buy_id: "mb_1", packages: [] } });
      await registerReceiver(ctx, { principalId: publisher.principal.id, taskId, mediaBuyId: null, config: { url: receiver.url } });
      await queueTaskWebhook(ctx, { taskId });
    });
    await waitFor("the second attempt", () => receiver.received.length === 2);
    await receiver.close();
    expect(receiver.received[0]?.body).toBe(receiver.received[1]?.body);
  });

  test("the ad server is called soon after the commit, by no looking around every now and then", async () => {
    await relay.stop();
    relay = await startRelay({ send: (events) => background.send(events), log, pollMs: 3_600_000 });
    const delays: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      let called = 0;
      onExecute = () => {
        called ||= performance.now();
      };
      const order = await place();
      const committed = performance.now();
      await waitFor("the first call", () => called > 0);
      delays.push(called - committed);
      await reach(order, "in_sync");
    }
    const median = delays.sort((a, b) => a - b)[4] ?? Infinity;
    expect(median).toBeLessThan(10_000);
  });
});
