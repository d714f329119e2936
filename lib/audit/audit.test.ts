import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure } from "@/test/staff";
import { type Actor } from "../context";
import { withTenant } from "../db/client";
import { newId, toWireId } from "../ids";
import { createLog } from "../log";
import { changesOf, fieldWords } from "./changes";
import { type AuditFilter, listAudit, listAuditActors } from "./queries";
import { type AuditEntry, recordAudit } from "./service";

useTestDatabase();
let publisher: PublisherFixture;
beforeEach(async () => {
  publisher = await createPublisher();
});

const ada: Actor = { kind: "user", userId: newId(), label: "Ada", role: "admin" };
const acme: Actor = { kind: "principal", principalId: newId(), label: "Acme", isSandbox: false };
const system: Actor = { kind: "system", label: "Greenlight" };
const entry = (over: Partial<AuditEntry> = {}): AuditEntry => ({ action: "product.updated", objectKind: "product", objectId: newId(), summary: "Changed it", ...over });
const record = (actor: Actor, over: Partial<AuditEntry> = {}, at = publisher, now = new Date()) => withTenant(at.tenantId, (db) => recordAudit({ db, tenantId: at.tenantId, actor, now, log: createLog() }, entry(over)));
const EVERYTHING: AuditFilter = { who: "", kind: null, object: "", from: "", to: "", timeZone: "Europe/London", before: null };
const list = (over: Partial<AuditFilter> = {}) => asStaff(publisher.tenantId, "admin", (ctx) => listAudit(ctx, { ...EVERYTHING, ...over }));
const summaries = async (over: Partial<AuditFilter> = {}) => (await list(over)).rows.map(({ summary }) => summary);

describe("the audit log", () => {
  test("is filtered by person, buyer, kind, thing and days, newest first", async () => {
    const [product, order] = [newId(), newId()];
    await record(ada, { summary: "by Ada", objectId: product });
    await record(acme, { summary: "an order", objectKind: "media_buy", objectId: order, mediaBuyId: order });
    await record(system, { summary: "its execution", objectKind: "fulfilment", mediaBuyId: order });
    await record(system, { summary: "long ago", objectKind: "connection" }, publisher, new Date("2026-03-29T23:30:00Z"));
    expect(await summaries()).toEqual(["long ago", "its execution", "an order", "by Ada"]);
    expect(await summaries({ who: `person:${ada.userId}` })).toEqual(["by Ada"]);
    expect(await summaries({ who: `buyer:${acme.principalId}` })).toEqual(["an order"]);
    expect(await summaries({ who: `person:${acme.principalId}` })).toEqual([]);
    expect(await summaries({ who: "system" })).toEqual(["long ago", "its execution"]);
    expect(await summaries({ kind: "product" })).toEqual(["by Ada"]);
    expect(await summaries({ kind: "media_buy" })).toEqual(["an order"]);
    expect(await summaries({ object: product })).toEqual(["by Ada"]);
    for (const id of [order, toWireId("mediaBuy", order), ` ${order} `]) expect(await summaries({ object: id })).toEqual(["its execution", "an order"]);
    for (const nothing of [{ object: "mb_nope" }, { object: newId() }, { who: "nobody" }, { who: "person:x" }]) expect(await summaries(nothing)).toEqual([]);
    // Half past midnight of the 30th in London, where summer time has begun.
    expect(await summaries({ from: "2026-03-30", to: "2026-03-30" })).toEqual(["long ago"]);
    expect(await summaries({ from: "2026-03-29", to: "2026-03-29", timeZone: "UTC" })).toEqual(["long ago"]);
    expect(await summaries({ to: "2026-03-29" })).toEqual([]);
  });

  test("comes in pages that neither repeat nor leave out", async () => {
    for (let count = 0; count < 60; count += 1) await record(ada, { summary: String(count) });
    const first = await list();
    await record(ada, { summary: "meanwhile" });
    const second = await list({ before: first.older });
    expect([...first.rows, ...second.rows].map(({ summary }) => summary)).toEqual(Array.from({ length: 60 }, (_, index) => String(59 - index)));
    expect([first.rows.length, second.older]).toEqual([50, null]);
  });

  test("shows no secret, whoever wrote one into it", async () => {
    await record(ada, { summary: "Issued gl_0123456789abcdef0123456789", before: { password: "hunter2", nested: { api_key: "k-1" } }, after: { note: "Bearer abcdefghijkl", name: "fine" } });
    const text = JSON.stringify(await list());
    for (const secret of ["gl_0123456789abcdef", "hunter2", "k-1", "abcdefghijkl"]) expect(text).not.toContain(secret);
    expect(text).toContain("fine");
  });

  test("is this publisher's administrators' alone, and cannot be rewritten", async () => {
    const other = await createPublisher();
    await record(ada, { summary: "elsewhere" }, other);
    expect(await summaries()).toEqual([]);
    for (const role of ["trafficker", "viewer"] as const) {
      expect((await failure(asStaff(publisher.tenantId, role, (ctx) => listAudit(ctx, EVERYTHING)))).code).toBe("PERMISSION_DENIED");
      expect((await failure(asStaff(publisher.tenantId, role, listAuditActors))).code).toBe("PERMISSION_DENIED");
    }
    for (const statement of [sql`update audit_log set summary = 'x'`, sql`delete from audit_log`]) await expect(withTenant(other.tenantId, (db) => db.execute(statement))).rejects.toThrow();
  });
});

describe("what changed", () => {
  test("is told field by field, without what stayed", () => {
    const before = { name: "A", isReviewRequired: false, prices: [{ id: "p", amount: "5" }], channels: ["display"], gone: "x" };
    const after = { name: "A", isReviewRequired: true, prices: [{ id: "p", amount: "6" }], channels: ["display", "video"], fresh: "" };
    expect(changesOf(before, after)).toEqual({
      left: 0,
      changes: [
        { field: "isReviewRequired", before: "no", after: "yes" }, { field: "prices.0.amount", before: "5", after: "6" }, { field: "channels", before: "display", after: "display, video" },
        { field: "gone", before: "x", after: null }, { field: "fresh", before: null, after: "(empty)" },
      ],
    });
    expect(changesOf(null, { role: "viewer" }).changes).toEqual([{ field: "role", before: null, after: "viewer" }]);
    expect(changesOf(null, null)).toEqual({ changes: [], left: 0 });
    expect(changesOf(null, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, index]))).left).toBe(10);
  });

  test.each([["isReviewRequired", "is review required"], ["prices.0.minSpend", "prices › 0 › min spend"], ["status_reason", "status reason"]])("%s reads “%s”", (field, words) => expect(fieldWords(field)).toBe(words));
});
