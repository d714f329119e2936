import { and, eq, sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, callMcp, callRest, errorCode, newKey } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { setRateLimits, setSigningRequired } from "../buyers/policy";
import { loadRateUsage } from "../buyers/rate-queries";
import { rateBuckets } from "../buyers/schema";
import { withTenant, withWorkerRole } from "../db/client";
import { AppError } from "../errors";
import { forgetRateBuckets } from "../housekeeping";
import { newId } from "../ids";
import { forgetLeases, takeCall } from "./rate-limit";

useTestDatabase();

let publisher: PublisherFixture;
let buyer: Awaited<ReturnType<typeof createBuyer>>;
beforeAll(async () => {
  publisher = await createPublisher();
});
beforeEach(async () => {
  buyer = await createBuyer(publisher.tenantId, { name: `Agency ${newId()}` });
});

/** How many calls in a row are let through, up to `most`. */
async function countAllowed(most: number, rateClass: "read" | "write", overrides = {}, tool = "a_tool"): Promise<number> {
  for (let taken = 0; taken < most; taken += 1) {
    try {
      await takeCall(buyer.session, tool, rateClass, overrides);
    } catch (error) {
      expect(error).toMatchObject({ code: "RATE_LIMITED", retryAfterSeconds: expect.any(Number) });
      return taken;
    }
  }
  return most;
}

const bucket = async (tool = "a_tool") => {
  const where = and(eq(rateBuckets.tenantId, publisher.tenantId), eq(rateBuckets.subjectId, buyer.session.tokenId), eq(rateBuckets.tool, tool));
  const [row] = await withTenant(publisher.tenantId, (tx) => tx.select({ version: sql<string>`xmin::text`, taken: rateBuckets.taken, refused: rateBuckets.refused }).from(rateBuckets).where(where));
  return row;
};
const setLimits = (readPerSecond: number | null, writePerSecond: number | null) => asStaff(publisher.tenantId, "admin", async (ctx) => setRateLimits(ctx, { principalId: buyer.principal.id, version: (await loadRateUsage(ctx, buyer.principal.id)).version, readPerSecond, writePerSecond }));
const usage = () => asStaff(publisher.tenantId, "viewer", (ctx) => loadRateUsage(ctx, buyer.principal.id));

describe("the allowance", () => {
  test("of changes is sixty a second and five seconds' worth at once; what came after is refused until there is some again", async () => {
    const startedAt = performance.now();
    const allowed = await countAllowed(10_000, "write");
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(allowed).toBeGreaterThanOrEqual(300);
    expect(allowed).toBeLessThanOrEqual(300 + Math.ceil(seconds * 60));
  });

  test("is shared: what one process took another cannot take again", async () => {
    const slow = { write: 0.001 };
    expect(await countAllowed(100, "write", slow)).toBe(1);
    forgetLeases();
    expect(await countAllowed(100, "write", slow)).toBe(0);
    const rate = { write: 4 };
    const startedAt = performance.now();
    const first = await countAllowed(10, "write", rate, "another_tool");
    forgetLeases();
    const second = await countAllowed(100, "write", rate, "another_tool");
    expect(first + second).toBeLessThanOrEqual(20 + Math.ceil(((performance.now() - startedAt) / 1_000) * 4));
  });

  test("taken by a hundred calls at once is exact", async () => {
    const startedAt = performance.now();
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => Promise.resolve(takeCall(buyer.session, "a_tool", "write", { write: 2 }))));
    const seconds = (performance.now() - startedAt) / 1_000;
    const allowed = results.filter(({ status }) => status === "fulfilled").length;
    expect(allowed).toBeGreaterThanOrEqual(10);
    expect(allowed).toBeLessThanOrEqual(10 + Math.ceil(seconds * 2));
    for (const result of results) if (result.status === "rejected") expect(result.reason).toBeInstanceOf(AppError);
  });

  test("costs a read no write: a block is taken once and spent from memory", async () => {
    await callRest("list_accounts", {}, { token: buyer.token });
    const before = await bucket("list_accounts");
    for (let call = 0; call < 40; call += 1) expect((await callRest("list_accounts", {}, { token: buyer.token })).status).toBe(200);
    expect(await bucket("list_accounts")).toEqual(before);
    expect(before?.taken).toBeGreaterThan(40);
  });

  test("is asked for no more than once while there is none", async () => {
    await countAllowed(10, "write", { write: 0.001 });
    const before = await bucket();
    for (let call = 0; call < 50; call += 1) await expect(Promise.resolve(takeCall(buyer.session, "a_tool", "write", { write: 0.001 }))).rejects.toThrow("RATE_LIMITED");
    expect(await bucket()).toEqual(before);
  });
});

