import { createHmac } from "node:crypto";
import { InMemoryReplayStore, InMemoryRevocationStore, StaticJwksResolver, verifyWebhookSignature } from "@adcp/sdk/signing/server";
import { and, eq, sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { useTestDatabase } from "@/test/db";
import { systemCtx } from "@/test/fixtures/order";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { type Receiver, startReceiver } from "@/test/receiver";
import { asStaff, failure } from "@/test/staff";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { lookUp, withTenant, withWorkerRole } from "../db/client";
import { outbox } from "../events/schema";
import { newId, toWireId } from "../ids";
import { log } from "../log";
import { tasks } from "../media-buys/schema";
import { tenants } from "../tenants/schema";
import { HOUR_MS } from "../time";
import { resolveByDns } from "./address";
import { attemptDelivery, type Delivering, RETRY_DELAYS_MS } from "./deliver";
import { pushNotificationConfigs, signingKeys, webhookDeliveries } from "./schema";
import { queueStaffNotice, queueTaskWebhook, registerReceiver, replayDelivery } from "./service";

useTestDatabase();
let publisher: PublisherFixture;
let receiver: Receiver;
let offsetMs: number;
const receivers: Receiver[] = [];
const delivering: Delivering = { resolve: resolveByDns, now: () => new Date(Date.now() + offsetMs), log };

beforeEach(async () => {
  offsetMs = 0;
  publisher = await createPublisher();
  receiver = await listen();
});
afterEach(() => Promise.all(receivers.splice(0).map((open) => open.close())));

async function listen(...options: Parameters<typeof startReceiver>): Promise<Receiver> {
  const open = await startReceiver(...options);
  receivers.push(open);
  return open;
}
const inTenant = <T>(work: (ctx: Ctx) => Promise<T>) => withTenant(publisher.tenantId, (db) => work(systemCtx(db, publisher.tenantId)));

/** A completed task with receivers, and the deliveries that its end queued. */
async function queueFor(configs: Record<string, unknown>[], task: Partial<typeof tasks.$inferInsert> = {}) {
  const taskId = newId();
  return inTenant(async (ctx) => {
    await ctx.db.insert(tasks).values({
      tenantId: ctx.tenantId, id: taskId, principalId: publisher.principal.id, taskType: "create_media_buy", status: "completed", message: "Approved",
      result: { media_buy_id: "mb_1", packages: [] }, buyerContext: { trace: "t-1" }, ...task,
    });
    for (const config of configs) await registerReceiver(ctx, { principalId: publisher.principal.id, taskId, mediaBuyId: null, config });
    await queueTaskWebhook(ctx, { taskId });
    const rows = await ctx.db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.taskId, taskId)));
    return { taskId, rows, deliveryId: rows[0]?.id ?? "" };
  });
}
const attempt = (deliveryId: string, by: Delivering = delivering) => attemptDelivery(by, { tenantId: publisher.tenantId, deliveryId });
const rowOf = async (id: string) => (await inTenant((ctx) => ctx.db.select().from(webhookDeliveries).where(eq(webhookDeliveries.id, id))))[0];

