import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { Killer, makeExecuting } from "@/test/durable";
import { useExecution } from "@/test/execution";
import { FakeAdServer } from "@/test/fake-ad-server";
import { createOrder, type OrderFixture } from "@/test/fixtures/order";
import { asStaff } from "@/test/staff";
import { waitFor } from "@/test/wait";
import { accountAdvertisers } from "../accounts/schema";
import { AdServerError } from "../ad-servers/types";
import { outbox } from "../events/schema";
import { newId } from "../ids";
import { tenants } from "../tenants/schema";
import { MINUTE_MS, SECOND_MS } from "../time";
import { inTenant } from "./call";
import { previewPlans } from "./desired";
import { markDone } from "./journal";
import { runOperation } from "./operation-step";
import { planFulfilment } from "./plan-step";
import { wakeLostFulfilments } from "./sweep";

const t = useExecution();

describe("from an order to the ad server", () => {
  test("a confirmed order ends in sync: planned, written, read back", async () => {
    const order = await createOrder(t().publisher, { packages: 3 });
    const previews = await asStaff(order.tenantId, "viewer", (ctx) => previewPlans(ctx, order.mediaBuyId));
    expect(previews).toMatchObject([{ adapterConfigId: order.adapterConfigId, mode: "simulated", plan: { outcome: "operations" } }]);
    expect((await t().fulfilmentOf(order)).externalOrderNumber).toBeNull();
    const { outcome } = await t().execute(order);
    expect(outcome).toEqual({ because: "in_sync" });
    expect(t().server.effects).toEqual(["create-order", "create-line-items", "create-line-items", "approve-order"]);
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "in_sync", appliedVersion: 1, desiredVersion: 1 });
    expect((await t().operationsOf(order)).map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    expect(t().server.orders[0]?.number).toBe((await t().fulfilmentOf(order)).externalOrderNumber);
  });

  test("the same event again does nothing", async () => {
    const order = await createOrder(t().publisher);
    await t().execute(order);
    const effects = t().server.effects.length;
    const { outcome } = await t().execute(order);
    expect(outcome).toEqual({ because: "nothing_to_do" });
    expect(t().server.effects).toHaveLength(effects);
  });

  test("an order that was not confirmed is never executed", async () => {
    const order = await createOrder(t().publisher, { isConfirmed: false, status: "pending_approval" });
    expect((await t().execute(order)).outcome).toEqual({ because: "nothing_to_do" });
    expect(t().server.calls).toEqual([]);
  });

  test("an order that ends before anything was sent touches no ad server", async () => {
    const order = await createOrder(t().publisher);
    await t().setStatus(order, "canceled");
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
    expect(t().server.calls).toEqual([]);
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "ended", appliedVersion: 2 });
  });

  test("order numbers are drawn once each", async () => {
    const orders = [await createOrder(t().publisher), await createOrder(t().publisher), await createOrder(t().publisher)];
    for (const order of orders) await t().execute(order);
    for (const order of orders) await t().setStatus(order, "paused");
    const first = await Promise.all(orders.map((order) => t().fulfilmentOf(order)));
    for (const order of orders) await t().execute(order);
    const second = await Promise.all(orders.map((order) => t().fulfilmentOf(order)));
    const numbers = first.map((row) => row.externalOrderNumber);
    expect(new Set(numbers).size).toBe(3);
    expect(second.map((row) => row.externalOrderNumber)).toEqual(numbers);
  });

  test("a newer version stops the older plan between two operations", async () => {
    const order = await createOrder(t().publisher, { packages: 4 });
    let isCanceled = false;
    t().use(new FakeAdServer(async (where) => {
      if (where !== "create-order: done" || isCanceled) return;
      isCanceled = true;
      await t().setStatus(order, "canceled");
    }));
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
    expect(t().server.effects).toEqual(["create-order", "archive-order"]);
    expect(t().server.orders).toMatchObject([{ isArchived: true }]);
  });
});

