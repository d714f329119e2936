import { and, eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { DurableRun, Killer, makeExecuting, World } from "@/test/durable";
import { FakeAdServer, type Fault } from "@/test/fake-ad-server";
import { changeOrder, createOrder, type OrderFixture } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure } from "@/test/staff";
import { waitFor } from "@/test/wait";
import { accountAdvertisers } from "../accounts/schema";
import { AdServerError } from "../ad-servers/types";
import { workflowSteps } from "../approvals/schema";
import { creativeAssignments, creatives } from "../creatives/schema";
import { encryptSecret } from "../crypto";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { newId } from "../ids";
import { mediaBuys, type MediaBuyStatus } from "../media-buys/schema";
import { tenants } from "../tenants/schema";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { webhookDeliveries } from "../webhooks/schema";
import { failFulfilment, resolveBlocked, retryBlockedForAccount, retryFulfilment } from "./blocked";
import { type Executing, inTenant } from "./call";
import { previewPlans } from "./desired";
import { markDone } from "./journal";
import { runOperation } from "./operation-step";
import { planFulfilment } from "./plan-step";
import { MAX_ATTEMPTS } from "./policy";
import { fulfilmentOperations, fulfilments } from "./schema";
import { wakeLostFulfilments } from "./sweep";

const database = useTestDatabase();
let publisher: PublisherFixture;
let world: World;
let fault: Fault;
let faultFor: string;
let server: FakeAdServer;
let executing: Executing;

beforeEach(async () => {
  publisher = await createPublisher({ credentials: "{}", ratePerSecond: 100_000, isAdvertiserCreationAllowed: false });
  world = new World(database);
  fault = undefined;
  faultFor = "";
  server = new FakeAdServer(undefined, (kind) => (kind === faultFor ? fault : undefined));
  executing = makeExecuting(world, server);
});
afterEach(() => world.close());

const newRun = (order: OrderFixture) => new DurableRun(world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
const execute = async (order: OrderFixture, onRest?: (name: string, ms: number) => Promise<void>) => {
  const run = newRun(order);
  return { run, outcome: await run.proceed(executing, new Killer(), onRest) };
};
const read = async <T>(tenantId: string, work: (tx: Parameters<Parameters<typeof withTenant<T>>[1]>[0]) => Promise<T>) => withTenant(tenantId, work);

async function fulfilmentOf(order: OrderFixture) {
  const [row] = await read(order.tenantId, (tx) => tx.select().from(fulfilments).where(and(eq(fulfilments.tenantId, order.tenantId), eq(fulfilments.id, order.fulfilmentId))));
  if (!row) throw new Error("no fulfilment");
  return row;
}
const operationsOf = (order: OrderFixture) => read(order.tenantId, (tx) => tx.select().from(fulfilmentOperations).where(and(eq(fulfilmentOperations.tenantId, order.tenantId), eq(fulfilmentOperations.fulfilmentId, order.fulfilmentId))));
const stepsOf = (order: OrderFixture) => read(order.tenantId, (tx) => tx.select().from(workflowSteps).where(and(eq(workflowSteps.tenantId, order.tenantId), eq(workflowSteps.fulfilmentId, order.fulfilmentId))));
const buyOf = async (order: OrderFixture) => (await read(order.tenantId, (tx) => tx.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, order.tenantId), eq(mediaBuys.id, order.mediaBuyId)))))[0];
const setStatus = (order: OrderFixture, status: MediaBuyStatus) => changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status }).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, order.mediaBuyId))));
const openStep = async (order: OrderFixture) => {
  const [step] = (await stepsOf(order)).filter(({ state }) => state === "pending");
  if (!step) throw new Error("no open step");
  return step;
};
const choose = async (order: OrderFixture, choiceId: string, note?: string) => {
  const step = await openStep(order);
  return asStaff(order.tenantId, "trafficker", (ctx) => resolveBlocked(ctx, { stepId: step.id, choiceId, note }));
};

