import { asc, eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, callRest, rpc } from "@/test/fixtures/door";
import { createBuyer, createPublisher, mapHost, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff } from "@/test/staff";
import { principals } from "../buyers/schema";
import { issueToken, revokeToken } from "../buyers/token-service";
import { withTenant } from "../db/client";
import { purgeBuyerCalls } from "../housekeeping";
import { newId, toWireId } from "../ids";
import { addMs, DAY_MS, MINUTE_MS } from "../time";
import { bufferCall, takeWaiting } from "./buffer";
import { flushCalls } from "./flush";
import { redactRequest, redactText } from "./redact";
import { buyerCalls } from "./schema";

const database = useTestDatabase();
let publisher: PublisherFixture;
beforeEach(async () => {
  publisher = await createPublisher();
});
afterEach(async () => {
  await flushCalls({ isEverything: true });
});

async function recorded(tenantId = publisher.tenantId) {
  await flushCalls({ isEverything: true });
  return withTenant(tenantId, (tx) => tx.select().from(buyerCalls).where(eq(buyerCalls.tenantId, tenantId)).orderBy(asc(buyerCalls.id)));
}
const buyer = (caller: { token?: string } = {}) => ({ token: publisher.token, ...caller });

describe("a buyer's call", () => {
  test("that fails is kept with what was sent, why it failed and what to do, and without credentials", async () => {
    const secret = "gl_0123456789abcdefghijklmnop";
    const answer = await callRest("create_media_buy", {
      buyer_ref: "order-1", brand: { domain: "acme.example" }, packages: [], start_time: "asap", end_time: "2030-01-01T00:00:00Z", idempotency_key: "key-0123456789abcdef",
      push_notification_config: { url: "https://u:pw@buyer.example/hook?key=hidden", token: "t".repeat(40), authentication: { schemes: ["Bearer"], credentials: "c".repeat(40) } }, ext: { note: `see ${secret}` },
    }, buyer());
    expect(answer.isError).toBe(true);
    const [call, ...others] = await recorded();
    expect(others).toEqual([]);
    const error = asObject(answer.body.adcp_error);
    expect(call).toMatchObject({ principalId: publisher.principal.id, tokenId: publisher.session.tokenId, tool: "create_media_buy", transport: "rest", outcome: error.code, message: error.message, calls: 1, tokenPrefix: null, refusal: null });
    expect(call?.suggestion).toBeTruthy();
    expect(call?.durationMs).toBeGreaterThan(0);
    expect(call?.request).toMatchObject({ brand: { domain: "acme.example" }, idempotency_key: "key-0123456789abcdef" });
    for (const hidden of [secret, "ttttt", "ccccc", "u:pw", "hidden"]) expect(JSON.stringify(call)).not.toContain(hidden);
  });

  test("that succeeds is kept without its content; a read is written once a minute and then counted", async () => {
    for (let call = 0; call < 5; call += 1) expect((await rpc("tools/call", { name: "list_accounts", arguments: {} }, buyer())).status).toBe(200);
    const calls = await recorded();
    expect(calls.reduce((sum, call) => sum + call.calls, 0)).toBe(5);
    expect(calls.length).toBeLessThanOrEqual(4);
    expect(calls.every((call) => call.outcome === "ok" && call.request === null && call.transport === "mcp")).toBe(true);
  });

  test("names the account and the order that it was about", async () => {
    const mediaBuyId = newId();
    await callRest("sync_accounts", { idempotency_key: "key-0123456789abcdef", accounts: [{ brand: { domain: "acme.example" }, operator: "agency.example", billing: "operator" }] }, buyer());
    await callRest("update_media_buy", { account: { brand: { domain: "acme.example" }, operator: "agency.example" }, media_buy_id: toWireId("mediaBuy", mediaBuyId), paused: true, idempotency_key: "key-0123456789abcde2" }, buyer());
    const call = (await recorded()).at(-1);
    expect(call).toMatchObject({ tool: "update_media_buy", outcome: "MEDIA_BUY_NOT_FOUND", mediaBuyId });
    expect(call?.accountId).not.toBeNull();
  });

  test("of a visitor without a token is kept only when it fails", async () => {
    await mapHost(database.adminUrl, publisher.tenantId, `${publisher.slug}.sales.example`);
    const host = { host: `${publisher.slug}.sales.example` };
    await callRest("get_adcp_capabilities", {}, host);
    await callRest("list_accounts", {}, host);
    expect(await recorded()).toEqual([expect.objectContaining({ tool: "list_accounts", outcome: "AUTH_REQUIRED", principalId: null, tokenId: null, request: null })]);
  });

  test("is seen by its own publisher alone", async () => {
    const other = await createPublisher();
    await callRest("list_accounts", { pagination: "wrong" }, buyer());
    expect(await recorded(other.tenantId)).toEqual([]);
    expect(await recorded()).toHaveLength(1);
  });
});

