import { eq } from "drizzle-orm";
import postgres from "postgres";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { outbox } from "@/lib/events/schema";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { decryptSecret } from "../crypto";
import { withTenant } from "../db/client";
import { listStaffDeliveries, loadSettings, saveSettings, saveStaffWebhook, sendStaffTestMessage, settingsInput } from "./settings";
import { tenants } from "./schema";

const database = useTestDatabase();

const URL = "https://hooks.slack.com/services/T0001/B0002/secretpartXyZ9";
let publisher: PublisherFixture;
let other: PublisherFixture;
beforeAll(async () => {
  other = await createPublisher();
});
beforeEach(async () => {
  publisher = await createPublisher();
});

const SETTINGS = { timeZone: "Asia/Tokyo", isReviewRequired: true, creativeReview: "third_party" as const, isAdvertiserCreationAllowed: false, isOverbookingAllowed: true, decisionTimeMinutes: 240 };
const saveUrl = (url: string | null) => asStaff(publisher.tenantId, "admin", async (ctx) => saveStaffWebhook(ctx, { url, seen: (await loadSettings(ctx)).staffWebhookHint }));
const save = (changes: Partial<typeof SETTINGS> = {}) => asStaff(publisher.tenantId, "admin", async (ctx) => saveSettings(ctx, { ...SETTINGS, ...changes, version: (await loadSettings(ctx)).version }));
const load = (tenantId = publisher.tenantId) => asStaff(tenantId, "viewer", (ctx) => loadSettings(ctx));

describe("settings", () => {
  test("are saved for this publisher alone, with before and after", async () => {
    await save();
    expect(await load()).toMatchObject(SETTINGS);
    expect(await load(other.tenantId)).toMatchObject({ timeZone: "Europe/London", isReviewRequired: false });
    expect(await lastAudit(publisher.tenantId, "publisher")).toMatchObject({ action: "settings.updated", before: { timeZone: "Europe/London", isReviewRequired: false }, after: SETTINGS });
  });

  test("that somebody else saved since are not overwritten, by whoever is second", async () => {
    const { version } = await load();
    await save({ decisionTimeMinutes: 30 });
    const second = await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveSettings(ctx, { ...SETTINGS, version })));
    expect(second).toMatchObject({ code: "CONFLICT", details: { hasChangedSinceOpened: true } });
    expect(await load()).toMatchObject({ decisionTimeMinutes: 30 });
    const opened = (await load()).version;
    const both = await Promise.allSettled([60, 90].map((decisionTimeMinutes) => asStaff(publisher.tenantId, "admin", (ctx) => saveSettings(ctx, { ...SETTINGS, decisionTimeMinutes, version: opened }))));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await saveUrl(URL);
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => saveStaffWebhook(ctx, { url: "https://hooks.slack.com/services/other", seen: null })))).code).toBe("CONFLICT");
  });

  test("are an administrator's", async () => {
    for (const role of ["trafficker", "viewer"] as const) {
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => saveSettings(ctx, { ...SETTINGS, version: "" })))).code).toBe("PERMISSION_DENIED");
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => saveStaffWebhook(ctx, { url: URL, seen: null })))).code).toBe("PERMISSION_DENIED");
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => sendStaffTestMessage(ctx)))).code).toBe("PERMISSION_DENIED");
    }
  });

  test("zones are names, times are bounded", () => {
    for (const changes of [{ timeZone: "+02:00" }, { timeZone: "Europe/Atlantis" }, { timeZone: "" }, { decisionTimeMinutes: 5 }, { decisionTimeMinutes: 1e6 }, { decisionTimeMinutes: 20.5 }]) {
      expect(settingsInput.safeParse({ ...SETTINGS, ...changes }).success, JSON.stringify(changes)).toBe(false);
    }
    for (const timeZone of ["UTC", "America/Argentina/Buenos_Aires", "Asia/Tokyo"]) expect(settingsInput.safeParse({ ...SETTINGS, timeZone }).success, timeZone).toBe(true);
  });
});

describe("the staff webhook", () => {
  test("is stored sealed and shown as host and last characters", async () => {
    expect(await saveUrl(URL)).toEqual({ hint: "hooks.slack.com …XyZ9" });
    const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(tenants).where(eq(tenants.id, publisher.tenantId)));
    expect(decryptSecret(row?.staffWebhookEncrypted ?? "", `tenants:${publisher.tenantId}:staff_webhook`)).toBe(URL);
    const settings = await load();
    expect(settings.staffWebhookHint).toBe("hooks.slack.com …XyZ9");
    const admin = postgres(database.adminUrl, { max: 1 });
    const stored = JSON.stringify([await admin`select * from tenants`, await admin`select * from audit_log`, await admin`select * from outbox`, settings]);
    await admin.end();
    expect(stored).not.toContain("secretpart");
  });

  test("can be removed", async () => {
    await saveUrl(URL);
    expect(await saveUrl(null)).toEqual({ hint: null });
    expect(await load()).toMatchObject({ staffWebhookHint: null });
    expect(await lastAudit(publisher.tenantId, "publisher")).toMatchObject({ action: "settings.staff_webhook_removed", before: { staffWebhook: "hooks.slack.com …XyZ9" } });
  });

  test.each(["not an address", "ftp://hooks.slack.com/x", "https://10.0.0.5/x", "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/x", "https://user:pass@hooks.slack.com/x"])("refuses %s", async (url) => {
    expect(await failure(saveUrl(url))).toMatchObject({ code: "VALIDATION_ERROR", field: "url" });
  });

  test("a test message is queued, in words, and its fate can be seen", async () => {
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => sendStaffTestMessage(ctx)))).code).toBe("INVALID_STATE");
    await saveUrl(URL);
    await asStaff(publisher.tenantId, "admin", (ctx) => sendStaffTestMessage(ctx));
    const [delivery] = await asStaff(publisher.tenantId, "viewer", (ctx) => listStaffDeliveries(ctx));
    expect(delivery).toMatchObject({ state: "pending", attempts: 0 });
    const events = await withTenant(publisher.tenantId, (tx) => tx.select().from(outbox).where(eq(outbox.name, "greenlight/webhook.queued")));
    expect(events.map((event) => event.data.deliveryId)).toEqual([delivery?.id]);
    expect(await asStaff(other.tenantId, "viewer", (ctx) => listStaffDeliveries(ctx))).toEqual([]);
  });
});
