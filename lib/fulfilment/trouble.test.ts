import { and, eq } from "drizzle-orm";
import { describe, expect, test, vi } from "vitest";
import { useExecution } from "@/test/execution";
import { FakeAdServer } from "@/test/fake-ad-server";
import { changeOrder, createOrder } from "@/test/fixtures/order";
import { createPublisher } from "@/test/fixtures/publisher";
import { asStaff, failure } from "@/test/staff";
import { accountAdvertisers } from "../accounts/schema";
import { AdServerError } from "../ad-servers/types";
import { auditLog } from "../audit/schema";
import { creativeAssignments, creatives } from "../creatives/schema";
import { encryptSecret } from "../crypto";
import { newId } from "../ids";
import { mediaPackages } from "../media-buys/schema";
import { tenants } from "../tenants/schema";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { webhookDeliveries } from "../webhooks/schema";
import { failFulfilment, resolveBlocked, retryBlockedForAccount, retryFulfilment } from "./blocked";
import { type Executing, inTenant } from "./call";
import { runOperation } from "./operation-step";
import { planFulfilment } from "./plan-step";
import { MAX_ATTEMPTS, OPERATION_DEADLINE_MS } from "./policy";

const t = useExecution();

describe("waiting for the ad server", { timeout: 600_000 }, () => {
  test("15 s × 8, 1 min × 10, 5 min to one hour, 30 min to a day, then a person with three choices", async () => {
    t().fail("approve-order", "not_ready");
    const order = await createOrder(t().publisher);
    const { outcome, run } = await t().execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    const rests = run.rests.map(({ ms }) => ms);
    expect(rests.slice(0, 8)).toEqual(Array(8).fill(15 * SECOND_MS));
    expect(rests.slice(8, 18)).toEqual(Array(10).fill(MINUTE_MS));
    expect(rests.slice(18).filter((ms) => ms === 5 * MINUTE_MS)).toHaveLength(10);
    expect(rests.slice(28, -1)).toEqual(Array(rests.length - 29).fill(30 * MINUTE_MS));
    const hours = rests.reduce((sum, ms) => sum + ms, 0) / HOUR_MS;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
    expect((await t().openStep(order)).payload.choices?.map(({ id }) => id)).toEqual(["keep_waiting", "overbook", "skip_inventory_check", "give_up"]);

    await t().choose(order, "keep_waiting");
    t().heal();
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
    expect((await t().stepsOf(order)).map(({ state, decision }) => [state, decision])).toEqual([["completed", "keep_waiting"]]);
  });

  test("a cancellation does not queue behind a wait", async () => {
    t().fail("approve-order", "not_ready");
    const order = await createOrder(t().publisher);
    let second: unknown;
    const { outcome } = await t().execute(order, async () => {
      if (second) return;
      expect((await t().fulfilmentOf(order)).state).toBe("awaiting_ad_server");
      await t().setStatus(order, "canceled");
      second = (await t().execute(order)).outcome;
    });
    expect(second).toEqual({ because: "ended" });
    expect(outcome).toEqual({ because: "nothing_to_do" });
    expect(t().server.orders).toMatchObject([{ isArchived: true }]);
  });

  test("short inventory goes to a person at once, who may overbook", async () => {
    t().fail("approve-order", "short");
    const order = await createOrder(t().publisher);
    const { outcome, run } = await t().execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests).toEqual([]);
    await t().choose(order, "overbook");
    expect(await t().fulfilmentOf(order)).toMatchObject({ inventoryOverride: "overbook", state: "pending", desiredVersion: 2 });
  });
});

