import { randomUUID } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher } from "@/test/fixtures/publisher";
import { systemCtx } from "@/test/fixtures/order";
import { waitFor } from "@/test/wait";
import { withTenant, withWorkerRole } from "../db/client";
import { log } from "../log";
import { startHeartbeat } from "./heartbeat";
import { enqueueEvents } from "./outbox";
import { type OutboundEvent, type Relay, startRelay } from "./relay";
import { outbox, workers } from "./schema";

const database = useTestDatabase();
let tenantId: string;
const relays: Relay[] = [];

beforeEach(async () => {
  await withWorkerRole((tx) => tx.delete(outbox));
  tenantId = (await createPublisher()).tenantId;
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

async function start(send: (events: OutboundEvent[]) => Promise<unknown>, pollMs?: number): Promise<Relay> {
  const relay = await startRelay({ send, log, pollMs });
  relays.push(relay);
  return relay;
}

/** Events as a change writes them. */
async function write(count = 1): Promise<string[]> {
  const events = Array.from({ length: count }, () => ({ eventId: `webhook.queued:${randomUUID()}`, data: { tenantId, deliveryId: randomUUID() } }));
  await withTenant(tenantId, (db) => enqueueEvents(systemCtx(db, tenantId), "greenlight/webhook.queued", events));
  return events.map(({ eventId }) => eventId);
}
const rowsOf = () => withTenant(tenantId, (tx) => tx.select().from(outbox).where(eq(outbox.tenantId, tenantId)).orderBy(asc(outbox.id)));

describe("relay", () => {
  test("sends what was committed, in order, with its own id, and marks it", async () => {
    const sent: OutboundEvent[] = [];
    await start(async (events) => sent.push(...events));
    const ids = await write(3);
    await waitFor("the events to be marked", async () => (await rowsOf()).every(({ sentAt }) => sentAt));
    expect(sent.map(({ id }) => id)).toEqual(ids);
    expect(sent[0]).toMatchObject({ name: "greenlight/webhook.queued", data: { tenantId } });
  });

  test("wakes at once by notification", async () => {
    const sent: OutboundEvent[] = [];
    await start(async (events) => sent.push(...events), 60_000);
    await write();
    await waitFor("the event", () => sent.length === 1, 50_000);
  });

  test("finds by polling what no notification told of, and what was there before it started", async () => {
    const sent: OutboundEvent[] = [];
    const [first] = await write();
    await start(async (events) => sent.push(...events), 50);
    await waitFor("the earlier event", () => sent.some(({ id }) => id === first));
    const admin = postgres(database.adminUrl, { max: 1 });
    await admin`insert into outbox (tenant_id, event_id, name, data) values (${tenantId}, 'silent', 'greenlight/webhook.queued', '{}')`;
    await admin.end();
    await waitFor("the silent event", () => sent.some(({ id }) => id === "silent"));
  });

  test("a send that fails loses nothing and is tried again later", async () => {
    let attempts = 0;
    let isAway = true;
    const relay = await start(async () => {
      attempts += 1;
      if (isAway) throw new Error("the executor is away");
    }, 50);
    await write();
    await waitFor("a second failure to show", () => attempts >= 2 && relay.status().lastError === "the executor is away");
    isAway = false;
    await waitFor("the event to be sent", async () => (await rowsOf())[0]?.sentAt);
    expect((await rowsOf())[0]).toMatchObject({ attempts, lastError: null, leaseOwner: null });
    await waitFor("the relay to be well", () => !relay.status().isFailing);
    expect(relay.status()).toEqual({ isFailing: false, lastError: null });
  });

  test("one event that is refused holds up no other", async () => {
    const [poison] = await write(5);
    const sent: string[] = [];
    await start(async (events) => {
      if (events.some(({ id }) => id === poison)) throw new Error("unreadable");
      sent.push(...events.map(({ id }) => id));
    });
    await waitFor("the others", () => sent.length === 4);
    await waitFor("the others to be marked", async () => (await rowsOf()).filter(({ sentAt }) => sentAt === null).length === 1);
    expect((await rowsOf()).filter(({ sentAt }) => sentAt === null)).toMatchObject([{ eventId: poison, lastError: "unreadable" }]);
  });

  test("several relays share the work without sending anything twice", async () => {
    const sent: string[] = [];
    const take = async (events: OutboundEvent[]) => sent.push(...events.map(({ id }) => id));
    await Promise.all([start(take, 20), start(take, 20), start(take, 20)]);
    const ids = (await Promise.all(Array.from({ length: 20 }, () => write(10)))).flat();
    await waitFor("all events", async () => (await rowsOf()).every(({ sentAt }) => sentAt));
    expect(sent.sort()).toEqual(ids.sort());
  });

  test("what a relay had claimed when it died is sent once its claim has lapsed", async () => {
    await write();
    await withWorkerRole((tx) => tx.update(outbox).set({ leaseOwner: randomUUID(), leaseUntil: new Date(Date.now() + 300), attempts: 1 }));
    const sent: OutboundEvent[] = [];
    await start(async (events) => sent.push(...events), 50);
    await waitFor("the event", () => sent.length === 1);
  });

  test("no transaction is open while it sends", async () => {
    const admin = postgres(database.adminUrl, { max: 1 });
    let busy: Iterable<unknown> | undefined;
    await start(async () => {
      busy = await admin`select query from pg_stat_activity where application_name = 'greenlight' and state like 'idle in transaction%' and datname = current_database()`;
    });
    await write();
    // Nothing else may ask the database meanwhile.
    const found = await waitFor("the relay to send", () => busy);
    await admin.end();
    expect([...found]).toEqual([]);
  });
});

test("a worker says that it lives, and that it is gone", async () => {
  const heartbeat = await startHeartbeat({ log, info: () => ({ target: "test" }) });
  const find = () => withWorkerRole((tx) => tx.select().from(workers).where(eq(workers.id, heartbeat.id)));
  const [first] = await find();
  expect(first?.info).toEqual({ target: "test" });
  await waitFor("the next beat", async () => ((await find())[0]?.heartbeatAt ?? 0) > (first?.heartbeatAt ?? 0));
  await heartbeat.stop();
  expect(await find()).toEqual([]);
});
