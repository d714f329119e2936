import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { DurableRun, Killer, makeExecuting, World } from "@/test/durable";
import { FakeAdServer } from "@/test/fake-ad-server";
import { changeOrder, createOrder, type OrderFixture } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { externalObjects } from "../ad-servers/schema";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { fulfilmentOperations, fulfilments } from "./schema";

const database = useTestDatabase();
let publisher: PublisherFixture;
let world: World;

beforeAll(async () => {
  publisher = await createPublisher({ credentials: "{}", ratePerSecond: 100_000, isAdvertiserCreationAllowed: true });
  world = new World(database);
});
afterAll(() => world.close());

async function stateOf(order: OrderFixture) {
  return withTenant(order.tenantId, async (tx) => {
    const [fulfilment] = await tx.select().from(fulfilments).where(and(eq(fulfilments.tenantId, order.tenantId), eq(fulfilments.id, order.fulfilmentId)));
    const operations = await tx.select().from(fulfilmentOperations).where(and(eq(fulfilmentOperations.tenantId, order.tenantId), eq(fulfilmentOperations.fulfilmentId, order.fulfilmentId)));
    const objects = await tx.select().from(externalObjects).where(and(eq(externalObjects.tenantId, order.tenantId), eq(externalObjects.fulfilmentId, order.fulfilmentId)));
    return { fulfilment, operations, objects };
  });
}

/** One object per intent, each known to us, and the row says so. */
async function expectSettled(order: OrderFixture, server: FakeAdServer, units = "100000") {
  const { fulfilment, operations, objects } = await stateOf(order);
  expect(server.orders).toHaveLength(1);
  expect(server.orders[0]?.isApproved).toBe(true);
  expect(server.lines.map(({ key }) => key).sort()).toEqual([...order.packageIds].sort());
  expect(new Set(server.lines.map((line) => line.units))).toEqual(new Set([units]));
  expect(fulfilment).toMatchObject({ state: "in_sync", leaseOwner: null, drift: [], blockedCode: null });
  expect(fulfilment?.appliedVersion).toBe(fulfilment?.desiredVersion);
  expect(objects.filter(({ kind }) => kind === "order")).toHaveLength(1);
  expect(objects.filter(({ kind }) => kind === "line_item")).toHaveLength(order.packageIds.length);
  expect(operations.filter(({ state }) => ["started", "planned", "unknown"].includes(state))).toEqual([]);
}

/** Runs to the end; each kill is followed by a new process that carries on. */
async function runThrough(order: OrderFixture, makeServer: (point: Killer["point"]) => FakeAdServer, kills: number[]) {
  const run = new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
  let server: FakeAdServer | undefined;
  for (const at of [...kills, 0]) {
    const killer = new Killer(at);
    const next = makeServer(killer.point);
    if (server) Object.assign(next, { orders: server.orders, lines: server.lines, advertisers: server.advertisers, effects: server.effects });
    server = next;
    const outcome = await run.proceed(makeExecuting(world, server, killer), killer);
    if (outcome !== "killed") return { server, killer, outcome, run };
  }
  throw new Error("The last process was not to be killed.");
}

const fresh = (point: Killer["point"]) => new FakeAdServer(point);

describe("one object per intent", { timeout: 900_000 }, () => {
  test("kill -9 at every instruction of an order's first execution", async () => {
    const calm = await createOrder(publisher, { packages: 3, advertiser: null });
    const { killer } = await runThrough(calm, fresh, []);
    expect(killer.trace).toContain("create-order: before its effect");
    expect(killer.passed).toBeGreaterThan(40);
    for (let at = 1; at <= killer.passed; at += 1) {
      const order = await createOrder(publisher, { packages: 3, advertiser: null });
      const { server, outcome } = await runThrough(order, fresh, [at]);
      expect(outcome, `killed at ${killer.trace[at - 1]} (${at})`).toEqual({ because: "in_sync" });
      await expectSettled(order, server);
      expect(server.effects.filter((kind) => kind === "create-order")).toHaveLength(1);
      expect(server.advertisers).toHaveLength(1);
    }
  });

  test("replies lost and processes killed, both at once, at random", async () => {
    let seed = 20_260_101;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    for (let scenario = 0; scenario < 25; scenario += 1) {
      const order = await createOrder(publisher, { packages: 5 });
      const faulty = (point: Killer["point"]) => new FakeAdServer(point, () => (random() < 0.3 ? "lose_reply" : random() < 0.1 ? "busy" : random() < 0.05 ? "break" : undefined));
      const kills = Array.from({ length: 1 + Math.floor(random() * 6) }, () => 1 + Math.floor(random() * 40));
      const { server, outcome } = await runThrough(order, faulty, kills);
      expect(outcome, `scenario ${scenario}`).toEqual({ because: "in_sync" });
      await expectSettled(order, server);
    }
  });

  test("a cancellation after a lost reply ends what nobody knew was there", async () => {
    const order = await createOrder(publisher, { packages: 2 });
    let isCanceled = false;
    const server = new FakeAdServer(undefined, (kind) => (kind === "create-order" && !isCanceled ? "lose_reply" : undefined));
    const run = new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
    const killer = new Killer();
    const outcome = await run.proceed(makeExecuting(world, server, killer), killer, async () => {
      if (isCanceled) return;
      isCanceled = true;
      await changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status: "canceled" }).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, order.mediaBuyId))));
    });
    expect(outcome).toEqual({ because: "ended" });
    expect(server.orders).toMatchObject([{ isArchived: true }]);
    expect(server.orders).toHaveLength(1);
    expect((await stateOf(order)).fulfilment).toMatchObject({ state: "ended", appliedVersion: 2 });
  });

  test("kill -9 at every instruction of a change", async () => {
    const change = (order: OrderFixture) => changeOrder(order, (ctx) => ctx.db.update(mediaPackages).set({ units: 250_000n }).where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.mediaBuyId, order.mediaBuyId))));
    const executeAndChange = async (kills: number[]) => {
      const order = await createOrder(publisher, { packages: 2 });
      const { server: before } = await runThrough(order, fresh, []);
      await change(order);
      const again = (point: Killer["point"]) => Object.assign(new FakeAdServer(point), { orders: before.orders, lines: before.lines });
      return { order, ...(await runThrough(order, again, kills)) };
    };
    const { killer } = await executeAndChange([]);
    for (let at = 1; at <= killer.passed; at += 1) {
      const { order, server } = await executeAndChange([at]);
      await expectSettled(order, server, "250000");
    }
  });
});
