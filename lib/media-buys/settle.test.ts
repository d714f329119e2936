import { asc, eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asSystem, banner, change, days, homepage, markInSync, NOW, order, place, readBuy } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { auditLog } from "../audit/schema";
import { creatives } from "../creatives/schema";
import { fulfilments } from "../fulfilment/schema";
import { toWireId } from "../ids";
import { advanceClock } from "./clock";
import { settleStatus } from "./settle";

useTestDatabase();

const READY = homepage({ creatives: [banner()] });
const DURING = new Date(days(10));
const AFTER = new Date(days(33));

async function placed(...packages: Record<string, unknown>[]): Promise<{ publisher: PublisherFixture; mediaBuyId: string }> {
  const publisher = await createPublisher();
  return { publisher, mediaBuyId: (await place(publisher, order({}, ...packages))).mediaBuyId };
}
const statusOf = async (publisher: PublisherFixture, id: string) => (await readBuy(publisher, id)).buy.status;

describe("the clock", () => {
  test("activates an order whose flight has begun once an ad server is in sync, not before", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await advanceClock(DURING);
    expect(await statusOf(publisher, mediaBuyId)).toBe("pending_start");
    await markInSync(publisher, mediaBuyId);
    await advanceClock(new Date(days(1)));
    expect(await statusOf(publisher, mediaBuyId)).toBe("pending_start");
    await advanceClock(DURING);
    const { buy } = await readBuy(publisher, mediaBuyId);
    // Nothing new must reach the ad server because of it.
    expect(buy).toMatchObject({ status: "active", revision: 2, desiredVersion: 1 });
    const entries = await asSystem(publisher, ({ db }) => db.select().from(auditLog).where(eq(auditLog.objectId, mediaBuyId)).orderBy(asc(auditLog.id)));
    expect(entries.at(-1)).toMatchObject({ action: "media_buy.activated", actorKind: "system", before: { status: "pending_start" }, after: { status: "active", revision: 2 } });
  });

  test("completes what ran, and has its ad servers end it", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await markInSync(publisher, mediaBuyId);
    await advanceClock(DURING);
    await advanceClock(AFTER);
    const { buy, fulfilments: [fulfilment] } = await readBuy(publisher, mediaBuyId);
    expect(buy).toMatchObject({ status: "completed", revision: 3, desiredVersion: 2 });
    expect(fulfilment).toMatchObject({ state: "pending", desiredVersion: 2 });
  });

  test("leaves a paused order paused until its end", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await markInSync(publisher, mediaBuyId);
    await change(publisher, { media_buy_id: toWireId("mediaBuy", mediaBuyId), paused: true });
    await markInSync(publisher, mediaBuyId);
    await advanceClock(DURING);
    expect(await statusOf(publisher, mediaBuyId)).toBe("paused");
    await advanceClock(AFTER);
    expect(await statusOf(publisher, mediaBuyId)).toBe("completed");
  });

  test("cancels what could not begin before its end, as the seller, with the reason", async () => {
    const { publisher, mediaBuyId } = await placed(homepage());
    await markInSync(publisher, mediaBuyId);
    await advanceClock(DURING);
    expect(await statusOf(publisher, mediaBuyId)).toBe("pending_creatives");
    await advanceClock(AFTER);
    expect((await readBuy(publisher, mediaBuyId)).buy).toMatchObject({ status: "canceled", canceledBy: "seller", cancellationReason: expect.stringContaining("before the order could begin"), desiredVersion: 2 });
  });

  test("does not touch an order that waits for a decision", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const { mediaBuyId } = await place(publisher, order());
    await advanceClock(AFTER);
    expect((await readBuy(publisher, mediaBuyId)).buy).toMatchObject({ status: "pending_approval", revision: 1, desiredVersion: 1 });
  });

  test("is one owner's work however many run it at once, over all publishers", async () => {
    const many = await Promise.all([placed(READY), placed(READY), placed(READY)]);
    for (const { publisher, mediaBuyId } of many) await markInSync(publisher, mediaBuyId);
    const results = await Promise.all([advanceClock(DURING), advanceClock(DURING), advanceClock(DURING)]);
    expect(results.map((result) => result.failed)).toEqual([0, 0, 0]);
    expect(results.reduce((sum, result) => sum + result.moved, 0)).toBeGreaterThanOrEqual(3);
    for (const { publisher, mediaBuyId } of many) expect((await readBuy(publisher, mediaBuyId)).buy).toMatchObject({ status: "active", revision: 2 });
    expect(await advanceClock(DURING)).toEqual({ moved: 0, failed: 0 });
  });
});

describe("settling", () => {
  test("drift and a second connection that fails never move an active order", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await markInSync(publisher, mediaBuyId);
    await advanceClock(DURING);
    await asSystem(publisher, ({ db }) => db.update(fulfilments).set({ state: "blocked", blockedCode: "drift" }));
    expect(await asSystem(publisher, (ctx) => settleStatus(ctx, mediaBuyId), DURING)).toBeNull();
    expect(await statusOf(publisher, mediaBuyId)).toBe("active");
  });

  test("a read-back within the flight activates at once", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await markInSync(publisher, mediaBuyId);
    expect(await asSystem(publisher, (ctx) => settleStatus(ctx, mediaBuyId), DURING)).toBe("active");
  });

  test("an order without creatives does not become active however in sync it is", async () => {
    const { publisher, mediaBuyId } = await placed(READY, homepage());
    await markInSync(publisher, mediaBuyId);
    expect(await asSystem(publisher, (ctx) => settleStatus(ctx, mediaBuyId), DURING)).toBeNull();
    expect(await asSystem(publisher, (ctx) => settleStatus(ctx, mediaBuyId), NOW)).toBeNull();
  });

  test("an order whose only creative was rejected meanwhile does not become active until another is approved", async () => {
    const { publisher, mediaBuyId } = await placed(READY);
    await markInSync(publisher, mediaBuyId);
    const set = (status: "rejected" | "approved") => asSystem(publisher, ({ db, tenantId }) => db.update(creatives).set({ status }).where(eq(creatives.tenantId, tenantId)));
    await set("rejected");
    await advanceClock(DURING);
    expect(await statusOf(publisher, mediaBuyId)).toBe("pending_start");
    await set("approved");
    await advanceClock(DURING);
    expect(await statusOf(publisher, mediaBuyId)).toBe("active");
  });

  test("a canceled package needs no creatives", async () => {
    const { publisher, mediaBuyId } = await placed(READY, homepage());
    const { packages } = await readBuy(publisher, mediaBuyId);
    const answer = await change(publisher, { media_buy_id: toWireId("mediaBuy", mediaBuyId), packages: [{ package_id: toWireId("package", packages[1]?.id ?? ""), canceled: true }] });
    expect(answer).toMatchObject({ status: "pending_start", revision: 2 });
  });
});
