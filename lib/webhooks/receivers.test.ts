import { and, eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { systemCtx } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { type Receiver, startReceiver } from "@/test/receiver";
import { asStaff, failure } from "@/test/staff";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { log } from "../log";
import { tasks } from "../media-buys/schema";
import { resolveByDns } from "./address";
import { attemptDelivery } from "./deliver";
import { listDeadLetters, listReceivers, replayDeadLetter, replayDeadLetters } from "./receivers";
import { webhookDeliveries } from "./schema";
import { queueTaskWebhook, registerReceiver } from "./service";

useTestDatabase();
let publisher: PublisherFixture;
let receiver: Receiver;
let status: number;

beforeEach(async () => {
  publisher = await createPublisher();
  status = 200;
  receiver = await startReceiver(() => status);
});
afterEach(() => receiver.close());

/** A completed task that tells this address; answers the delivery, sent once unless `isSent` is false. */
async function notify(url: string, { isSent = true, authentication }: { isSent?: boolean; authentication?: Record<string, unknown> } = {}): Promise<string> {
  const deliveryId = await withTenant(publisher.tenantId, async (db) => {
    const ctx = systemCtx(db, publisher.tenantId);
    const taskId = newId();
    await db.insert(tasks).values({ tenantId: ctx.tenantId, id: taskId, principalId: publisher.principal.id, taskType: "create_media_buy", status: "completed", message: null, result: { media_buy_id: "mb_1", packages: [] } });
    await registerReceiver(ctx, { principalId: publisher.principal.id, taskId, config: { url, ...(authentication ? { authentication } : {}) } });
    await queueTaskWebhook(ctx, { taskId });
    const [row] = await db.select({ id: webhookDeliveries.id }).from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.taskId, taskId)));
    return row?.id ?? "";
  });
  if (isSent) await send(deliveryId);
  return deliveryId;
}
const send = (deliveryId: string) => attemptDelivery({ resolve: resolveByDns, now: () => new Date(), log }, { tenantId: publisher.tenantId, deliveryId });
const list = (principalId = publisher.principal.id) => asStaff(publisher.tenantId, "viewer", (ctx) => listReceivers(ctx, principalId));

test("one row per address and way of proving itself, with the health of all that was sent there", async () => {
  await notify(receiver.url);
  status = 410;
  await notify(receiver.url);
  status = 500;
  await notify(receiver.url);
  await notify(`${receiver.url}/other`, { isSent: false, authentication: { schemes: ["Bearer"], credentials: "x".repeat(40) } });
  const rows = await list();
  expect(rows.map(({ url, authentication }) => [url, authentication])).toEqual([[`${receiver.url}/other`, "Bearer"], [receiver.url, "RFC 9421"]]);
  expect(rows[0]).toMatchObject({ state: "unused", registrations: 1, pending: 1, deadLetters: 0, lastAttempt: null, lastDeliveredAt: null });
  expect(rows[1]).toMatchObject({ state: "dead", registrations: 3, purposes: ["task"], pending: 1, deadLetters: 1, consecutiveFailures: 2, lastAttempt: { status: 500, error: "The receiver answered 500." } });
  expect(JSON.stringify(rows)).not.toContain("xxxx");
});

test("a delivery after failures makes a receiver healthy again", async () => {
  status = 503;
  await notify(receiver.url);
  expect((await list())[0]).toMatchObject({ state: "failing", consecutiveFailures: 1 });
  status = 200;
  await notify(receiver.url);
  expect((await list())[0]).toMatchObject({ state: "healthy", consecutiveFailures: 0, lastAttempt: { status: 200, error: null } });
});

test("dead letters are listed and sent again, one or all of a receiver", async () => {
  status = 404;
  const first = await notify(receiver.url);
  const second = await notify(receiver.url);
  const letters = () => asStaff(publisher.tenantId, "viewer", (ctx) => listDeadLetters(ctx, { principalId: publisher.principal.id }));
  expect((await letters()).map(({ deliveryId, canReplay, lastStatus }) => [deliveryId, canReplay, lastStatus])).toEqual([[second, true, 404], [first, true, 404]]);
  expect((await failure(asStaff(publisher.tenantId, "viewer", (ctx) => replayDeadLetter(ctx, { deliveryId: first })))).code).toBe("PERMISSION_DENIED");
  status = 200;
  await asStaff(publisher.tenantId, "trafficker", (ctx) => replayDeadLetter(ctx, { deliveryId: first }));
  expect(await send(first)).toEqual({ next: "stop", state: "delivered" });
  expect((await failure(asStaff(publisher.tenantId, "trafficker", (ctx) => replayDeadLetter(ctx, { deliveryId: first })))).code).toBe("CONFLICT");
  const replay = () => asStaff(publisher.tenantId, "trafficker", (ctx) => replayDeadLetters(ctx, { principalId: publisher.principal.id, url: receiver.url }));
  expect(await replay()).toBe(1);
  expect(await replay()).toBe(0);
  expect(await send(second)).toEqual({ next: "stop", state: "delivered" });
  expect(await letters()).toEqual([]);
  const bodies = receiver.received.map(({ body }) => body);
  expect(new Set(bodies).size).toBe(2);
});

test("another publisher's staff, and another buyer, see none of it", async () => {
  status = 404;
  const deliveryId = await notify(receiver.url);
  const other = await createPublisher();
  expect(await list(other.principal.id)).toEqual([]);
  expect(await list("nonsense")).toEqual([]);
  expect(await asStaff(other.tenantId, "admin", (ctx) => listReceivers(ctx, publisher.principal.id))).toEqual([]);
  expect((await failure(asStaff(other.tenantId, "admin", (ctx) => replayDeadLetter(ctx, { deliveryId })))).code).toBe("REFERENCE_NOT_FOUND");
  expect(await asStaff(other.tenantId, "admin", (ctx) => replayDeadLetters(ctx, { principalId: publisher.principal.id, url: receiver.url }))).toBe(0);
});
