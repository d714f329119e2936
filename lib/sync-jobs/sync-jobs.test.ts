import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createOrder } from "@/test/fixtures/order";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture, type PublisherOptions } from "@/test/fixtures/publisher";
import { type Gam, KIND, NETWORK, startGam } from "@/test/gam";
import { asStaff, failure } from "@/test/staff";
import { waitFor } from "@/test/wait";
import { adServerDriver } from "../ad-servers/drivers";
import { adServerDeclaration } from "../ad-servers/registry";
import { adapterConfigs, adServerInventory } from "../ad-servers/schema";
import { encryptSecret } from "../crypto";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { type Executing } from "../fulfilment/call";
import { fulfilments } from "../fulfilment/schema";
import { log } from "../log";
import { runSyncJob } from "./run";
import { syncJobs } from "./schema";
import { requestSyncJob } from "./service";
import { wakeLostSyncJobs } from "./sweep";

useTestDatabase();
let gam: Gam;
let publisher: PublisherFixture;
let offsetMs: number;
const executing: Executing = {
  transact: withTenant, declaration: adServerDeclaration, driver: adServerDriver, baseUrl: () => gam.url, now: () => new Date(Date.now() + offsetMs), log,
};

beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(async () => {
  offsetMs = 0;
  await gam.reset();
  publisher = await connect({});
});

const connect = (options: PublisherOptions) => createPublisher({
  connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 10 }, credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), timeZone: "America/New_York", ratePerSecond: 10_000, ...options,
});
const inTenant = <T>(work: (tx: Parameters<Parameters<typeof withTenant<T>>[1]>[0]) => Promise<T>) => withTenant(publisher.tenantId, work);
const request = async (kind: "connection_test" | "inventory") => (await asStaff(publisher.tenantId, "admin", (ctx) => requestSyncJob(ctx, { adapterConfigId: publisher.adapterConfigId, kind }))).id;
const run = (syncJobId: string, attempt = 0) => runSyncJob(executing, { tenantId: publisher.tenantId, syncJobId, attempt });
const jobOf = async (id: string) => (await inTenant((tx) => tx.select().from(syncJobs).where(eq(syncJobs.id, id))))[0];
const connectionOf = async () => (await inTenant((tx) => tx.select().from(adapterConfigs).where(eq(adapterConfigs.id, publisher.adapterConfigId))))[0];
const eventsOf = (id: string) => inTenant((tx) => tx.select().from(outbox).where(eq(outbox.tenantId, publisher.tenantId))).then((rows) => rows.filter(({ eventId }) => eventId.includes(id)));
const test_ = async () => {
  const id = await request("connection_test");
  const outcome = await run(id);
  return { id, outcome, job: await jobOf(id), connection: await connectionOf() };
};

describe("asking for a job", () => {
  test("a second click finds the first; the event is written once", async () => {
    const [first, second] = await Promise.all([request("inventory"), request("inventory")]);
    expect(second).toBe(first);
    expect(await eventsOf(first)).toHaveLength(1);
    expect(await request("connection_test")).not.toBe(first);
  });

  test("a viewer may not, and a foreign connection does not exist", async () => {
    expect((await failure(asStaff(publisher.tenantId, "viewer", (ctx) => requestSyncJob(ctx, { adapterConfigId: publisher.adapterConfigId, kind: "inventory" })))).code).toBe("PERMISSION_DENIED");
    const other = await connect({});
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => requestSyncJob(ctx, { adapterConfigId: other.adapterConfigId, kind: "inventory" })))).code).toBe("REFERENCE_NOT_FOUND");
  });
});