describe("a refused token", () => {
  test("is put down to the buyer whose it was, with why it no longer works", async () => {
    const { id } = (await createBuyer(publisher.tenantId)).principal;
    const { token, tokenId } = await asStaff(publisher.tenantId, "admin", (ctx) => issueToken(ctx, { principalId: id, name: "", scopes: ["*"], expiresAt: null }));
    await asStaff(publisher.tenantId, "admin", (ctx) => revokeToken(ctx, { tokenId }));
    expect((await callRest("get_products", { brief: "news" }, { token })).status).toBe(401);
    expect((await rpc("initialize", {}, { token })).status).toBe(401);
    const calls = await recorded();
    expect(calls).toEqual([expect.objectContaining({ tool: "get_products", transport: "rest" }), expect.objectContaining({ tool: "initialize", transport: "mcp" })]);
    for (const call of calls) expect(call).toMatchObject({ principalId: id, tokenId, refusal: "revoked", outcome: "AUTH_REQUIRED", tokenPrefix: null, request: null });
  });

  test("that nobody issued is put down to the host's publisher, with its first characters only", async () => {
    await mapHost(database.adminUrl, publisher.tenantId, `${publisher.slug}.desk.example`);
    const token = "xyz12345-somebody-elses-secret-token";
    await callRest("get_products", { brief: "news" }, { token, host: `${publisher.slug}.desk.example` });
    await callRest("get_products", { brief: "news" }, { token: "hunter2", host: `${publisher.slug}.desk.example` });
    const calls = await recorded();
    expect(calls.map(({ principalId, tokenPrefix, refusal, request }) => ({ principalId, tokenPrefix, refusal, request }))).toEqual([
      { principalId: null, tokenPrefix: "xyz12345", refusal: "unknown", request: null }, { principalId: null, tokenPrefix: null, refusal: "unknown", request: null },
    ]);
  });

  test("of one publisher at another's host stays with the one that issued it", async () => {
    const other = await createPublisher();
    await mapHost(database.adminUrl, other.tenantId, `${other.slug}.desk.example`);
    expect((await callRest("get_products", { brief: "news" }, { token: publisher.token, host: `${other.slug}.desk.example` })).status).toBe(401);
    expect(await recorded()).toEqual([expect.objectContaining({ principalId: publisher.principal.id, refusal: "elsewhere" })]);
    expect(await recorded(other.tenantId)).toEqual([]);
  });
});

describe("the buffer", () => {
  const call = (at: Date, changes: { outcome?: string } = {}) => ({ tenantId: publisher.tenantId, presented: null, principalId: publisher.principal.id, tokenId: publisher.session.tokenId, tool: "get_products", transport: "mcp", outcome: "INVALID_REQUEST", durationMs: 2, at, ...changes }) as const;

  test("keeps sixty failures of a minute each by itself and counts the rest, none lost", async () => {
    const start = new Date("2030-01-01T12:00:00Z");
    for (let index = 0; index < 500; index += 1) bufferCall(call(addMs(start, index)), true, () => ({ index }), flushCalls);
    bufferCall(call(addMs(start, MINUTE_MS)), true, () => ({ next: "minute" }), flushCalls);
    const rows = await recorded();
    expect(rows).toHaveLength(62);
    expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(501);
    expect(rows.find((row) => row.calls > 1)).toMatchObject({ calls: 440, request: null, durationMs: 2 });
  });

  test("is bounded, and says what it dropped", async () => {
    const start = new Date("2030-01-02T12:00:00Z").getTime();
    for (let index = 0; index < 6_000; index += 1) bufferCall(call(new Date(start + index * MINUTE_MS)), true, null, flushCalls);
    const { rows, dropped } = takeWaiting(true, new Date(start));
    expect(rows).toHaveLength(5_000);
    expect(dropped).toBe(1_000);
  });

  test("keeps what could not be written, and writes it when it can", async () => {
    const principalId = newId();
    bufferCall({ ...call(new Date()), principalId, tokenId: null }, true, null, flushCalls);
    expect(await recorded()).toEqual([]);
    await withTenant(publisher.tenantId, (tx) => tx.insert(principals).values({ tenantId: publisher.tenantId, id: principalId, name: "Late" }));
    expect(await recorded()).toEqual([expect.objectContaining({ principalId })]);
  });
});

test("failed calls are kept for 30 days, answered ones for 14", async () => {
  const now = new Date();
  const row = (outcome: string, days: number) => ({ tenantId: publisher.tenantId, tool: "get_products", transport: "mcp", outcome, durationMs: 1, at: addMs(now, -days * DAY_MS) }) as const;
  await withTenant(publisher.tenantId, (tx) => tx.insert(buyerCalls).values([row("ok", 13), row("ok", 15), row("CONFLICT", 29), row("CONFLICT", 31)]));
  expect(await purgeBuyerCalls(now)).toBe(2);
  expect((await recorded()).map(({ outcome }) => outcome)).toEqual(["ok", "CONFLICT"]);
});

describe("what is kept of a request", () => {
  test("is bounded in every direction", () => {
    const deep = (levels: number): unknown => (levels === 0 ? "end" : { inner: deep(levels - 1) });
    const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`field_${index}`, "x".repeat(5_000)]));
    for (const value of [deep(90), wide, { list: Array.from({ length: 50_000 }, () => wide) }, "text", null, [1, 2]]) {
      expect(JSON.stringify(redactRequest(value)).length).toBeLessThan(17_000);
    }
    expect(redactRequest({ list: Array.from({ length: 25 }, (_, index) => index) })).toEqual({ list: [...Array.from({ length: 20 }, (_, index) => index), "[5 more]"] });
  });

  test("can be stored, whatever it holds", () => {
    expect(redactText("a\u0000b\ud800c")).toBe("a�b�c");
  });
});