describe("failures", () => {
  test("a refusal for good stops the order with a step, a reason in words and a notice to staff", async () => {
    await t().read(t().publisher, (tx) => tx.update(tenants).set({ staffWebhookEncrypted: encryptSecret("https://hooks.example/x", `tenants:${t().publisher.tenantId}:staff_webhook`) }).where(eq(tenants.id, t().publisher.tenantId)));
    t().fail("create-line-items", "refuse");
    const order = await createOrder(t().publisher);
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "blocked", blockedCode: "refused", blockedReason: "The ad server refused this.", leaseOwner: null });
    expect((await t().operationsOf(order)).find(({ kind }) => kind === "create-line-items")).toMatchObject({ state: "failed", attempts: 1, error: { code: "refused", isPermanent: true } });
    expect((await t().openStep(order)).payload).toMatchObject({ code: "refused", choices: [{ id: "retry" }, { id: "give_up" }] });
    const notices = await t().read(order, (tx) => tx.select().from(webhookDeliveries).where(eq(webhookDeliveries.tenantId, order.tenantId)));
    expect(notices).toMatchObject([{ audience: "staff", mediaBuyId: order.mediaBuyId }]);
    expect(JSON.stringify(notices[0]?.body)).toContain(`/p/${t().publisher.slug}/media-buys/${order.mediaBuyId}`);

    t().heal();
    expect((await failure(asStaff(order.tenantId, "viewer", (ctx) => retryFulfilment(ctx, order)))).code).toBe("PERMISSION_DENIED");
    await asStaff(order.tenantId, "trafficker", (ctx) => retryFulfilment(ctx, order));
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(t().server.orders).toHaveLength(1);
    expect((await failure(asStaff(order.tenantId, "trafficker", (ctx) => retryFulfilment(ctx, order)))).code).toBe("CONFLICT");
  });

  test("trouble on the way is retried with growing pauses, never for ever", async () => {
    t().fail("create-order", "lose_reply");
    const order = await createOrder(t().publisher);
    const { outcome, run } = await t().execute(order);
    expect(outcome).toEqual({ because: "blocked" });
    expect(run.rests.map(({ ms }) => ms / SECOND_MS)).toEqual([1, 2, 5, 15, 30, 60, 120, 300, 600, 900, 900]);
    expect(t().server.calls).toHaveLength(MAX_ATTEMPTS);
    expect(t().server.orders).toHaveLength(1);
    expect((await t().fulfilmentOf(order)).blockedReason).toContain("tried 12 times");
    t().heal();
    await t().choose(order, "retry");
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(t().server.orders).toHaveLength(1);
  });

  test("a change whose answer was lost is written back when the order returns to what it was", async () => {
    const order = await createOrder(t().publisher);
    const setUnits = (units: bigint) => changeOrder(order, (ctx) => ctx.db.update(mediaPackages).set({ units }).where(eq(mediaPackages.mediaBuyId, order.mediaBuyId)));
    await t().execute(order);
    const [before] = t().server.lines.map(({ units }) => units);
    await setUnits(200_000n);
    t().fail("update-line-items", "lose_reply");
    let hasReturned = false;
    const { outcome } = await t().execute(order, async () => {
      if (hasReturned) return;
      hasReturned = true;
      expect(t().server.lines).toMatchObject([{ units: "200000" }]);
      t().heal();
      await setUnits(BigInt(before ?? 0));
    });
    expect(outcome).toEqual({ because: "in_sync" });
    expect(hasReturned).toBe(true);
    expect(t().server.lines).toMatchObject([{ units: before }]);
    expect((await t().fulfilmentOf(order)).drift).toEqual([]);
  });

  test("the hours that an operation waited behind another one are none of its own attempts", async () => {
    t().fail("create-line-items", "not_ready");
    const order = await createOrder(t().publisher);
    let waitedMs = 0;
    const { outcome } = await t().execute(order, async (_name, ms) => {
      waitedMs += ms;
      if (waitedMs > 3 * HOUR_MS) t().heal();
      else return;
      if (!t().server.calls.some(({ kind }) => kind === "approve-order")) t().fail("approve-order", "lose_reply");
    });
    expect(outcome).toEqual({ because: "in_sync" });
    expect(t().server.calls.filter(({ kind }) => kind === "approve-order").length).toBeGreaterThan(1);
  });

  test("credentials refused while a lost creation is looked for: it stays unknown, and is found once they work", async () => {
    const order = await createOrder(t().publisher);
    let isRefused = false;
    let isFirst = true;
    t().use(new FakeAdServer(async (where) => {
      if (isRefused && where.endsWith(": asked")) throw new AdServerError("credentials_refused", "The key was revoked.", { isPermanent: true, isAmbiguous: false });
      if (where !== "create-order: done" || !isFirst) return;
      isFirst = false;
      isRefused = true;
      throw new AdServerError("connection_lost", "The connection broke before the answer.", { isPermanent: false, isAmbiguous: true });
    }));
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "blocked", blockedCode: "credentials_refused", leaseOwner: null });
    expect((await t().operationsOf(order)).find(({ kind }) => kind === "create-order")).toMatchObject({ state: "unknown", attempts: 2 });
    await t().setStatus(order, "canceled");
    isRefused = false;
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
    expect(t().server.orders).toMatchObject([{ isArchived: true }]);
  });

  test("the deadline of an operation counts from before its start was noted: past it nothing is sent, and it is tried again", async () => {
    const order = await createOrder(t().publisher);
    const clock = vi.spyOn(performance, "now");
    const { transact } = t().executing;
    let lateMs = 0;
    const slow: Executing = { ...t().executing, transact: async (...work) => {
      const result = await transact(...work);
      lateMs += OPERATION_DEADLINE_MS.simulated;
      return result;
    } };
    clock.mockImplementation(() => lateMs);
    const { ref } = t().newRun(order);
    const plan = await planFulfilment(t().executing, ref);
    if (plan.next !== "run") throw new Error("nothing to run");
    const [first] = plan.operations;
    const step = await runOperation(slow, ref, { operationId: first?.id ?? "", version: plan.version, isResolving: false });
    clock.mockRestore();
    expect(step).toMatchObject({ next: "park", delayMs: SECOND_MS });
    expect(t().server.calls).toEqual([]);
    expect((await t().operationsOf(order)).find(({ id }) => id === first?.id)).toMatchObject({ state: "planned", error: { code: "too_late" } });
  });

  test("what the ad server asks to wait is waited", async () => {
    t().fail("create-order", "busy");
    const order = await createOrder(t().publisher);
    const { run, outcome } = await t().execute(order, async () => {
      t().heal();
    });
    expect(outcome).toEqual({ because: "in_sync" });
    expect(run.rests.map(({ ms }) => ms)).toEqual([5_000]);
  });

  test("a mistake of the driver is retried like a lost reply, and shown", async () => {
    t().fail("create-order", "break");
    const order = await createOrder(t().publisher);
    await t().execute(order, async () => {
      expect((await t().operationsOf(order))[0]).toMatchObject({ state: "unknown", error: { code: "unexpected", message: "Unexpected failure: something the driver did not foresee" } });
      t().heal();
    });
    expect((await t().fulfilmentOf(order)).state).toBe("in_sync");
  });

  test("a creative with nothing to serve stops the order only after the rest was carried out, and never a cancellation", async () => {
    const order = await createOrder(t().publisher);
    await t().read(order, async (tx) => {
      const creativeId = newId();
      await tx.insert(creatives).values({
        tenantId: order.tenantId, id: creativeId, principalId: t().publisher.principal.id, accountId: order.accountId, creativeId: "c-1", name: "Empty", status: "approved", contentHash: "h",
        formatId: { agent_url: "http://127.0.0.1:3000", id: "display_300x250_image" }, assets: {},
      });
      await tx.insert(creativeAssignments).values({ tenantId: order.tenantId, packageId: order.packageIds[0] ?? "", creativeId });
    });
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await t().fulfilmentOf(order)).toMatchObject({ blockedCode: "creative_rejected", appliedVersion: 0 });
    expect(t().server.effects).toEqual(["create-order", "create-line-items", "approve-order"]);
    await t().setStatus(order, "canceled");
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
  });

  test("a plan that never comes to its end is stopped", async () => {
    const order = await createOrder(t().publisher);
    const { plan } = t().server.declaration;
    Object.assign(t().server.declaration, { plan: (...[desired, { objects }, now]: Parameters<typeof plan>) => plan(desired, { objects: objects.map((object) => ({ ...object, applied: {} })) }, now) });
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    expect((await t().fulfilmentOf(order)).blockedCode).toBe("not_converging");
    expect(t().server.calls.length).toBeLessThan(8);
  });

  test("no advertiser: blocked until somebody chooses one, then it goes on by itself", async () => {
    const order = await createOrder(t().publisher, { advertiser: null });
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    expect(await t().fulfilmentOf(order)).toMatchObject({ blockedCode: "choose_advertiser" });
    const retried = await asStaff(order.tenantId, "trafficker", async (ctx) => {
      await ctx.db.insert(accountAdvertisers).values({ tenantId: order.tenantId, accountId: order.accountId, adapterConfigId: order.adapterConfigId, externalAdvertiserId: "77", advertiserName: "Acme" });
      return retryBlockedForAccount(ctx, order);
    });
    expect(retried).toBe(1);
    expect((await t().execute(order)).outcome).toEqual({ because: "in_sync" });
    expect(t().server.orders).toMatchObject([{ advertiser: "77" }]);
    expect((await t().stepsOf(order)).map(({ state, decision }) => [state, decision])).toEqual([["completed", "withdrawn"]]);
  });

  test("a sandbox order on a live connection breaks an invariant before anything is sent, and a person hears of it", async () => {
    const live = await createPublisher({ mode: "live", credentials: "{}", isSandbox: true });
    const order = await createOrder(live, { isSandbox: true });
    await expect(t().execute(order)).rejects.toThrow("Invariant broken: the sandbox media buy");
    expect(t().server.calls).toEqual([]);
    await inTenant(t().executing, order.tenantId, (ctx) => failFulfilment(ctx, { fulfilmentId: order.fulfilmentId, desiredVersion: 1, reason: "Greenlight could not go on." }));
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "failed", blockedCode: "unexpected_error" });
    expect((await t().openStep(order)).payload.choices?.map(({ id }) => id)).toEqual(["retry", "give_up"]);
  });

  test("a failed run does not overwrite a newer version", async () => {
    const order = await createOrder(t().publisher);
    await t().setStatus(order, "paused");
    const isWritten = await inTenant(t().executing, order.tenantId, (ctx) => failFulfilment(ctx, { fulfilmentId: order.fulfilmentId, desiredVersion: 1, reason: "x" }));
    expect(isWritten).toBe(false);
    expect((await t().fulfilmentOf(order)).state).toBe("pending");
  });

  test.each([["pending_start", "rejected"], ["active", "canceled"]] as const)("giving up an order that is %s makes it %s, and ends it in the ad server", async (from, to) => {
    t().fail("approve-order", "refuse");
    const order = await createOrder(t().publisher, { status: from });
    await t().execute(order);
    await t().choose(order, "give_up", "No room this spring.");
    expect(await t().buyOf(order)).toMatchObject(to === "rejected" ? { status: to, rejectionReason: "No room this spring." } : { status: to, canceledBy: "seller", cancellationReason: "No room this spring." });
    expect((await t().execute(order)).outcome).toEqual({ because: "ended" });
    expect(t().server.orders).toMatchObject([{ isArchived: true }]);
  });

  test("giving up an order that has ended already leaves the ad server as it is, and says so", async () => {
    const order = await createOrder(t().publisher);
    await t().execute(order);
    t().fail("archive-order", "refuse");
    await t().setStatus(order, "canceled");
    expect((await t().execute(order)).outcome).toEqual({ because: "blocked" });
    await t().choose(order, "give_up");
    expect(await t().fulfilmentOf(order)).toMatchObject({ state: "ended", desiredVersion: 2, blockedCode: null, blockedReason: null });
    expect(await t().buyOf(order)).toMatchObject({ status: "canceled" });
    const audit = await t().read(order, (tx) => tx.select({ objectId: auditLog.objectId }).from(auditLog).where(and(eq(auditLog.tenantId, order.tenantId), eq(auditLog.action, "fulfilment.ended"))));
    expect(audit).toEqual([{ objectId: order.fulfilmentId }]);
  });

  test("two people answer at once: the second hears who did", async () => {
    t().fail("create-order", "refuse");
    const order = await createOrder(t().publisher);
    await t().execute(order);
    const { id: stepId } = await t().openStep(order);
    const results = await Promise.allSettled(["admin", "trafficker"].map((role) => asStaff(order.tenantId, role === "admin" ? "admin" : "trafficker", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" }))));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await t().fulfilmentOf(order)).desiredVersion).toBe(2);
    expect((await failure(asStaff(order.tenantId, "admin", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" })))).userMessage).toContain("Test");
    expect((await failure(asStaff(order.tenantId, "viewer", (ctx) => resolveBlocked(ctx, { stepId, choiceId: "retry" })))).code).toBe("PERMISSION_DENIED");
    expect((await failure(asStaff(order.tenantId, "admin", (ctx) => resolveBlocked(ctx, { stepId: "x", choiceId: "retry" })))).code).toBe("REFERENCE_NOT_FOUND");
  });
});