describe("from an order to the ad server", () => {
  test("a confirmed order ends in sync: planned, written, read back", async () => {
    const order = await createOrder(publisher, { packages: 3 });
    const previews = await asStaff(order.tenantId, "viewer", (ctx) => previewPlans(ctx, order.mediaBuyId));
    expect(previews).toMatchObject([{ adapterConfigId: order.adapterConfigId, mode: "simulated", plan: { outcome: "operations" } }]);
    expect((await fulfilmentOf(order)).externalOrderNumber).toBeNull();
    const { outcome } = await execute(order);
    expect(outcome).toEqual({ because: "in_sync" });
    expect(server.effects).toEqual(["create-order", "create-line-items", "create-line-items", "approve-order"]);
    expect(await fulfilmentOf(order)).toMatchObject({ state: "in_sync", appliedVersion: 1, desiredVersion: 1 });
    expect((await operationsOf(order)).map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    expect(server.orders[0]?.number).toBe((await fulfilmentOf(order)).externalOrderNumber);
  });

  test("the same event again does nothing", async () => {
    const order = await createOrder(publisher);
    await execute(order);
    const effects = server.effects.length;
    const { outcome } = await execute(order);
    expect(outcome).toEqual({ because: "nothing_to_do" });
    expect(server.effects).toHaveLength(effects);
  });

  test("an order that was not confirmed is never executed", async () => {
    const order = await createOrder(publisher, { isConfirmed: false, status: "pending_approval" });
    expect((await execute(order)).outcome).toEqual({ because: "nothing_to_do" });
    expect(server.calls).toEqual([]);
  });

  test("an order that ends before anything was sent touches no ad server", async () => {
    const order = await createOrder(publisher);
    await setStatus(order, "canceled");
    expect((await execute(order)).outcome).toEqual({ because: "ended" });
    expect(server.calls).toEqual([]);
    expect(await fulfilmentOf(order)).toMatchObject({ state: "ended", appliedVersion: 2 });
  });

  test("order numbers are drawn once each", async () => {
    const orders = [await createOrder(publisher), await createOrder(publisher), await createOrder(publisher)];
    for (const order of orders) await execute(order);
    for (const order of orders) await setStatus(order, "paused");
    const first = await Promise.all(orders.map(fulfilmentOf));
    for (const order of orders) await execute(order);
    const second = await Promise.all(orders.map(fulfilmentOf));
    const numbers = first.map((row) => row.externalOrderNumber);
    expect(new Set(numbers).size).toBe(3);
    expect(second.map((row) => row.externalOrderNumber)).toEqual(numbers);
  });

  test("a newer version stops the older plan between two operations", async () => {
    const order = await createOrder(publisher, { packages: 4 });
    let isCanceled = false;
    server = new FakeAdServer(async (where) => {
      if (where !== "create-order: done" || isCanceled) return;
      isCanceled = true;
      await setStatus(order, "canceled");
    });
    executing = makeExecuting(world, server);
    expect((await execute(order)).outcome).toEqual({ because: "ended" });
    expect(server.effects).toEqual(["create-order", "archive-order"]);
    expect(server.orders).toMatchObject([{ isArchived: true }]);
  });
});

describe("one writer", () => {
  test("a process thought dead may not write its result, and what it did is found", async () => {
    const order = await createOrder(publisher);
    let release: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    server = new FakeAdServer(async (where) => {
      if (where !== "create-order: done" || !isFirst) return;
      isFirst = false;
      await stuck;
      throw new AdServerError("refused", "An answer of long ago.", { isPermanent: true, isAmbiguous: false });
    });
    executing = makeExecuting(world, server);
    const slow = newRun(order).proceed(executing, new Killer());
    await waitFor("the slow process to be in its call", () => !isFirst);

    const early = await planFulfilment(executing, { ...newRun(order).ref });
    expect(early).toEqual({ next: "busy" });
    await world.pass(2 * MINUTE_MS);
    const { outcome } = await execute(order);
    expect(outcome).toEqual({ because: "in_sync" });
    release();
    expect(await slow).toEqual({ because: "nothing_to_do" });
    expect(server.orders).toHaveLength(1);
    expect(server.lines).toHaveLength(1);
    expect((await fulfilmentOf(order)).state).toBe("in_sync");
    expect((await operationsOf(order)).map(({ state }) => state)).not.toContain("failed");
  });

  test("an operation that may still be under way is waited for, even by the same run", async () => {
    const order = await createOrder(publisher);
    const { ref } = newRun(order);
    const plan = await planFulfilment(executing, ref);
    const [operation] = plan.next === "run" ? plan.operations : [];
    if (!operation) throw new Error("nothing planned");
    const killer = new Killer(3);
    const dying = new FakeAdServer(killer.point);
    void runOperation(makeExecuting(world, dying, killer), ref, { operationId: operation.id, version: 1, isResolving: false });
    await killer.killed;

    const again = await runOperation(executing, ref, { operationId: operation.id, version: 1, isResolving: false });
    expect(again).toMatchObject({ next: "park" });
    expect(again.next === "park" && again.delayMs).toBeGreaterThan(15 * SECOND_MS);
    expect(await planFulfilment(executing, { ...ref, runId: newId() })).toMatchObject({ next: "busy" });
    expect(server.calls).toEqual([]);
    await world.pass(21 * SECOND_MS);
    expect(await planFulfilment(executing, ref)).toMatchObject({ next: "run", isResolving: true });
    await runOperation(executing, ref, { operationId: operation.id, version: 1, isResolving: true });
    expect(server.calls).toEqual([{ kind: "create-order", attempts: 2 }]);
  });

  test("two orders of one account make its advertiser once", async () => {
    await read(publisher.tenantId, (tx) => tx.update(tenants).set({ isAdvertiserCreationAllowed: true }).where(eq(tenants.id, publisher.tenantId)));
    const first = await createOrder(publisher, { advertiser: null });
    const second = await createOrder(publisher, { accountId: first.accountId });
    let release: () => void = () => undefined;
    const looking = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isLooking = false;
    server = new FakeAdServer(async (where) => {
      if (where !== "advertiser looked up" || isLooking) return;
      isLooking = true;
      await looking;
    });
    executing = makeExecuting(world, server);
    const one = newRun(first).proceed(executing, new Killer());
    await waitFor("the first to look for the advertiser", () => isLooking);
    const other = newRun(second);
    const two = other.proceed(executing, new Killer(), async () => {
      release();
      await one;
    });
    expect(await two).toEqual({ because: "in_sync" });
    release();
    expect(await one).toEqual({ because: "in_sync" });
    expect(server.advertisers).toHaveLength(1);
    const mapped = await read(publisher.tenantId, (tx) => tx.select().from(accountAdvertisers).where(eq(accountAdvertisers.accountId, first.accountId)));
    expect(mapped).toMatchObject([{ externalAdvertiserId: server.advertisers[0]?.id, adapterConfigId: first.adapterConfigId }]);
  });

  test("an order never becomes a second object of the ad server", async () => {
    const order = await createOrder(publisher);
    await execute(order);
    const [operation] = await operationsOf(order);
    if (!operation) throw new Error("nothing was done");
    const other = { kind: "order", ourKey: order.fulfilmentId, externalId: "4711", applied: {} } as const;
    await expect(inTenant(executing, order.tenantId, (ctx) => markDone(ctx, operation, order.adapterConfigId, { objects: [other], externalIds: {} }))).rejects.toThrow("second object");
  });
});

describe("waiting for the ad server", () => {
  test("15 s × 8, 1 min × 10, 5 min to one hour, 30 min to a day, then a person with three choices", async () => {
    faultFor = "approve-order";
    fault = "not_ready";
    const order = await createOrder(publisher);
    const { outcome, run } = await execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    const rests = run.rests.map(({ ms }) => ms);
    expect(rests.slice(0, 8)).toEqual(Array(8).fill(15 * SECOND_MS));
    expect(rests.slice(8, 18)).toEqual(Array(10).fill(MINUTE_MS));
    expect(rests.slice(18).filter((ms) => ms === 5 * MINUTE_MS)).toHaveLength(10);
    expect(rests.slice(28, -1)).toEqual(Array(rests.length - 29).fill(30 * MINUTE_MS));
    const hours = rests.reduce((sum, ms) => sum + ms, 0) / HOUR_MS;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
    expect((await openStep(order)).payload.choices?.map(({ id }) => id)).toEqual(["keep_waiting", "overbook", "skip_inventory_check"]);

    await choose(order, "keep_waiting");
    fault = undefined;
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
    expect((await stepsOf(order)).map(({ state, decision }) => [state, decision])).toEqual([["completed", "keep_waiting"]]);
  });

  test("a cancellation does not queue behind a wait", async () => {
    faultFor = "approve-order";
    fault = "not_ready";
    const order = await createOrder(publisher);
    let second: unknown;
    const { outcome } = await execute(order, async () => {
      if (second) return;
      expect((await fulfilmentOf(order)).state).toBe("awaiting_ad_server");
      await setStatus(order, "canceled");
      second = (await execute(order)).outcome;
    });
    expect(second).toEqual({ because: "ended" });
    expect(outcome).toEqual({ because: "nothing_to_do" });
    expect(server.orders).toMatchObject([{ isArchived: true }]);
  });

  test("short inventory goes to a person at once, who may overbook", async () => {
    faultFor = "approve-order";
    fault = "short";
    const order = await createOrder(publisher);
    const { outcome, run } = await execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests).toEqual([]);
    await choose(order, "overbook");
    expect(await fulfilmentOf(order)).toMatchObject({ inventoryOverride: "overbook", state: "pending", desiredVersion: 2 });
  });
});

