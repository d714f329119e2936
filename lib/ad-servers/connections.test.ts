import { generateKeyPairSync } from "node:crypto";
import { and, eq, sql } from "drizzle-orm";
import postgres from "postgres";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { outbox } from "@/lib/events/schema";
import { saveProduct } from "@/lib/products/service";
import { syncJobs } from "@/lib/sync-jobs/schema";
import { tenants } from "@/lib/tenants/schema";
import { useTestDatabase } from "@/test/db";
import { createPublisher, GAM_TARGET, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { decryptSecret } from "../crypto";
import { withTenant } from "../db/client";
import { fieldMessages } from "../field-errors";
import { newId } from "../ids";
import { listConnections, loadConnection } from "./connection-queries";
import { archiveConnection, saveConnection } from "./connections";
import { type ConnectionInput, connectionInput } from "./input";
import { adapterConfigs } from "./schema";

const database = useTestDatabase();

const PEM = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding: { type: "pkcs8", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } }).privateKey;
const keyFile = (changes: Record<string, unknown> = {}) => JSON.stringify({ type: "service_account", client_email: "greenlight@project.iam.gserviceaccount.com", private_key: PEM, private_key_id: "abc", ...changes });
/** A line from the middle of the key: found nowhere but in the ciphertext's plain text. */
const KEY_LINE = PEM.split("\n")[5] ?? "";

let publisher: PublisherFixture;
let other: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
});

let made = 0;
function input(changes: Partial<ConnectionInput> = {}): ConnectionInput {
  made += 1;
  return { name: `Network ${made}`, kind: "google_ad_manager", mode: "simulated", currency: "USD", timeZone: "America/New_York", config: { networkCode: "4711" }, credentials: keyFile(), ...changes };
}

const save = (changes: Partial<ConnectionInput> = {}, tenantId = publisher.tenantId) => asStaff(tenantId, "admin", (ctx) => saveConnection(ctx, input(changes)));
const load = (id: string) => asStaff(publisher.tenantId, "viewer", (ctx) => loadConnection(ctx, id));
const setColumns = (id: string, values: Partial<typeof adapterConfigs.$inferInsert>) => withTenant(publisher.tenantId, (tx) => tx.update(adapterConfigs).set(values).where(and(eq(adapterConfigs.tenantId, publisher.tenantId), eq(adapterConfigs.id, id))));
const jobsOf = (id: string) => withTenant(publisher.tenantId, (tx) => tx.select().from(syncJobs).where(and(eq(syncJobs.tenantId, publisher.tenantId), eq(syncJobs.adapterConfigId, id))));

async function edit(id: string, changes: Partial<ConnectionInput>) {
  const { version, name, kind, mode, currency, timeZone, config } = await load(id);
  return asStaff(publisher.tenantId, "admin", (ctx) => saveConnection(ctx, { id, version, name, kind, mode, currency, timeZone, config, ...changes }));
}

async function finishTests(id: string): Promise<void> {
  await withTenant(publisher.tenantId, (tx) => tx.update(syncJobs).set({ state: "succeeded", finishedAt: new Date() }).where(and(eq(syncJobs.tenantId, publisher.tenantId), eq(syncJobs.adapterConfigId, id))));
  await setColumns(id, { status: "verified", verifiedAt: new Date() });
}