describe("what a buyer hears", () => {
  test("one signed notification per receiver, which the protocol's verifier accepts", async () => {
    const url = `${receiver.url}/step/1/op_77`;
    const { taskId, rows, deliveryId } = await queueFor([{ url, operation_id: "op_77", token: "validation-token-123" }]);
    expect(rows).toHaveLength(1);
    expect(await attempt(deliveryId)).toEqual({ next: "stop", state: "delivered" });
    const [request] = receiver.received;
    if (!request) throw new Error("nothing was received");
    expect(JSON.parse(request.body)).toMatchObject({
      idempotency_key: rows[0]?.idempotencyKey, operation_id: "op_77", task_id: toWireId("task", taskId), task_type: "create_media_buy", protocol: "media-buy", status: "completed",
      message: "Approved", token: "validation-token-123", context: { trace: "t-1" }, result: { media_buy_id: "mb_1", context: { trace: "t-1" } },
    });
    const published = await lookUp(z.object({ public_jwk: z.looseObject({ kid: z.string(), kty: z.string() }) }), sql`select public_jwk from published_signing_keys()`);
    const verify = (body: string) => verifyWebhookSignature(
      { method: "POST", url, headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])), body },
      { jwks: new StaticJwksResolver(published.map(({ public_jwk }) => public_jwk)), replayStore: new InMemoryReplayStore(), revocationStore: new InMemoryRevocationStore() },
    );
    expect(await verify(request.body)).toMatchObject({ keyid: published[0]?.public_jwk.kid });
    await expect(verify(request.body.replace("completed", "rejected"))).rejects.toThrow();
    expect(JSON.stringify(published)).not.toContain('"d"');
  });

  test("the payload follows the protocol's schema, for a rejected task too", async () => {
    const { taskId, rows } = await queueFor([{ url: receiver.url }], { status: "rejected", result: null, error: { code: "POLICY_VIOLATION", message: "Not for us.", recovery: "correctable" } });
    expect(rows[0]?.body).toMatchObject({ status: "rejected", result: { errors: [{ code: "POLICY_VIOLATION", message: "Not for us." }] } });
    expect(rows[0]?.idempotencyKey).toMatch(/^[A-Za-z0-9_.:-]{16,255}$/);
    expect(rows[0]?.body.operation_id).toBe(toWireId("task", taskId));
  });

  test("the first use makes one key, however many processes sign at once; its private half is encrypted", async () => {
    await withWorkerRole((tx) => tx.update(signingKeys).set({ retiredAt: new Date() }));
    const queued = await Promise.all(Array.from({ length: 5 }, () => queueFor([{ url: receiver.url }])));
    await Promise.all(queued.map(({ deliveryId }) => attempt(deliveryId)));
    const keys = await withWorkerRole((tx) => tx.select().from(signingKeys));
    expect(keys.filter(({ retiredAt }) => retiredAt === null)).toHaveLength(1);
    expect(keys.map(({ privateJwkEncrypted }) => privateJwkEncrypted).join()).not.toContain("OKP");
    expect(receiver.received).toHaveLength(5);
  });

  test("the same bytes and key on every attempt, a fresh signature each time", async () => {
    const flaky = await listen((n) => (n < 3 ? 503 : 204));
    const { deliveryId } = await queueFor([{ url: flaky.url }]);
    for (const delayMs of RETRY_DELAYS_MS.slice(0, 2)) {
      expect(await attempt(deliveryId)).toEqual({ next: "later", delayMs });
      expect(await attempt(deliveryId)).toMatchObject({ next: "later" });
      offsetMs += delayMs + 1_000;
    }
    expect(await attempt(deliveryId)).toEqual({ next: "stop", state: "delivered" });
    expect(flaky.received).toHaveLength(3);
    expect(new Set(flaky.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(flaky.received.map(({ headers }) => headers["signature-input"])).size).toBe(3);
    expect(await rowOf(deliveryId)).toMatchObject({ state: "delivered", attempts: 3, lastStatus: 204, lastError: null });
  });

  test("ten seconds, then longer, then half a day, then dead; replayed from the screen with the same key", async () => {
    let status = 500;
    const down = await listen(() => status);
    const { deliveryId } = await queueFor([{ url: down.url }]);
    const delays: number[] = [];
    for (let outcome = await attempt(deliveryId); outcome.next === "later"; outcome = await attempt(deliveryId)) {
      delays.push(outcome.delayMs);
      offsetMs += outcome.delayMs + 1_000;
    }
    expect(delays).toEqual([10_000, 60_000, 300_000, 1_800_000, 2 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS]);
    expect(await rowOf(deliveryId)).toMatchObject({ state: "dead", attempts: 8, lastStatus: 500 });

    expect((await failure(asStaff(publisher.tenantId, "viewer", (ctx) => replayDelivery(ctx, { deliveryId })))).code).toBe("PERMISSION_DENIED");
    await asStaff(publisher.tenantId, "trafficker", (ctx) => replayDelivery(ctx, { deliveryId }));
    expect((await failure(asStaff(publisher.tenantId, "trafficker", (ctx) => replayDelivery(ctx, { deliveryId })))).code).toBe("CONFLICT");
    status = 200;
    expect(await attempt(deliveryId)).toEqual({ next: "stop", state: "delivered" });
    expect(new Set(down.received.map(({ body }) => body)).size).toBe(1);
    const events = await inTenant((ctx) => ctx.db.select().from(outbox).where(eq(outbox.tenantId, ctx.tenantId)));
    expect(events.filter(({ eventId }) => eventId.startsWith(`webhook.queued:${deliveryId}:replay:`))).toHaveLength(1);
  });

  test("what is no longer kept is not sent again", async () => {
    const { deliveryId } = await queueFor([{ url: receiver.url }]);
    await attempt(deliveryId);
    await inTenant((ctx) => ctx.db.update(webhookDeliveries).set({ body: {} }).where(eq(webhookDeliveries.tenantId, ctx.tenantId)));
    expect((await failure(asStaff(publisher.tenantId, "trafficker", (ctx) => replayDelivery(ctx, { deliveryId })))).code).toBe("CONFLICT");
    expect(await rowOf(deliveryId)).toMatchObject({ state: "delivered" });
  });

  test.each([[400, "dead"], [404, "dead"], [410, "dead"], [301, "dead"], [302, "dead"], [408, "later"], [425, "later"], [429, "later"], [500, "later"]])("an answer of %i: %s", async (status, expected) => {
    const elsewhere = await listen();
    const answering = await listen(() => status, { location: elsewhere.url });
    const { deliveryId } = await queueFor([{ url: answering.url }]);
    const outcome = await attempt(deliveryId);
    expect(outcome.next === "stop" ? outcome.state : outcome.next).toBe(expected);
    expect(elsewhere.received).toEqual([]);
  });

  test("two processes send one notification once", async () => {
    const { deliveryId } = await queueFor([{ url: receiver.url.replace("127.0.0.1", "localhost") }]);
    let release: () => void = () => undefined;
    const others = new Promise<void>((resolve) => (release = resolve));
    let answered = 0;
    // Whoever sends waits until the others have been answered: one that came after it would rightly find it delivered.
    const slow: Delivering = { ...delivering, resolve: async () => {
      await others;
      return ["127.0.0.1"];
    } };
    const outcomes = await Promise.all([1, 2, 3].map(async () => {
      const outcome = await attempt(deliveryId, slow);
      answered += 1;
      if (answered === 2) release();
      return outcome;
    }));
    expect(outcomes.map(({ next }) => next).sort()).toEqual(["later", "later", "stop"]);
    expect(outcomes).toContainEqual({ next: "stop", state: "delivered" });
    expect(receiver.received).toHaveLength(1);
  });

  test("two receivers of one task are told once each, and not again for the same status", async () => {
    const other = await listen();
    const { taskId, rows } = await queueFor([{ url: receiver.url }, { url: other.url }]);
    await inTenant((ctx) => queueTaskWebhook(ctx, { taskId }));
    expect(rows).toHaveLength(2);
    expect(await inTenant((ctx) => ctx.db.select().from(webhookDeliveries).where(eq(webhookDeliveries.taskId, taskId)))).toHaveLength(2);
  });
});

