import { and, eq } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adapterConfigs, adServerInventory } from "@/lib/ad-servers/schema";
import { workflowSteps } from "@/lib/approvals/schema";
import { outbox } from "@/lib/events/schema";
import { fulfilments } from "@/lib/fulfilment/schema";
import { mediaBuys } from "@/lib/media-buys/schema";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { type AccountListInput, listAccountAdvertisers, mapAdvertiser, unmapAdvertiser } from "./advertisers";
import { accountAdvertisers, accounts } from "./schema";

useTestDatabase();

let publisher: PublisherFixture;
let other: PublisherFixture;
let liveConnectionId: string;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  for (const { tenantId, adapterConfigId } of [publisher, other]) {
    await withTenant(tenantId, (tx) => tx.insert(adServerInventory).values([
      { tenantId, adapterConfigId, kind: "advertiser", externalId: "501", name: "Acme Inc.", syncedAt: new Date() },
      { tenantId, adapterConfigId, kind: "advertiser", externalId: "502", name: "Former client", syncedAt: new Date(), retiredAt: new Date() },
    ]));
  }
  liveConnectionId = newId();
  await withTenant(publisher.tenantId, (tx) => tx.insert(adapterConfigs).values({
    tenantId: publisher.tenantId, id: liveConnectionId, kind: "google_ad_manager", name: "Live network", mode: "live", currency: "USD", timeZone: "UTC", config: { networkCode: "1" }, ratePerSecond: 2, externalIdBase: 1,
  }));
});

async function makeAccount({ tenantId, principal }: PublisherFixture, changes: Partial<typeof accounts.$inferInsert> = {}): Promise<string> {
  const id = newId();
  await withTenant(tenantId, (tx) => tx.insert(accounts).values({ tenantId, id, principalId: principal.id, brandDomain: `${id}.example`, operator: "agency.example", name: "Acme Outdoor", isSandbox: true, ...changes }));
  return id;
}

/** An order of this account that stopped for want of an advertiser. */
async function makeBlockedOrder(accountId: string): Promise<string> {
  const { tenantId, adapterConfigId, principal } = publisher;
  const mediaBuyId = newId();
  const fulfilmentId = newId();
  await withTenant(tenantId, async (tx) => {
    await tx.insert(mediaBuys).values({ tenantId, id: mediaBuyId, principalId: principal.id, accountId, status: "pending_start", name: "Waiting", currency: "USD", budgetMicros: 1n, startsAt: new Date("2030-01-01"), endsAt: new Date("2030-02-01"), isSandbox: true, confirmedAt: new Date(), rawRequest: {} });
    await tx.insert(fulfilments).values({ tenantId, id: fulfilmentId, mediaBuyId, adapterConfigId, state: "blocked", desiredVersion: 1, blockedCode: "choose_advertiser", blockedReason: "Choose an advertiser." });
    await tx.insert(workflowSteps).values({ tenantId, id: newId(), kind: "fulfilment_blocked", state: "pending", mediaBuyId, fulfilmentId, payload: { code: "choose_advertiser", reason: "Choose an advertiser.", choices: [] } });
  });
  return fulfilmentId;
}

const map = (input: { accountId: string; adapterConfigId?: string; externalAdvertiserId?: string; seen?: string | null }, role: "admin" | "trafficker" | "viewer" = "trafficker") =>
  asStaff(publisher.tenantId, role, (ctx) => mapAdvertiser(ctx, { adapterConfigId: publisher.adapterConfigId, externalAdvertiserId: "501", seen: null, ...input }));
const list = (query: Partial<AccountListInput> = {}, tenantId = publisher.tenantId) =>
  asStaff(tenantId, "viewer", (ctx) => listAccountAdvertisers(ctx, { search: "", show: "all", sort: "name", direction: "asc", page: 1, pageSize: 100, ...query }));

let accountId: string;
beforeEach(async () => {
  accountId = await makeAccount(publisher);
});

