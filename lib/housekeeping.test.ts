import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { World } from "@/test/durable";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "./db/client";
import { outbox } from "./events/schema";
import { type Executing } from "./fulfilment/call";
import { expireIdempotencyAnswers, forgetWebhookBodies, purgeOutbox, purgeSyncJobs } from "./housekeeping";
import { newId } from "./ids";
import { log } from "./log";
import { idempotencyKeys } from "./media-buys/schema";
import { addMs, DAY_MS, MINUTE_MS, SECOND_MS } from "./time";
import { syncJobs } from "./sync-jobs/schema";
import { webhookDeliveries } from "./webhooks/schema";
import { wakeDueDeliveries } from "./webhooks/sweep";

const database = useTestDatabase();
let publisher: PublisherFixture;
const now = new Date();
beforeEach(async () => {
  publisher = await createPublisher();
});

const inTenant = <T>(work: (tx: Parameters<Parameters<typeof withTenant<T>>[1]>[0]) => Promise<T>) => withTenant(publisher.tenantId, work);
const delivery = (changes: Partial<typeof webhookDeliveries.$inferInsert>) => {
  const id = newId();
  return { tenantId: publisher.tenantId, id, audience: "staff", eventKey: id, idempotencyKey: `whk_${id}`, body: { text: "hello" }, ...changes } as const;
};

describe("what is kept for how long", () => {
  test("an idempotency answer for its day, its tombstone for ever", async () => {
    const key = (name: string, expiresAt: Date) => ({ tenantId: publisher.tenantId, id: newId(), principalId: publisher.principal.id, key: name, tool: "create_media_buy", requestHash: "h", response: { a: 1 }, expiresAt });
    await inTenant((tx) => tx.insert(idempotencyKeys).values([key("old", addMs(now, -SECOND_MS)), key("new", addMs(now, MINUTE_MS))]));
    expect(await expireIdempotencyAnswers(now)).toBe(1);
    expect(await expireIdempotencyAnswers(now)).toBe(0);
    const rows = await inTenant((tx) => tx.select().from(idempotencyKeys));
    expect(rows.map((row) => [row.key, row.response]).sort()).toEqual([["new", { a: 1 }], ["old", null]]);
  });

  test("sent events for 30 days, unsent ones until they are sent", async () => {
    const event = (eventId: string, sentAt: Date | null) => ({ tenantId: publisher.tenantId, eventId: `${publisher.slug}:${eventId}`, name: "greenlight/webhook.queued", data: {}, sentAt, createdAt: addMs(now, -40 * DAY_MS) });
    await inTenant((tx) => tx.insert(outbox).values([event("old", addMs(now, -31 * DAY_MS)), event("new", addMs(now, -29 * DAY_MS)), event("unsent", null)]));
    expect(await purgeOutbox(now)).toBe(1);
    expect((await inTenant((tx) => tx.select().from(outbox))).map(({ eventId }) => eventId.split(":")[1]).sort()).toEqual(["new", "unsent"]);
  });

  test("more than one statement's worth goes in several", async () => {
    const events = Array.from({ length: 4_100 }, (_, n) => ({ tenantId: publisher.tenantId, eventId: `${publisher.slug}:${n}`, name: "greenlight/webhook.queued", data: {}, sentAt: addMs(now, -31 * DAY_MS) }));
    for (let at = 0; at < events.length; at += 1_000) await inTenant((tx) => tx.insert(outbox).values(events.slice(at, at + 1_000)));
    expect(await purgeOutbox(now)).toBe(4_100);
    expect(await inTenant((tx) => tx.select().from(outbox))).toEqual([]);
  });

  test("tests and syncs that succeeded for 30 days, failed ones for 90, the last of each kind and open ones for ever", async () => {
    const job = (kind: "delivery" | "inventory", state: "queued" | "succeeded" | "failed", days: number) => ({ tenantId: publisher.tenantId, id: newId(), adapterConfigId: publisher.adapterConfigId, kind, state, requestedBy: `${kind} ${state} ${days}`, createdAt: addMs(now, -days * DAY_MS) });
    await inTenant((tx) => tx.insert(syncJobs).values([
      job("delivery", "succeeded", 1), job("delivery", "succeeded", 29), job("delivery", "succeeded", 31), job("delivery", "failed", 31), job("delivery", "failed", 91),
      job("inventory", "queued", 200), job("inventory", "succeeded", 300), job("inventory", "succeeded", 301), job("inventory", "failed", 200),
    ]));
    expect(await purgeSyncJobs(now)).toBe(3);
    expect((await inTenant((tx) => tx.select().from(syncJobs))).map(({ requestedBy }) => requestedBy).sort()).toEqual(["delivery failed 31", "delivery succeeded 1", "delivery succeeded 29", "inventory failed 200", "inventory queued 200", "inventory succeeded 300"]);
  });

  test("what a webhook said for 90 days, that it was sent for ever", async () => {
    const old = addMs(now, -91 * DAY_MS);
    await inTenant((tx) => tx.insert(webhookDeliveries).values([delivery({ state: "delivered", createdAt: old }), delivery({ state: "pending", createdAt: old }), delivery({ state: "dead", createdAt: now })]));
    expect(await forgetWebhookBodies(now)).toBe(1);
    const rows = await inTenant((tx) => tx.select().from(webhookDeliveries));
    expect(rows.map(({ state, body }) => [state, body]).sort()).toEqual([["dead", { text: "hello" }], ["delivered", {}], ["pending", { text: "hello" }]]);
  });
});

test("deliveries that are due are started once each, those that are not are left alone", async () => {
  const world = new World(database);
  const executing = { transact: withTenant, now: world.now, log, declaration: () => { throw new Error("unused"); }, driver: () => { throw new Error("unused"); }, baseUrl: () => "" } satisfies Executing;
  const due = delivery({ nextAttemptAt: addMs(now, -MINUTE_MS) });
  await inTenant((tx) => tx.insert(webhookDeliveries).values([due, delivery({ nextAttemptAt: addMs(now, DAY_MS) }), delivery({ nextAttemptAt: addMs(now, -MINUTE_MS), state: "dead" })]));
  await wakeDueDeliveries(executing);
  await wakeDueDeliveries(executing);
  const events = await inTenant((tx) => tx.select().from(outbox).where(eq(outbox.tenantId, publisher.tenantId)));
  expect(events.map(({ data }) => data)).toEqual([{ tenantId: publisher.tenantId, deliveryId: due.id }]);
});
