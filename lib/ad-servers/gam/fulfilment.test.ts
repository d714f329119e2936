import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { withTenant } from "@/lib/db/client";
import { type Executing } from "@/lib/fulfilment/call";
import { fulfilments } from "@/lib/fulfilment/schema";
import { newId, toWireId } from "@/lib/ids";
import { log } from "@/lib/log";
import { mediaBuys, mediaPackages } from "@/lib/media-buys/schema";
import { useTestDatabase } from "@/test/db";
import { DurableRun, Killer, World } from "@/test/durable";
import { changeOrder, createOrder, type OrderFixture } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { KIND, NETWORK, startGam, type Gam } from "@/test/gam";
import { adServerDriver } from "../drivers";
import { adServerDeclaration } from "../registry";

/** The whole way of execution on real parts: fulfilment on PostgreSQL, this driver, the simulator over loopback. */

const database = useTestDatabase();
let gam: Gam;
let world: World;
let publisher: PublisherFixture;
let target: Record<string, unknown>;
let advertiser: string;
beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(async () => {
  await gam.reset();
  world = new World(database);
  const inventory = await gam.inventory();
  advertiser = inventory.advertiserId;
  target = { adUnitIds: [inventory.adUnitId], placementIds: [], lineItemType: "STANDARD", priority: 8 };
  publisher = await createPublisher({ credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 20 }, ratePerSecond: 1_000 });
});
afterEach(() => world.close());

const executing = (killer?: Killer): Executing => ({
  transact: killer?.transact ?? withTenant, declaration: adServerDeclaration, driver: adServerDriver, baseUrl: () => gam.url, now: world.now, log,
});

async function execute(order: OrderFixture): Promise<string> {
  const run = new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
  const ended = await run.proceed(executing(), new Killer());
  return ended === "killed" ? ended : ended.because;
}

async function stateOf(order: OrderFixture): Promise<unknown> {
  const [row] = await withTenant(order.tenantId, (tx) => tx.select().from(fulfilments).where(eq(fulfilments.id, order.fulfilmentId)));
  return [row?.state, row?.blockedReason, row?.drift];
}

test("replies lost after every commit: one order, one line item a package, in sync; then every kind of change arrives", async () => {
  await gam.addFault({ kind: "dropAfterCommit", match: { path: "batchCreate|batchApprove" }, count: 5 });
  const order = await createOrder(publisher, { packages: 2, advertiser, target });
  expect(await execute(order)).toBe("in_sync");
  expect(await stateOf(order)).toEqual(["in_sync", null, []]);
  expect(await gam.rows("orders")).toHaveLength(1);
  expect((await gam.rows("lineItems")).map(({ goal }) => goal)).toMatchObject([{ units: "100000" }, { units: "100000" }]);

  await changeOrder(order, (ctx) => ctx.db.update(mediaPackages).set({ units: 70_000n }).where(eq(mediaPackages.id, order.packageIds[0] ?? "")));
  expect(await execute(order)).toBe("in_sync");
  expect((await gam.rows("lineItems")).map(({ goal }) => goal)).toMatchObject([{ units: "70000" }, { units: "100000" }]);

  await changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status: "paused" }).where(eq(mediaBuys.id, order.mediaBuyId)));
  expect(await execute(order)).toBe("in_sync");
  expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["PAUSED", "PAUSED"]);

  await changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status: "canceled" }).where(eq(mediaBuys.id, order.mediaBuyId)));
  expect(await execute(order)).toBe("ended");
  expect(await gam.rows("orders")).toMatchObject([{ archived: true }]);
});

test("a pause whose answer was lost is taken back by a resume that comes before it is tried again", async () => {
  const order = await createOrder(publisher, { packages: 2, advertiser, target });
  expect(await execute(order)).toBe("in_sync");
  const running = (await gam.rows("lineItems")).map(({ status }) => status);
  const setStatus = (status: "active" | "paused") => changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status }).where(eq(mediaBuys.id, order.mediaBuyId)));
  await setStatus("paused");
  await gam.addFault({ kind: "dropAfterCommit", match: { path: "batchPause" }, count: 1 });
  let isResumed = false;
  const run = new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
  const ended = await run.proceed(executing(), new Killer(), async () => {
    if (isResumed) return;
    isResumed = true;
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["PAUSED", "PAUSED"]);
    await setStatus("active");
  });
  expect(isResumed).toBe(true);
  expect(ended).toEqual({ because: "in_sync" });
  expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(running);
  expect(await stateOf(order)).toEqual(["in_sync", null, []]);
});

test("killed at each instruction in turn: nothing is lost or doubled", async () => {
  let kills = 0;
  for (let at = 1; ; at += 1) {
    const order = await createOrder(publisher, { packages: 2, advertiser, target });
    const killer = new Killer(at);
    const run = new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
    const isKilled = await run.proceed(executing(killer), killer) === "killed";
    await world.pass(120_000);
    if (isKilled) await execute(order);
    expect(await stateOf(order)).toEqual(["in_sync", null, []]);
    const own = (await gam.rows("orders")).filter(({ displayName }) => String(displayName).includes(toWireId("mediaBuy", order.mediaBuyId)));
    expect(own).toMatchObject([{ status: "APPROVED" }]);
    expect((await gam.rows("lineItems")).filter((item) => item.order === own[0]?.name)).toHaveLength(2);
    if (!isKilled) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(15);
}, 600_000);