describe("saveConnection", () => {
  test("stores it unverified with its secret sealed, and queues the test in the same transaction", async () => {
    const { id, testJobId } = await save();
    const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(adapterConfigs).where(and(eq(adapterConfigs.tenantId, publisher.tenantId), eq(adapterConfigs.id, id))));
    expect(row).toMatchObject({ status: "unverified", credentialsHint: "greenlight@project.iam.gserviceaccount.com", externalIdUsed: 0, ratePerSecond: 100 });
    expect(row?.externalIdBase).toBeGreaterThan(0);
    expect(row?.externalIdBase).toBeLessThan(2 ** 31 - 2 ** 26);
    expect(row?.credentialsEncrypted).not.toContain(KEY_LINE);
    expect(decryptSecret(row?.credentialsEncrypted ?? "", `adapter_configs:${publisher.tenantId}:${id}`)).toBe(keyFile());
    expect(await jobsOf(id)).toMatchObject([{ id: testJobId, kind: "connection_test", state: "queued", requestedBy: "Test admin" }]);
    const events = await withTenant(publisher.tenantId, (tx) => tx.select().from(outbox).where(and(eq(outbox.tenantId, publisher.tenantId), eq(outbox.name, "greenlight/sync-job.requested"))));
    expect(events.map((event) => event.data.syncJobId)).toContain(testJobId);
  });

  test("the secret is in no result, no audit entry, no event, no job and no log line", async () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => Boolean(lines.push(String(chunk))));
    const results: unknown[] = [];
    try {
      const saved = await save({ name: "Secretive" });
      results.push(saved, await load(saved.id), await asStaff(publisher.tenantId, "admin", (ctx) => listConnections(ctx)));
      results.push(await edit(saved.id, { credentials: keyFile({ client_email: "second@project.iam.gserviceaccount.com" }) }), await lastAudit(publisher.tenantId, "connection"));
      results.push(await failure(save({ credentials: `${keyFile()}}` })));
    } finally {
      vi.restoreAllMocks();
    }
    const admin = postgres(database.adminUrl, { max: 1 });
    const tables = [await admin`select * from audit_log`, await admin`select * from outbox`, await admin`select * from sync_jobs`, await admin`select * from adapter_configs`];
    await admin.end();
    const everything = JSON.stringify([results, tables, lines], (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: String(value.cause) } : value));
    expect(everything).toContain("second@project.iam.gserviceaccount.com");
    expect(everything).not.toContain(KEY_LINE);
    expect(everything).not.toContain("PRIVATE KEY");
    expect(JSON.stringify(results)).not.toContain("v1.");
  });

  test("credentials, network, currency or zone make it unverified again; a name does not", async () => {
    const { id } = await save({ name: "Changing" });
    for (const [changes, isTested] of [
      [{ name: "Renamed", ratePerSecond: 5 }, false],
      [{ timeZone: "Europe/Berlin" }, true],
      [{ currency: "EUR" }, true],
      [{ config: { networkCode: "4712" } }, true],
      [{ credentials: keyFile({ client_email: "third@project.iam.gserviceaccount.com" }) }, true],
    ] satisfies [Partial<ConnectionInput>, boolean][]) {
      await finishTests(id);
      const saved = await edit(id, changes);
      expect({ changes, isTested: saved.testJobId !== null, status: (await load(id)).status }).toEqual({ changes, isTested, status: isTested ? "unverified" : "verified" });
    }
    expect(await load(id)).toMatchObject({ name: "Renamed", ratePerSecond: 5, currency: "EUR", timeZone: "Europe/Berlin", credentialsHint: "third@project.iam.gserviceaccount.com" });
    expect(await lastAudit(publisher.tenantId, "connection")).toMatchObject({ action: "connection.updated", summary: "Changed connection “Renamed” and replaced its credentials", before: { credentials: "greenlight@project.iam.gserviceaccount.com" } });
  });

  test.each([
    ["-----BEGIN PRIVATE KEY-----", /not a JSON key file/],
    ["{\"type\": \"service_account\"", /not a JSON key file/],
    [keyFile({ type: "authorized_user" }), /service account/],
    [keyFile({ private_key: undefined }), /private_key/],
    [keyFile({ private_key: "abc" }), /private_key/],
    [keyFile({ client_email: "nobody" }), /client_email/],
    ["", /Paste the key/],
  ])("a malformed key is refused in words: %#", async (credentials, message) => {
    const error = await failure(save({ credentials }));
    expect(error.code).toBe("VALIDATION_ERROR");
    expect(fieldMessages(error).credentials).toMatch(message);
    expect(error.message).not.toContain(KEY_LINE);
  });

  test("forms are checked with every mistake named", async () => {
    const error = await failure(save({ config: { networkCode: "my network" }, credentials: "nonsense" }));
    expect(Object.keys(fieldMessages(error)).sort()).toEqual(["config.networkCode", "credentials"]);
    expect(fieldMessages(await failure(save({ kind: "no_such_server" }))).kind).toBe("Choose an ad server.");
    await save({ name: "Taken" });
    expect(fieldMessages(await failure(save({ name: "taken" }))).name).toBe("Another connection has this name.");
    const parsed = connectionInput.safeParse(input({ currency: "dollars", timeZone: "Mars/Olympus", ratePerSecond: 0 }));
    expect(parsed.error?.issues.map((issue) => issue.path.join(".")).sort()).toEqual(["currency", "ratePerSecond", "timeZone"]);
  });

  test("a demo has no live connections, and no connection changes its world", async () => {
    expect(fieldMessages(await failure(save({ mode: "live" }))).mode).toContain("Demo mode");
    const { id } = await save({ name: "For ever" });
    expect(fieldMessages(await failure(edit(id, { mode: "live" }))).mode).toContain("two things for ever");
    await expect(setColumns(id, { mode: "live" })).rejects.toThrow();
    await withTenant(other.tenantId, (tx) => tx.update(tenants).set({ isDemo: true }).where(eq(tenants.id, other.tenantId)));
    expect((await failure(save({ mode: "live" }, other.tenantId))).code).toBe("VALIDATION_ERROR");
  });

  test("two people saving at once: the second is told", async () => {
    const { id, version } = await save({ name: "Contested" });
    await edit(id, { name: "First" });
    expect((await failure(edit(id, { version, name: "Second" }))).code).toBe("CONFLICT");
    expect((await load(id)).name).toBe("First");
  });

  test("a network that holds orders, and a currency that products are priced in, stay", async () => {
    const { id } = await save({ name: "In use" });
    await finishTests(id);
    await asStaff(publisher.tenantId, "admin", (ctx) => saveProduct(ctx, {
      productId: "in_use", name: "In use", description: "In use.", channels: ["display"], formatIds: ["display_300x250_image"], deliveryType: "guaranteed", reviewRule: "inherit", collections: "",
      pricingOptions: [{ pricingOptionId: "", pricingModel: "cpm", currency: "USD", priceType: "fixed", price: "3", minSpend: "" }], targets: [{ adapterConfigId: id, config: GAM_TARGET }],
    }));
    expect(fieldMessages(await failure(edit(id, { currency: "EUR" }))).currency).toContain("priced");
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => archiveConnection(ctx, { id })))).userMessage).toContain("1 product is mapped");
    const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
    await admin.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`insert into fulfilments (tenant_id, id, media_buy_id, adapter_config_id, desired_version) values (${publisher.tenantId}, ${newId()}, ${newId()}, ${id}, 1)`;
    });
    await admin.end();
    expect(fieldMessages(await failure(edit(id, { config: { networkCode: "9999" } }))).config).toContain("4711");
    expect((await load(id)).openOrderCount).toBe(1);
  });
});