describe("one writer", () => {
  test("a process thought dead may not write its result, and what it did is found", async () => {
    const order = await createOrder(t().publisher);
    let release: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    t().use(new FakeAdServer(async (where) => {
      if (where !== "create-order: done" || !isFirst) return;
      isFirst = false;
      await stuck;
      throw new AdServerError("refused", "An answer of long ago.", { isPermanent: true, isAmbiguous: false });
    }));
    const slow = t().newRun(order).proceed(t().executing, new Killer());
    await waitFor("the slow process to be in its call", () => !isFirst);

    const early = await planFulfilment(t().executing, t().newRun(order).ref);
    expect(early).toEqual({ next: "busy" });
    await t().world.pass(2 * MINUTE_MS);
    const { outcome } = await t().execute(order);
    expect(outcome).toEqual({ because: "in_sync" });
    release();
    expect(await slow).toEqual({ because: "nothing_to_do" });
    expect(t().server.orders).toHaveLength(1);
    expect(t().server.lines).toHaveLength(1);
    expect((await t().fulfilmentOf(order)).state).toBe("in_sync");
    expect((await t().operationsOf(order)).map(({ state }) => state)).not.toContain("failed");
  });

  test("an operation that may still be under way is waited for, even by the same run", async () => {
    const order = await createOrder(t().publisher);
    const { ref } = t().newRun(order);
    const plan = await planFulfilment(t().executing, ref);
    const [operation] = plan.next === "run" ? plan.operations : [];
    if (!operation) throw new Error("nothing planned");
    const killer = new Killer(3);
    const begunMs = Date.now();
    const dying = new FakeAdServer(killer.point);
    void runOperation(makeExecuting(t().world, dying, killer), ref, { operationId: operation.id, version: 1, isResolving: false });
    await killer.killed;

    const again = await runOperation(t().executing, ref, { operationId: operation.id, version: 1, isResolving: false });
    expect(again).toMatchObject({ next: "park" });
    expect(again.next === "park" && again.delayMs).toBeGreaterThan(19 * SECOND_MS - (Date.now() - begunMs));
    expect(await planFulfilment(t().executing, { ...ref, runId: newId() })).toMatchObject({ next: "busy" });
    expect(t().server.calls).toEqual([]);
    await t().world.pass(21 * SECOND_MS);
    expect(await planFulfilment(t().executing, ref)).toMatchObject({ next: "run", isResolving: true });
    await runOperation(t().executing, ref, { operationId: operation.id, version: 1, isResolving: true });
    expect(t().server.calls).toEqual([{ kind: "create-order", attempts: 2 }]);
  });

  test("two orders of one account make its advertiser once", async () => {
    await t().read(t().publisher, (tx) => tx.update(tenants).set({ isAdvertiserCreationAllowed: true }).where(eq(tenants.id, t().publisher.tenantId)));
    const first = await createOrder(t().publisher, { advertiser: null });
    const second = await createOrder(t().publisher, { accountId: first.accountId });
    let release: () => void = () => undefined;
    const looking = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isLooking = false;
    t().use(new FakeAdServer(async (where) => {
      if (where !== "advertiser looked up" || isLooking) return;
      isLooking = true;
      await looking;
    }));
    const one = t().newRun(first).proceed(t().executing, new Killer());
    await waitFor("the first to look for the advertiser", () => isLooking);
    const other = t().newRun(second);
    const two = other.proceed(t().executing, new Killer(), async () => {
      release();
      await one;
    });
    expect(await two).toEqual({ because: "in_sync" });
    release();
    expect(await one).toEqual({ because: "in_sync" });
    expect(t().server.advertisers).toHaveLength(1);
    const mapped = await t().read(t().publisher, (tx) => tx.select().from(accountAdvertisers).where(eq(accountAdvertisers.accountId, first.accountId)));
    expect(mapped).toMatchObject([{ externalAdvertiserId: t().server.advertisers[0]?.id, adapterConfigId: first.adapterConfigId }]);
  });

  test("an advertiser whose creation by another order has an unknown outcome is waited for until that call can no longer arrive", async () => {
    await t().read(t().publisher, (tx) => tx.update(tenants).set({ isAdvertiserCreationAllowed: true }).where(eq(tenants.id, t().publisher.tenantId)));
    const first = await createOrder(t().publisher, { advertiser: null });
    const second = await createOrder(t().publisher, { accountId: first.accountId });
    const advertiserOf = async (order: OrderFixture) => {
      const { ref } = t().newRun(order);
      const plan = await planFulfilment(t().executing, ref);
      const [operation] = plan.next === "run" ? plan.operations : [];
      if (!operation) throw new Error("nothing planned");
      return { ref, work: { operationId: operation.id, version: 1, isResolving: false } };
    };
    const one = await advertiserOf(first);
    t().use(new FakeAdServer(() => Promise.reject(new AdServerError("connection_lost", "The connection broke.", { isPermanent: false, isAmbiguous: true }))));
    await runOperation(t().executing, one.ref, one.work);
    expect((await t().operationsOf(first))[0]).toMatchObject({ kind: "create-advertiser", state: "unknown" });

    const two = await advertiserOf(second);
    expect(await runOperation(t().executing, two.ref, two.work)).toMatchObject({ next: "park", because: "Another order creates the advertiser" });
    await t().world.pass(21 * SECOND_MS);
    t().use(new FakeAdServer());
    expect(await runOperation(t().executing, two.ref, two.work)).toMatchObject({ next: "continue" });
    expect(t().server.advertisers).toHaveLength(1);
  });

  test("an order never becomes a second object of the ad server", async () => {
    const order = await createOrder(t().publisher);
    await t().execute(order);
    const [operation] = await t().operationsOf(order);
    if (!operation) throw new Error("nothing was done");
    const other = { kind: "order", ourKey: order.fulfilmentId, externalId: "4711", applied: {} } as const;
    await expect(inTenant(t().executing, order.tenantId, (ctx) => markDone(ctx, operation, order.adapterConfigId, { objects: [other], externalIds: {} }))).rejects.toThrow("second object");
  });
});

