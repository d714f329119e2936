import { eq } from "drizzle-orm";
import postgres from "postgres";
import { beforeAll, describe, expect, test } from "vitest";
import { orderRequest } from "@/test/buyer";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { waitFor } from "@/test/wait";
import { accounts } from "../accounts/schema";
import { auditLog } from "../audit/schema";
import { withTenant } from "../db/client";
import { idempotencyKeys } from "../media-buys/schema";
import { TOOLS } from "./registry";

const database = useTestDatabase();
let publisher: PublisherFixture;
let caller: { token: string };
beforeAll(async () => {
  publisher = await createPublisher();
  caller = { token: publisher.token };
});

const syncAccounts = (key: string, domain: string, extra: Record<string, unknown> = {}) => ({ idempotency_key: key, accounts: [{ brand: { domain }, operator: "op.example", billing: "operator" }], ...extra });

describe("the same key again", () => {
  test("answers what was answered, with this call's context, and does nothing twice", async () => {
    const key = newKey();
    const first = await callMcp("sync_accounts", syncAccounts(key, "replay.example", { context: { attempt: 1 } }), caller);
    expect(first.body.replayed).toBeUndefined();
    const counts = () => withTenant(publisher.tenantId, async (tx) => [await tx.$count(accounts), await tx.$count(auditLog), await tx.$count(idempotencyKeys)]);
    const before = await counts();
    for (const call of [callMcp, callRest]) {
      const again = await call("sync_accounts", syncAccounts(key, "replay.example", { context: { attempt: 2 } }), caller);
      expect(again.body).toEqual({ ...first.body, replayed: true, context: { attempt: 2 } });
    }
    const without = await callMcp("sync_accounts", syncAccounts(key, "replay.example"), caller);
    expect("context" in without.body).toBe(false);
    expect(await counts()).toEqual(before);
  });

  test("gives the same answer on the other door, for every tool that changes something", async () => {
    const account = { brand: { domain: "doors.example" }, operator: "op.example" };
    const order = { ...orderRequest(newKey(), [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]), account };
    const placed = await callMcp("create_media_buy", order, caller);
    const requests: Record<string, Record<string, unknown>> = {
      sync_accounts: syncAccounts(newKey(), "doors.example"),
      sync_creatives: { idempotency_key: newKey(), account, creatives: [imageCreative("c")] },
      create_media_buy: order,
      update_media_buy: { idempotency_key: newKey(), account, media_buy_id: placed.body.media_buy_id, paused: true },
      provide_performance_feedback: { idempotency_key: newKey(), media_buy_id: placed.body.media_buy_id, performance_index: 1.1, measurement_period: { start: "2026-01-01T00:00:00Z", end: "2026-01-31T00:00:00Z" } },
      sync_audiences: { idempotency_key: newKey(), account, audiences: [{ audience_id: "a1", add: [{ external_id: "u-1", hashed_email: "a".repeat(64) }] }] },
      sync_governance: { idempotency_key: newKey(), accounts: [{ account, governance_agents: [{ url: "https://governance.example/mcp", authentication: { schemes: ["Bearer"], credentials: "x".repeat(40) } }] }] },
    };
    expect(Object.keys(requests).sort()).toEqual(TOOLS.filter(({ kind }) => kind === "mutation").map(({ name }) => name).sort());
    for (const [tool, request] of Object.entries(requests)) {
      const mcp = await callMcp(tool, { ...request, context: { door: 1 } }, caller);
      const rest = await callRest(tool, { ...request, context: { door: 2 } }, caller);
      expect([tool, mcp.isError, rest.status]).toEqual([tool, false, 200]);
      expect(rest.body).toEqual({ ...mcp.body, replayed: true, context: { door: 2 } });
    }
  });

  test("with another request is a conflict that gives nothing away", async () => {
    const key = newKey();
    await callMcp("sync_accounts", syncAccounts(key, "secret-brand.example"), caller);
    const conflict = await callMcp("sync_accounts", syncAccounts(key, "other.example", { context: { a: 1 } }), caller);
    expect(errorCode(conflict)).toBe("IDEMPOTENCY_CONFLICT");
    expect(Object.keys(asObject(conflict.body.adcp_error)).sort()).toEqual(["code", "message"]);
    expect(conflict.body).not.toHaveProperty("replayed");
    expect(conflict.body.context).toEqual({ a: 1 });
    expect(JSON.stringify(conflict.body)).not.toContain("secret-brand");
    const rest = await callRest("sync_accounts", syncAccounts(key, "other.example"), caller);
    expect(rest.status).toBe(409);
  });

  test("is the same request with refreshed credentials, and another one with any other change", async () => {
    const account = { brand: { domain: "rotating.example" }, operator: "op.example" };
    const key = newKey();
    const hook = (credentials: string, url = "https://buyer.example/hook") => ({ push_notification_config: { url, authentication: { schemes: ["HMAC-SHA256"], credentials } } });
    const order = orderRequest(key, [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]);
    const place = (extra: Record<string, unknown>) => callMcp("create_media_buy", { ...order, account, ...extra }, caller);
    const first = await place({ ...hook("first-secret-of-32-characters-long") });
    expect(first.body).toMatchObject({ idempotency_key: key });
    const again = await place({ ...hook("other-secret-of-32-characters-long"), context: { attempt: 2 } });
    expect(again.body).toEqual({ ...first.body, replayed: true, context: { attempt: 2 } });
    for (const extra of [hook("first-secret-of-32-characters-long", "https://evil.example/hook"), {}, { ...hook("first-secret-of-32-characters-long"), po_number: "1" }]) expect(errorCode(await place(extra))).toBe("IDEMPOTENCY_CONFLICT");
  });

  test("of any other form than the protocol's is refused by every tool that changes something", async () => {
    for (const tool of TOOLS.filter(({ kind }) => kind === "mutation")) {
      for (const key of [undefined, "too-short-a-key", "sixteen chars ok", `${"x".repeat(256)}`, "ключ-из-16-знаков", 1234567890123456]) {
        const answer = await callRest(tool.name, { idempotency_key: key }, caller);
        expect([tool.name, key, errorCode(answer), JSON.stringify(answer.body).includes("idempotency_key")]).toEqual([tool.name, key, "INVALID_REQUEST", true]);
      }
    }
  });

  test("belongs to one buyer and one account", async () => {
    const key = newKey();
    const other = await createBuyer(publisher.tenantId);
    await callMcp("sync_accounts", syncAccounts(key, "mine.example"), caller);
    const theirs = await callMcp("sync_accounts", syncAccounts(key, "theirs.example"), { token: other.token });
    expect([theirs.isError, theirs.body.replayed]).toEqual([false, undefined]);
    for (const domain of ["one.example", "two.example"]) {
      const answer = await callMcp("sync_creatives", { idempotency_key: key, account: { brand: { domain }, operator: "op.example" }, creatives: [imageCreative("c")] }, caller);
      expect([answer.isError, answer.body.replayed]).toEqual([false, undefined]);
    }
  });

  test("after the window is expired, with its answer or without", async () => {
    const key = newKey();
    await callMcp("sync_accounts", syncAccounts(key, "late.example"), caller);
    const own = eq(idempotencyKeys.key, key);
    await withTenant(publisher.tenantId, (tx) => tx.update(idempotencyKeys).set({ expiresAt: new Date(Date.now() - 1) }).where(own));
    expect(errorCode(await callMcp("sync_accounts", syncAccounts(key, "late.example"), caller))).toBe("IDEMPOTENCY_EXPIRED");
    await withTenant(publisher.tenantId, (tx) => tx.update(idempotencyKeys).set({ response: null }).where(own));
    expect(errorCode(await callMcp("sync_accounts", syncAccounts(key, "late.example"), caller))).toBe("IDEMPOTENCY_EXPIRED");
  });

  test("after an error runs again: errors are not kept, and nothing of the failed attempt is", async () => {
    const key = newKey();
    const account = { brand: { domain: "undone.example" }, operator: "op.example" };
    const request = (width: number) => ({ idempotency_key: key, account, creatives: [imageCreative("undone", { assets: { image: { asset_type: "image", url: "https://a.example/i.png", width, height: 250 } } })] });
    expect(errorCode(await callMcp("sync_creatives", request(301), caller))).toBe("VALIDATION_ERROR");
    const opened = await withTenant(publisher.tenantId, (tx) => tx.$count(accounts, eq(accounts.brandDomain, "undone.example")));
    expect(opened).toBe(0);
    const again = await callMcp("sync_creatives", request(300), caller);
    expect([again.isError, again.body.replayed]).toEqual([false, undefined]);
  });
});