describe("doors", () => {
  test("only an administrator changes a connection; a viewer may look", async () => {
    const { id } = await save({ name: "Guarded" });
    for (const role of ["trafficker", "viewer"] as const) {
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => saveConnection(ctx, input())))).code).toBe("PERMISSION_DENIED");
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => archiveConnection(ctx, { id })))).code).toBe("PERMISSION_DENIED");
      expect(await asStaff(publisher.tenantId, role, (ctx) => loadConnection(ctx, id))).toMatchObject({ name: "Guarded" });
    }
  });

  test("another publisher's connection, and an id that is none, are not found", async () => {
    for (const id of [other.adapterConfigId, newId(), "nonsense"]) {
      expect((await failure(load(id))).code).toBe("REFERENCE_NOT_FOUND");
      expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => archiveConnection(ctx, { id })))).code).toBe("REFERENCE_NOT_FOUND");
      expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveConnection(ctx, input({ id, version: 1 }))))).code).toBe("REFERENCE_NOT_FOUND");
    }
    const listed = await asStaff(publisher.tenantId, "viewer", (ctx) => listConnections(ctx));
    expect(listed.map((connection) => connection.id)).not.toContain(other.adapterConfigId);
  });
});

test("an archived connection leaves the list", async () => {
  const { id } = await save({ name: "Old" });
  await asStaff(publisher.tenantId, "admin", (ctx) => archiveConnection(ctx, { id }));
  expect((await asStaff(publisher.tenantId, "viewer", (ctx) => listConnections(ctx))).map((connection) => connection.id)).not.toContain(id);
  expect((await load(id)).archivedAt).not.toBeNull();
  const [count] = await withTenant(publisher.tenantId, (tx) => tx.execute(sql`select count(*)::int as n from adapter_configs where id = ${id}`));
  expect(count).toEqual({ n: 1 });
});