describe("testing a connection", () => {
  const checks = (connection: Awaited<ReturnType<typeof connectionOf>>) => Object.fromEntries((connection?.lastTest?.checks ?? []).map(({ name, outcome }) => [name, outcome]));

  test("what agrees with the network is verified", async () => {
    const { outcome, job, connection } = await test_();
    expect(outcome).toEqual({ next: "stop", state: "succeeded" });
    expect(job).toMatchObject({ state: "succeeded", leaseOwner: null, error: null, phases: [{ name: "Network", state: "done" }] });
    expect(connection).toMatchObject({ status: "verified", networkName: "Demo Publisher (simulated)", lastTest: { currency: "USD", timeZone: "America/New_York" } });
    expect(checks(connection)).toMatchObject({ Network: "pass", Currency: "pass", "Time zone": "pass" });
  });

  test("another currency fails it, another time zone is a warning, both in words", async () => {
    publisher = await connect({ currency: "EUR", timeZone: "Europe/London" });
    const { job, connection } = await test_();
    expect(job?.state).toBe("succeeded");
    expect(connection).toMatchObject({ status: "failed", verifiedAt: null });
    expect(checks(connection)).toMatchObject({ Currency: "fail", "Time zone": "warn" });
    expect(JSON.stringify(connection?.lastTest)).toContain("books in USD, but this connection is set to EUR");
  });

  test("a key that is refused fails the connection at once", async () => {
    await inTenant((tx) => tx.update(adapterConfigs).set({ config: { networkCode: "21700000002" } }).where(eq(adapterConfigs.id, publisher.adapterConfigId)));
    const { outcome, job, connection } = await test_();
    expect(outcome).toEqual({ next: "stop", state: "failed" });
    expect(job?.error?.code).toMatch(/permission_denied|not_found/);
    expect(connection).toMatchObject({ status: "failed", lastTest: { checks: [{ name: "Connection", outcome: "fail" }] } });
  });

  test("trouble on the way is tried again, and leaves a verified connection verified", async () => {
    await gam.addFault({ kind: "unavailable" });
    const { id, outcome, job, connection } = await test_();
    expect(outcome).toEqual({ next: "later", delayMs: 3_000 });
    expect(job).toMatchObject({ state: "queued", error: { code: "server_error" } });
    expect(connection?.status).toBe("verified");
    await gam.clearFaults();
    expect(await run(id, 1)).toEqual({ next: "stop", state: "succeeded" });
    expect((await jobOf(id))?.error).toBeNull();
    await gam.addFault({ kind: "unavailable" });
    const last = await request("connection_test");
    expect(await run(last, 4)).toEqual({ next: "stop", state: "failed" });
  });

  test("a connection saved while it was tested is tested again", async () => {
    const id = await request("connection_test");
    const saving: Executing = { ...executing, driver: (kind) => ({ ...adServerDriver(kind), testConnection: async (call) => {
      await inTenant((tx) => tx.update(adapterConfigs).set({ version: 2, status: "unverified" }).where(eq(adapterConfigs.id, publisher.adapterConfigId)));
      return adServerDriver(kind).testConnection(call);
    } }) };
    expect(await runSyncJob(saving, { tenantId: publisher.tenantId, syncJobId: id, attempt: 0 })).toEqual({ next: "later", delayMs: 1_000 });
    expect((await connectionOf())?.status).toBe("unverified");
    expect(await run(id, 1)).toEqual({ next: "stop", state: "succeeded" });
    expect((await connectionOf())?.status).toBe("verified");
  });

  test.each(["failed", "verified"] as const)("orders that stopped because of the key go on once the test passes, of a connection that was %s", async (status) => {
    const order = await createOrder(publisher);
    await inTenant((tx) => tx.update(fulfilments).set({ state: "blocked", blockedCode: "credentials_refused" }).where(eq(fulfilments.id, order.fulfilmentId)));
    await inTenant((tx) => tx.update(adapterConfigs).set({ status }).where(eq(adapterConfigs.id, publisher.adapterConfigId)));
    await test_();
    const [fulfilment] = await inTenant((tx) => tx.select().from(fulfilments).where(eq(fulfilments.id, order.fulfilmentId)));
    expect(fulfilment).toMatchObject({ state: "pending", desiredVersion: 2 });
  });

  test("credentials that do not open are a readable failure", async () => {
    await inTenant((tx) => tx.update(adapterConfigs).set({ credentialsEncrypted: encryptSecret("{}", "elsewhere") }).where(eq(adapterConfigs.id, publisher.adapterConfigId)));
    const { job } = await test_();
    expect(job).toMatchObject({ state: "failed", error: { code: "credentials_unreadable" } });
  });
});