describe("failures", () => {
  test("a refusal for good stops the order with a step, a reason in words and a notice to staff", async () => {
    await read(publisher.tenantId, (tx) => tx.update(tenants).set({ staffWebhookEncrypted: encryptSecret("https://hooks.example/x", `tenants:${publisher.tenantId}:staff_webhook`) }).where(eq(tenants.id, publisher.tenantId)));
    faultFor = "create-line-items";
    fault = "refuse";
    const order = await createOrder(publisher);
    expect((await execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await fulfilmentOf(order)).toMatchObject({ state: "blocked", blockedCode: "refused", blockedReason: "The ad server refused this.", leaseOwner: null });
    expect((await operationsOf(order)).find(({ kind }) => kind === "create-line-items")).toMatchObject({ state: "failed", attempts: 1, error: { code: "refused", isPermanent: true } });
    expect((await openStep(order)).payload).toMatchObject({ code: "refused", choices: [{ id: "retry" }, { id: "give_up" }] });
    const notices = await read(order.tenantId, (tx) => tx.select().from(webhookDeliveries).where(eq(webhookDeliveries.tenantId, order.tenantId)));
    expect(notices).toMatchObject([{ audience: "staff", mediaBuyId: order.mediaBuyId }]);
    expect(JSON.stringify(notices[0]?.body)).toContain(`/p/${publisher.slug}/media-buys/${order.mediaBuyId}`);

    fault = undefined;
    expect((await failure(asStaff(order.tenantId, "viewer", (ctx) => retryFulfilment(ctx, order)))).code).toBe("PERMISSION_DENIED");
    await asStaff(order.tenantId, "trafficker", (ctx) => retryFulfilment(ctx, order));
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(server.orders).toHaveLength(1);
    expect((await failure(asStaff(order.tenantId, "trafficker", (ctx) => retryFulfilment(ctx, order)))).code).toBe("CONFLICT");
  });

  test("trouble on the way is retried with growing pauses, never for ever", async () => {
    faultFor = "create-order";
    fault = "lose_reply";
    const order = await createOrder(publisher);
    const { outcome, run } = await execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests.map(({ ms }) => ms / SECOND_MS)).toEqual([1, 2, 5, 15, 30, 60, 120, 300, 600, 900, 900]);
    expect(server.calls).toHaveLength(MAX_ATTEMPTS);
    expect(server.orders).toHaveLength(1);
    expect((await fulfilmentOf(order)).blockedReason).toContain("tried 12 times");
    fault = undefined;
    await choose(order, "retry");
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(server.orders).toHaveLength(1);
  });

  test("what the ad server asks to wait is waited", async () => {
    faultFor = "create-order";
    fault = "busy";
    const order = await createOrder(publisher);
    const { run, outcome } = await execute(order, async () => {
      fault = undefined;
    });
    expect(outcome).toEqual({ because: "in_sync" });
    expect(run.rests.map(({ ms }) => ms)).toEqual([5_000]);
  });

  test("a mistake of the driver is retried like a lost reply, and shown", async () => {
    faultFor = "create-order";
    fault = "break";
    const order = await createOrder(publisher);
    await execute(order, async () => {
      expect((await operationsOf(order))[0]).toMatchObject({ state: "unknown", error: { code: "unexpected", message: "Unexpected failure: something the driver did not foresee" } });
      fault = undefined;
    });
    expect((await fulfilmentOf(order)).state).toBe("in_sync");
  });

  test("a creative with nothing to serve stops the order only after the rest was carried out, and never a cancellation", async () => {
    const order = await createOrder(publisher);
    await read(order.tenantId, async (tx) => {
      const creativeId = newId();
      await tx.insert(creatives).values({
        tenantId: order.tenantId, id: creativeId, principalId: publisher.principal.id, accountId: order.accountId, creativeId: "c-1", name: "Empty", status: "approved", contentHash: "h",
        formatId: { agent_url: "http://127.0.0.1:3000", id: "display_300x250_image" }, assets: {},
      });
      await tx.insert(creativeAssignments).values({ tenantId: order.tenantId, packageId: order.packageIds[0] ?? "", creativeId });
    });
    expect((await execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await fulfilmentOf(order)).toMatchObject({ blockedCode: "creative_rejected", appliedVersion: 0 });
    expect(server.effects).toEqual(["create-order", "create-line-items", "approve-order"]);
    await setStatus(order, "canceled");
    expect((await execute(order)).outcome).toEqual({ because: "ended" });
  });

  test("a plan that never comes to its end is stopped", async () => {
    const order = await createOrder(publisher);
    const plan = server.declaration.plan;
    Object.assign(server.declaration, { plan: (...[desired, { objects }, now]: Parameters<typeof plan>) => plan(desired, { objects: objects.map((object) => ({ ...object, applied: {} })) }, now) });
    expect((await execute(order)).outcome).toEqual({ because: "blocked" });
    expect((await fulfilmentOf(order)).blockedCode).toBe("not_converging");
    expect(server.calls.length).toBeLessThan(8);
  });

  test("no advertiser: blocked until somebody chooses one, then it goes on by itself", async () => {
    const order = await createOrder(publisher, { advertiser: null });
    expect((await execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await fulfilmentOf(order)).toMatchObject({ blockedCode: "choose_advertiser" });
    const retried = await asStaff(order.tenantId, "trafficker", async (ctx) => {
      await ctx.db.insert(accountAdvertisers).values({ tenantId: order.tenantId, accountId: order.accountId, adapterConfigId: order.adapterConfigId, externalAdvertiserId: "77", advertiserName: "Acme" });
      return retryBlockedForAccount(ctx, order);
    });
    expect(retried).toBe(1);
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(server.orders).toMatchObject([{ advertiser: "77" }]);
    expect((await stepsOf(order)).map(({ state, decision }) => [state, decision])).toEqual([["completed", "withdrawn"]]);
  });

  test("a sandbox order on a live connection breaks an invariant before anything is sent, and a person hears of it", async () => {
    const live = await createPublisher({ mode: "live", credentials: "{}", isSandbox: true });
    const order = await createOrder(live, { isSandbox: true });
    await expect(execute(order)).rejects.toThrow("Invariant broken: the sandbox media buy");
    expect(server.calls).toEqual([]);
    await inTenant(executing, order.tenantId, (ctx) => failFulfilment(ctx, { fulfilmentId: order.fulfilmentId, desiredVersion: 1, reason: "Greenlight could not go on." }));
    expect(await fulfilmentOf(order)).toMatchObject({ state: "failed", blockedCode: "unexpected_error" });
    expect((await openStep(order)).payload.choices?.map(({ id }) => id)).toEqual(["retry", "give_up"]);
  });

  test("a failed run does not overwrite a newer version", async () => {
    const order = await createOrder(publisher);
    await setStatus(order, "paused");
    const isWritten = await inTenant(executing, order.tenantId, (ctx) => failFulfilment(ctx, { fulfilmentId: order.fulfilmentId, desiredVersion: 1, reason: "x" }));
    expect(isWritten).toBe(false);
    expect((await fulfilmentOf(order)).state).toBe("pending");
  });

  test.each([["pending_start", "rejected"], ["active", "canceled"]] as const)("giving up an order that is %s makes it %s, and ends it in the ad server", async (from, to) => {
    faultFor = "approve-order";
    fault = "refuse";
    const order = await createOrder(publisher, { status: from });
    await execute(order);
    await choose(order, "give_up", "No room this spring.");
    expect(await buyOf(order)).toMatchObject(to === "rejected" ? { status: to, rejectionReason: "No room this spring." } : { status: to, canceledBy: "seller", cancellationReason: "No room this spring." });
    expect((await execute(order)).outcome).toEqual({ because: "ended" });
    expect(server.orders).toMatchObject([{ isArchived: true }]);
  });

  test("two people answer at once: the second hears who did", async () => {
    faultFor = "create-order";
    fault = "refuse";
    const order = await createOrder(publisher);
    await execute(order);
    const { id: stepId } = await openStep(order);
    const results = await Promise.allSettled(["admin", "trafficker"].map((role) => asStaff(order.tenantId, role === "admin" ? "admin" : "trafficker", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" }))));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await fulfilmentOf(order)).desiredVersion).toBe(2);
    expect((await failure(asStaff(order.tenantId, "admin", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" })))).userMessage).toContain("Test");
    expect((await failure(asStaff(order.tenantId, "viewer", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" })))).code).toBe("PERMISSION_DENIED");
    expect((await failure(asStaff(order.tenantId, "admin", (ctx) => resolveBlocked(ctx, { stepId: "x", choiceId: "retry" })))).code).toBe("REFERENCE_NOT_FOUND");
  });
});

describe("reading back", () => {
  const drifting = async () => {
    const order = await createOrder(publisher);
    server = new FakeAdServer(async (where) => {
      if (where === "observe") for (const line of server.lines) line.units = "7";
    });
    executing = makeExecuting(world, server);
    return { order, ...(await execute(order)) };
  };

  test("values that differ are shown, both of them, after a few looks; the ad server's may be left", async () => {
    const { order, outcome, run } = await drifting();
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests.map(({ ms }) => ms / SECOND_MS)).toEqual([2, 5, 15]);
    const fulfilment = await fulfilmentOf(order);
    expect(fulfilment).toMatchObject({ state: "blocked", blockedCode: "drift", appliedVersion: 1, drift: [{ field: "units", expected: "100000", observed: "7" }] });
    expect(fulfilment.blockedReason).toContain("expected 100000, found 7");
    await choose(order, "accept");
    expect(await fulfilmentOf(order)).toMatchObject({ state: "in_sync", desiredVersion: 1, drift: [{ observed: "7" }] });
  });

  test("or ours are written again", async () => {
    const { order } = await drifting();
    const { orders, lines } = server;
    server = Object.assign(new FakeAdServer(), { orders, lines });
    executing = makeExecuting(world, server);
    await choose(order, "retry");
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(server.lines).toMatchObject([{ units: "100000" }]);
    expect((await fulfilmentOf(order)).drift).toEqual([]);
  });

  test("a change that comes while we look is not called in sync", async () => {
    const order = await createOrder(publisher);
    let isChanged = false;
    server = new FakeAdServer(async (where) => {
      if (where !== "observe" || isChanged) return;
      isChanged = true;
      await setStatus(order, "canceled");
    });
    executing = makeExecuting(world, server);
    expect((await execute(order)).outcome).toEqual({ because: "ended" });
    expect(await fulfilmentOf(order)).toMatchObject({ state: "ended", appliedVersion: 2 });
  });
});

describe("lost wake-ups", () => {
  const woken = (order: OrderFixture) => read(order.tenantId, (tx) => tx.select({ eventId: outbox.eventId }).from(outbox).where(eq(outbox.tenantId, order.tenantId)))
    .then((rows) => rows.filter(({ eventId }) => eventId.includes(order.fulfilmentId) && eventId.includes("woken")).length);

  test("a fulfilment that should move and does not is woken; others are left alone", async () => {
    const lost = await createOrder(publisher);
    const done = await createOrder(publisher);
    const unconfirmed = await createOrder(publisher, { isConfirmed: false, status: "pending_approval" });
    await execute(done);
    expect(await wakeLostFulfilments(executing)).toBe(0);
    await world.pass(10 * MINUTE_MS);
    await wakeLostFulfilments(executing);
    await wakeLostFulfilments(executing);
    expect(await Promise.all([lost, done, unconfirmed].map(woken))).toEqual([1, 0, 0]);
  });

  test("a run that was lost while it worked is woken once its lease has lapsed", async () => {
    const order = await createOrder(publisher);
    await planFulfilment(executing, newRun(order).ref);
    await world.pass(20 * MINUTE_MS);
    await wakeLostFulfilments(executing);
    expect(await woken(order)).toBe(0);
    await world.pass(20 * MINUTE_MS);
    await wakeLostFulfilments(executing);
    expect(await woken(order)).toBe(1);
    expect((await execute(order)).outcome).toEqual({ because: "in_sync" });
  });
});