describe("legacy authentication, only when the buyer asked", () => {
  const credentials = "a-shared-secret-of-more-than-32-characters";

  test("HMAC-SHA256 over timestamp and body, without a signature", async () => {
    const { deliveryId } = await queueFor([{ url: receiver.url, authentication: { schemes: ["HMAC-SHA256"], credentials } }]);
    await attempt(deliveryId);
    const [request] = receiver.received;
    const timestamp = String(request?.headers["x-adcp-timestamp"]);
    expect(request?.headers["x-adcp-signature"]).toBe(`sha256=${createHmac("sha256", credentials).update(`${timestamp}.${request?.body}`).digest("hex")}`);
    expect(request?.headers).not.toHaveProperty("signature");
  });

  test("Bearer", async () => {
    const { deliveryId } = await queueFor([{ url: receiver.url, authentication: { schemes: ["Bearer"], credentials } }]);
    await attempt(deliveryId);
    expect(receiver.received[0]?.headers.authorization).toBe(`Bearer ${credentials}`);
    expect(receiver.received[0]?.headers).not.toHaveProperty("signature");
  });

  test("secrets are encrypted at rest, and not in the stored body", async () => {
    const { rows } = await queueFor([{ url: receiver.url, token: "validation-token-123", authentication: { schemes: ["Bearer"], credentials } }]);
    const configs = await inTenant((ctx) => ctx.db.select().from(pushNotificationConfigs).where(eq(pushNotificationConfigs.tenantId, ctx.tenantId)));
    expect(JSON.stringify([configs, rows])).not.toContain(credentials);
    expect(JSON.stringify([configs, rows])).not.toContain("validation-token-123");
  });
});