describe("two calls at once with the same key", () => {
  test("do the work once; the second waits and gets the first's answer", async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 6 }, () => callMcp("sync_accounts", syncAccounts(key, "race.example"), caller)));
    expect(answers.map(({ isError }) => isError)).toEqual(answers.map(() => false));
    expect(answers.filter(({ body }) => body.replayed !== true)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => asList(body.accounts)[0]?.account_id)).size).toBe(1);
  });

  test("the second is told to come again when the first takes longer than two seconds", async () => {
    const key = newKey();
    const admin = postgres(database.adminUrl, { max: 1 });
    try {
      await admin.begin(async (tx) => {
        // Another process holds the key in a transaction that has not ended.
        await tx`insert into idempotency_keys (tenant_id, id, principal_id, key, tool, request_hash, expires_at)
                 values (${publisher.tenantId}, gen_random_uuid(), ${publisher.principal.id}, ${key}, 'sync_accounts', 'x', now() + interval '1 day')`;
        const startedAt = performance.now();
        const answer = await callRest("sync_accounts", syncAccounts(key, "busy.example", { context: { a: 1 } }), caller);
        expect([answer.status, errorCode(answer)]).toEqual([503, "SERVICE_UNAVAILABLE"]);
        expect(answer.headers.get("retry-after")).toBe("1");
        expect(answer.body.context).toEqual({ a: 1 });
        expect(performance.now() - startedAt).toBeGreaterThan(1_900);
        // 3.1 has a code of its own for that.
        const newer = await callRest("sync_accounts", syncAccounts(key, "busy.example", { adcp_version: "3.1" }), caller);
        expect([newer.status, errorCode(newer), newer.headers.get("retry-after")]).toEqual([409, "IDEMPOTENCY_IN_FLIGHT", "1"]);
        throw new Error("undo");
      }).catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== "undo") throw error;
      });
      const retry = await waitFor("the key to be free", async () => {
        const answer = await callRest("sync_accounts", syncAccounts(key, "busy.example"), caller);
        return answer.isError ? null : answer;
      });
      expect(retry.body.replayed).toBeUndefined();
    } finally {
      await admin.end();
    }
  });
});