describe("mapAdvertiser", () => {
  test("stores the advertiser with its name, and says so in the audit", async () => {
    expect(await map({ accountId })).toEqual({ advertiserName: "Acme Inc.", retried: 0 });
    const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(accountAdvertisers).where(eq(accountAdvertisers.accountId, accountId)));
    expect(row).toMatchObject({ externalAdvertiserId: "501", advertiserName: "Acme Inc." });
    expect(await lastAudit(publisher.tenantId, "account")).toMatchObject({ action: "account.advertiser_mapped", after: { advertiserId: "501" } });
  });

  test("an order that waited for it goes on", async () => {
    const fulfilmentId = await makeBlockedOrder(accountId);
    const untouched = await makeBlockedOrder(await makeAccount(publisher));
    expect(await map({ accountId })).toMatchObject({ retried: 1 });
    const state = async (id: string) => (await withTenant(publisher.tenantId, (tx) => tx.select({ state: fulfilments.state }).from(fulfilments).where(eq(fulfilments.id, id))))[0]?.state;
    expect(await state(fulfilmentId)).not.toBe("blocked");
    expect(await state(untouched)).toBe("blocked");
    const events = await withTenant(publisher.tenantId, (tx) => tx.select().from(outbox).where(and(eq(outbox.tenantId, publisher.tenantId), eq(outbox.name, "greenlight/fulfilment.changed"))));
    expect(events.map((event) => event.data.fulfilmentId)).toEqual([fulfilmentId]);
  });

  test("only advertisers of the last sync can be chosen", async () => {
    for (const externalAdvertiserId of ["999", "502"]) {
      expect(await failure(map({ accountId, externalAdvertiserId }))).toMatchObject({ code: "VALIDATION_ERROR", field: "externalAdvertiserId" });
    }
  });

  test("a sandbox account never gets an advertiser in a live ad server, nor a real one in a simulated", async () => {
    expect(await failure(map({ accountId, adapterConfigId: liveConnectionId }))).toMatchObject({ code: "VALIDATION_ERROR", field: "adapterConfigId" });
    const realId = await makeAccount(publisher, { isSandbox: false });
    expect(await failure(map({ accountId: realId }))).toMatchObject({ code: "VALIDATION_ERROR", field: "adapterConfigId" });
  });

  test("another publisher's account and connection do not exist", async () => {
    expect((await failure(map({ accountId: await makeAccount(other) }))).code).toBe("ACCOUNT_NOT_FOUND");
    expect((await failure(map({ accountId, adapterConfigId: other.adapterConfigId }))).code).toBe("REFERENCE_NOT_FOUND");
  });

  test("a viewer may not", async () => {
    expect((await failure(map({ accountId }, "viewer"))).code).toBe("PERMISSION_DENIED");
    expect((await failure(asStaff(publisher.tenantId, "viewer", (ctx) => unmapAdvertiser(ctx, { accountId, adapterConfigId: publisher.adapterConfigId, seen: "501" })))).code).toBe("PERMISSION_DENIED");
  });

  test("of two people who choose, the second is told", async () => {
    await map({ accountId });
    expect(await failure(map({ accountId }))).toMatchObject({ code: "CONFLICT", details: { hasChangedSinceOpened: true } });
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => unmapAdvertiser(ctx, { accountId, adapterConfigId: publisher.adapterConfigId, seen: "777" })))).code).toBe("CONFLICT");
    expect(await map({ accountId, seen: "501" })).toMatchObject({ advertiserName: "Acme Inc." });
  });

  test("a mapping can be changed and taken back, once", async () => {
    await map({ accountId });
    await asStaff(publisher.tenantId, "admin", (ctx) => unmapAdvertiser(ctx, { accountId, adapterConfigId: publisher.adapterConfigId, seen: "501" }));
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => unmapAdvertiser(ctx, { accountId, adapterConfigId: publisher.adapterConfigId, seen: "501" })))).code).toBe("CONFLICT");
    const row = (await list()).rows.find((account) => account.id === accountId);
    expect(row?.advertisers.map(({ connection, advertiser }) => [connection.name, advertiser])).toEqual([["Ad Manager", null]]);
  });
});

describe("listAccountAdvertisers", () => {
  test("a sandbox account shows simulated connections, a real one live ones", async () => {
    const realId = await makeAccount(publisher, { isSandbox: false, name: "Real Brand" });
    await map({ accountId });
    const { rows } = await list();
    expect(rows.find((row) => row.id === accountId)?.advertisers).toMatchObject([{ connection: { name: "Ad Manager" }, advertiser: { name: "Acme Inc.", isRetired: false } }]);
    expect(rows.find((row) => row.id === realId)?.advertisers.map((entry) => entry.connection.name)).toEqual(["Live network"]);
  });

  test("finds by name, domain and buyer, and those that lack an advertiser", async () => {
    const mapped = await makeAccount(publisher, { name: "Zebra mapped", brandDomain: "zebra.example" });
    const unmapped = await makeAccount(publisher, { name: "Zebra unmapped", brandDomain: "zebra2.example" });
    await map({ accountId: mapped });
    expect(await list({ search: "zebra" })).toMatchObject({ total: 2, counts: { all: 2, unmapped: 1 } });
    expect((await list({ search: "zebra2" })).rows.map((row) => row.id)).toEqual([unmapped]);
    expect((await list({ search: "zebra", show: "unmapped" })).rows.map((row) => row.id)).toEqual([unmapped]);
    expect((await list({ search: "pinnacle" })).total).toBeGreaterThan(1);
    expect(await list({ search: "zebra" }, other.tenantId)).toMatchObject({ rows: [], total: 0 });
  });
});