describe("syncing inventory", () => {
  const inventory = (kind: "ad_unit" | "placement") => inTenant((tx) => tx.select().from(adServerInventory).where(and(eq(adServerInventory.tenantId, publisher.tenantId), eq(adServerInventory.kind, kind))));

  test("mirrors what can be targeted, with its progress; a second sync changes nothing", async () => {
    const id = await request("inventory");
    expect(await run(id)).toEqual({ next: "stop", state: "succeeded" });
    const job = await jobOf(id);
    const advertisers = (await gam.rows("companies")).filter(({ type }) => String(type).endsWith("ADVERTISER")).length;
    expect(job?.counts).toMatchObject({ ad_unit: 43, placement: 8, targeting_key: 12, advertiser: advertisers, retired: 0 });
    expect(job?.phases.map(({ name, state }) => [name, state])).toEqual([["ad_unit", "done"], ["placement", "done"], ["targeting_key", "done"], ["targeting_value", "done"], ["advertiser", "done"]]);
    expect(job?.phases[0]).toMatchObject({ done: 43, total: 43 });
    const before = await inventory("ad_unit");
    expect(before).toHaveLength(43);
    expect(await run(await request("inventory"))).toEqual({ next: "stop", state: "succeeded" });
    expect((await inventory("ad_unit")).length).toBe(43);
  });

  test("what is gone is retired, not deleted; what comes back counts again", async () => {
    const stray = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, kind: "ad_unit", externalId: "999", name: "Old", syncedAt: new Date(0) } as const;
    await inTenant((tx) => tx.insert(adServerInventory).values(stray));
    const id = await request("inventory");
    await run(id);
    expect((await jobOf(id))?.counts.retired).toBe(1);
    const rows = await inventory("ad_unit");
    expect(rows.filter(({ retiredAt }) => retiredAt !== null).map(({ externalId }) => externalId)).toEqual(["999"]);
    const [unit] = rows.filter(({ externalId }) => externalId !== "999");
    await inTenant((tx) => tx.update(adServerInventory).set({ retiredAt: new Date() }).where(eq(adServerInventory.externalId, unit?.externalId ?? "")));
    await run(await request("inventory"));
    expect((await inventory("ad_unit")).find(({ externalId }) => externalId === unit?.externalId)?.retiredAt).toBeNull();
  });

  test("a sync that breaks off retires nothing", async () => {
    await run(await request("inventory"));
    await gam.addFault({ kind: "unavailable", match: { path: "placements" } });
    const id = await request("inventory");
    expect(await run(id)).toEqual({ next: "later", delayMs: 3_000 });
    expect((await inventory("placement")).filter(({ retiredAt }) => retiredAt !== null)).toEqual([]);
    expect((await jobOf(id))?.phases.at(-1)?.state).toBe("failed");
  });

  test("a job whose worker died is taken over when its lease has lapsed, never before", async () => {
    const id = await request("inventory");
    let isInside = false;
    const dying: Executing = { ...executing, driver: (kind) => ({ ...adServerDriver(kind), async *syncInventory() {
      isInside = true;
      yield await new Promise<never>(() => undefined);
    } }) };
    void runSyncJob(dying, { tenantId: publisher.tenantId, syncJobId: id, attempt: 0 });
    await waitFor("the job to run", () => isInside);
    expect((await jobOf(id))?.state).toBe("running");
    expect(await run(id)).toMatchObject({ next: "later" });
    await wakeLostSyncJobs(executing);
    expect(await eventsOf(id)).toHaveLength(1);

    await inTenant((tx) => tx.update(syncJobs).set({ leaseUntil: new Date(Date.now() - 1_000) }).where(eq(syncJobs.id, id)));
    await wakeLostSyncJobs(executing);
    expect((await eventsOf(id)).map(({ eventId }) => eventId).some((eventId) => eventId.includes(":again:"))).toBe(true);
    expect(await run(id)).toEqual({ next: "stop", state: "succeeded" });
  });

  test("one that is interrupted for an hour is ended with words", async () => {
    const id = await request("inventory");
    await inTenant((tx) => tx.update(syncJobs).set({ state: "running", startedAt: new Date(Date.now() - 2 * 3_600_000), leaseUntil: new Date(Date.now() - 1_000), leaseOwner: "gone" }).where(eq(syncJobs.id, id)));
    await wakeLostSyncJobs(executing);
    expect(await jobOf(id)).toMatchObject({ state: "failed", error: { code: "took_too_long" } });
    expect(await run(id)).toEqual({ next: "stop", state: "failed" });
  });

  test("one whose event was lost is asked for again", async () => {
    const id = await request("inventory");
    await wakeLostSyncJobs(executing);
    expect(await eventsOf(id)).toHaveLength(1);
    offsetMs = 5 * 60_000;
    await wakeLostSyncJobs(executing);
    expect(await eventsOf(id)).toHaveLength(2);
  });
});