describe("at the door", () => {
  test("a call too many is RATE_LIMITED with a time to wait, for this token and this tool alone", async () => {
    await setLimits(0.1, null);
    expect((await callRest("list_accounts", {}, { token: buyer.token })).status).toBe(200);
    const rest = await callRest("list_accounts", { context: { a: 1 } }, { token: buyer.token });
    expect([rest.status, errorCode(rest), rest.body.context]).toEqual([429, "RATE_LIMITED", { a: 1 }]);
    expect(Number(rest.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    const mcp = await callMcp("list_accounts", {}, { token: buyer.token });
    expect([mcp.status, errorCode(mcp), asObject(mcp.body.adcp_error).recovery]).toEqual([200, "RATE_LIMITED", "transient"]);
    expect(asObject(mcp.body.adcp_error).retry_after).toBeGreaterThanOrEqual(1);
    expect((await callRest("get_products", {}, { token: buyer.token })).status).toBe(200);
    const second = await createBuyer(publisher.tenantId, { name: `Agency ${newId()}` });
    expect((await callRest("list_accounts", {}, { token: second.token })).status).toBe(200);
  });

  test("calls that fail count as well", async () => {
    await setLimits(null, 0.1);
    expect(errorCode(await callRest("sync_accounts", { idempotency_key: newKey() }, { token: buyer.token }))).toBe("INVALID_REQUEST");
    expect(errorCode(await callRest("sync_accounts", { idempotency_key: newKey() }, { token: buyer.token }))).toBe("RATE_LIMITED");
  });
});

describe("staff", () => {
  test("see the limits and what is used of them", async () => {
    await setLimits(null, 0.1);
    for (let call = 0; call < 3; call += 1) await callRest("sync_accounts", {}, { token: buyer.token });
    await callRest("list_accounts", {}, { token: buyer.token });
    const { limits, usage: used } = await usage();
    expect(limits).toEqual([
      expect.objectContaining({ rateClass: "read", perSecond: 500, burst: 2_500, isOverridden: false }), expect.objectContaining({ rateClass: "write", perSecond: 0.1, burst: 1, defaultPerSecond: 60, isOverridden: true }),
    ]);
    expect(used.find(({ tool }) => tool === "sync_accounts")).toMatchObject({ credential: buyer.token.slice(0, 12), isSigningKey: false, perSecond: 0.1, available: 0, taken: 1, refused: 1 });
    expect(used.find(({ tool }) => tool === "list_accounts")).toMatchObject({ perSecond: 500, refused: 0 });
  });

  test("who are administrators set them, within bounds, for their own buyers", async () => {
    await setLimits(10, 2);
    expect(await lastAudit(publisher.tenantId, "buyer")).toMatchObject({ action: "buyer.rate_limits", after: { read: 10, write: 2 } });
    expect(await failure(setLimits(null, 0))).toMatchObject({ code: "VALIDATION_ERROR", field: "writePerSecond" });
    const principalId = buyer.principal.id;
    expect((await failure(asStaff(publisher.tenantId, "trafficker", (ctx) => setRateLimits(ctx, { principalId, version: "", readPerSecond: 1, writePerSecond: 1 })))).code).toBe("PERMISSION_DENIED");
    const other = await createPublisher();
    expect((await failure(asStaff(other.tenantId, "admin", (ctx) => setRateLimits(ctx, { principalId, version: "", readPerSecond: 1, writePerSecond: 1 })))).code).toBe("REFERENCE_NOT_FOUND");
    expect((await failure(asStaff(other.tenantId, "admin", (ctx) => loadRateUsage(ctx, principalId)))).code).toBe("REFERENCE_NOT_FOUND");
  });

  test("ask for signatures of buyers with a key only", async () => {
    expect((await failure(asStaff(publisher.tenantId, "admin", (ctx) => setSigningRequired(ctx, { principalId: buyer.principal.id, isRequired: true })))).code).toBe("INVALID_STATE");
  });
});

test("allowances that nobody used for a day are forgotten: they are full anyway", async () => {
  await countAllowed(1, "write");
  await withWorkerRole((tx) => tx.execute(sql`update rate_buckets set refilled_at = now() - interval '2 days' where subject_id = ${buyer.session.tokenId}`));
  expect(await forgetRateBuckets()).toBe(1);
  expect(await bucket()).toBeUndefined();
});