describe("receivers that must not be called", () => {
  test.each([[{}, "push_notification_config.url"], [{ url: "https://10.0.0.1/" }, "push_notification_config.url"], [{ url: "https://x.example/", token: "short" }, "push_notification_config.token"], [{ url: "https://x.example/", authentication: { schemes: ["Basic"], credentials: "x".repeat(40) } }, "push_notification_config.authentication.schemes.0"]])("%j is refused at registration", async (config, field) => {
    const error = await failure(inTenant((ctx) => registerReceiver(ctx, { principalId: publisher.principal.id, taskId: null, mediaBuyId: null, config })));
    expect([error.code, error.field]).toEqual(["VALIDATION_ERROR", field]);
  });

  test("a name that points inside at delivery is dead at once; one that does not resolve is tried again", async () => {
    const inside = await queueFor([{ url: "https://hooks.evil.example/x" }]);
    expect(await attempt(inside.deliveryId, { ...delivering, resolve: async () => ["169.254.169.254"] })).toEqual({ next: "stop", state: "dead" });
    expect((await rowOf(inside.deliveryId))?.lastError).toContain("private network");
    const nowhere = await queueFor([{ url: "https://hooks.gone.example/x" }]);
    expect(await attempt(nowhere.deliveryId, { ...delivering, resolve: async () => Promise.reject(new Error("ENOTFOUND")) })).toEqual({ next: "later", delayMs: 10_000 });
  });
});

describe("what staff hear", () => {
  test("a Slack-compatible message, unsigned, once per event; nothing without an address", async () => {
    const notice = { eventKey: "media_buy_approval:1", title: "An order <waits>", text: "Spring & summer", path: "/p/x/approvals", mediaBuyId: null };
    await inTenant((ctx) => queueStaffNotice(ctx, notice));
    const staffRows = () => inTenant((ctx) => ctx.db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.audience, "staff"))));
    expect(await staffRows()).toEqual([]);
    await inTenant((ctx) => ctx.db.update(tenants).set({ staffWebhookEncrypted: encryptSecret(`${receiver.url}/slack`, `tenants:${ctx.tenantId}:staff_webhook`) }).where(eq(tenants.id, ctx.tenantId)));
    await inTenant((ctx) => queueStaffNotice(ctx, notice));
    await inTenant((ctx) => queueStaffNotice(ctx, notice));
    const rows = await staffRows();
    expect(rows).toHaveLength(1);
    expect(await attempt(rows[0]?.id ?? "")).toEqual({ next: "stop", state: "delivered" });
    const [request] = receiver.received;
    expect(request?.path).toBe("/slack");
    expect(request?.headers).not.toHaveProperty("signature");
    const body = z.object({ text: z.string(), blocks: z.array(z.unknown()) }).parse(JSON.parse(request?.body ?? ""));
    expect(body.text).toBe("An order &lt;waits&gt;: Spring &amp; summer");
    expect(JSON.stringify(body.blocks)).toContain("<http://127.0.0.1:3000/p/x/approvals|Open in Greenlight>");
  });
});
