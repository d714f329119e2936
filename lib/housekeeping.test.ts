import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { World } from "@/test/durable";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "./db/client";
import { outbox } from "./events/schema";
import { type Executing } from "./fulfilment/call";
import { expireIdempotencyAnswers, forgetWebhookBodies, purgeOutbox } from "./housekeeping";
import { newId } from "./ids";
import { log } from "./log";
import { idempotencyKeys } from "./media-buys/schema";
import { addMs, DAY_MS, MINUTE_MS, SECOND_MS } from "./time";
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
  await inTenant((tx) => tx.insert(webhookDeliveries).values([due, delivery({ nextAttemptAt: addMs(now, MINUTE_MS) }), delivery({ nextAttemptAt: addMs(now, -MINUTE_MS), state: "dead" })]));
  await wakeDueDeliveries(executing);
  await wakeDueDeliveries(executing);
  const events = await inTenant((tx) => tx.select().from(outbox).where(eq(outbox.tenantId, publisher.tenantId)));
  expect(events.map(({ data }) => data)).toEqual([{ tenantId: publisher.tenantId, deliveryId: due.id }]);
});