describe("reading back", () => {
  const drifting = async () => {
    const order = await createOrder(t().publisher);
    t().use(new FakeAdServer(async (where) => {
      if (where === "observe") for (const line of t().server.lines) line.units = "7";
    }));
    return { order, ...(await t().execute(order)) };
  };

  test("values that differ are shown, both of them, after a few looks; the ad server's may be left", async () => {
    const { order, outcome, run } = await drifting();
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests.map(({ ms }) => ms / SECOND_MS)).toEqual([2, 5, 15]);
    const fulfilment = await t().fulfilmentOf(order);
    expect(fulfilment).toMatchObject({ state: "blocked", blockedCode: "drift", appliedVersion: 1, drift: [{ field: "units", expected: "100000", observed: "7" }] });
    expect(fulfilment.blockedReason).toContain("expected 100000, found 7");
    await t().choose(order, "accept");
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "in_sync", desiredVersion: 1, drift: [{ observed: "7" }] });
  });

  test("or ours are written again", async () => {
    const { order } = await drifting();
    const { orders, lines } = t().server;
    t().use(Object.assign(new FakeAdServer(), { orders, lines }));
    await t().choose(order, "retry");
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(t().server.lines).toMatchObject([{ units: "100000" }]);
    expect((await t().fulfilmentOf(order)).drift).toEqual([]);
  });

  test("a change that comes while we look is not called in sync", async () => {
    const order = await createOrder(t().publisher);
    let isChanged = false;
    t().use(new FakeAdServer(async (where) => {
      if (where !== "observe" || isChanged) return;
      isChanged = true;
      await t().setStatus(order, "canceled");
    }));
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "ended", appliedVersion: 2 });
  });
});

describe("lost wake-ups", () => {
  const woken = (order: OrderFixture) => t().read(order, (tx) => tx.select({ eventId: outbox.eventId }).from(outbox).where(eq(outbox.tenantId, order.tenantId)))
    .then((rows) => rows.filter(({ eventId }) => eventId.includes(order.fulfilmentId) && eventId.includes("woken")).length);

  test("a fulfilment that should move and does not is woken; others are left alone", async () => {
    const lost = await createOrder(t().publisher);
    const done = await createOrder(t().publisher);
    const unconfirmed = await createOrder(t().publisher, { isConfirmed: false, status: "pending_approval" });
    await t().execute(done);
    expect(await wakeLostFulfilments(t().executing)).toBe(0);
    await t().world.pass(10 * MINUTE_MS);
    await wakeLostFulfilments(t().executing);
    await wakeLostFulfilments(t().executing);
    expect(await Promise.all([lost, done, unconfirmed].map(woken))).toEqual([1, 0, 0]);
  });

  test("a run that was lost while it worked is woken once its lease has lapsed", async () => {
    const order = await createOrder(t().publisher);
    await planFulfilment(t().executing, t().newRun(order).ref);
    await t().world.pass(20 * MINUTE_MS);
    await wakeLostFulfilments(t().executing);
    expect(await woken(order)).toBe(0);
    await t().world.pass(20 * MINUTE_MS);
    await wakeLostFulfilments(t().executing);
    expect(await woken(order)).toBe(1);
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
  });
});
