import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, type DoorAnswer, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { asSystem, DAY_MS, decide, homepage, readBuy, runOfSite } from "@/test/fixtures/orders";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";
import { accounts } from "@/lib/accounts/schema";
import { principals } from "@/lib/buyers/schema";
import { fromWireId, toWireId } from "@/lib/ids";
import { idempotencyKeys, mediaBuys } from "@/lib/media-buys/schema";
import { webhookDeliveries } from "@/lib/webhooks/schema";
import { outbox } from "@/lib/events/schema";

/** The whole way through the door, where every answer is checked against the SDK's schema by the dispatcher. */
useTestDatabase();

const soon = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const DOORS = [["MCP", callMcp], ["REST", callRest]] as const;

function request(overrides: Record<string, unknown> = {}, ...packages: Record<string, unknown>[]): Record<string, unknown> {
  return { idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: soon(2), end_time: soon(32), packages: packages.length > 0 ? packages : [homepage()], context: { trace: "t-1" }, ...overrides };
}

function internalId(answer: DoorAnswer): string {
  const id = fromWireId("mediaBuy", String(answer.body.media_buy_id));
  if (id === undefined) throw new Error(JSON.stringify(answer.body));
  return id;
}

describe.each(DOORS)("orders over %s", (_name, call) => {
  test("a sandbox buyer's order is found under any account of theirs; a real one's under its own alone", async () => {
    const publisher = await createPublisher();
    const caller = { token: publisher.token };
    const other = { brand: { domain: "other-brand.example" }, operator: "other.example" };
    const placed = await call("create_media_buy", request(), caller);
    const pause = { account: other, media_buy_id: placed.body.media_buy_id, paused: true };
    expect((await call("update_media_buy", { idempotency_key: newKey(), ...pause }, caller)).body).toMatchObject({ status: "paused" });
    const stranger = await createBuyer(publisher.tenantId);
    expect(errorCode(await call("update_media_buy", { idempotency_key: newKey(), ...pause }, { token: stranger.token }))).toBe("MEDIA_BUY_NOT_FOUND");

    await asSystem(publisher, async ({ db }) => {
      await db.update(principals).set({ isSandbox: false }).where(eq(principals.id, publisher.principal.id));
      await db.update(accounts).set({ isSandbox: false });
    });
    expect(errorCode(await call("update_media_buy", { idempotency_key: newKey(), ...pause, paused: false }, caller))).toBe("MEDIA_BUY_NOT_FOUND");
  });

  test("placed at once, read, changed and canceled", async () => {
    const publisher = await createPublisher();
    const caller = { token: publisher.token };
    const placed = await call("create_media_buy", request({}, homepage({ creatives: [imageCreative("b-1")] }), runOfSite({ creatives: [imageCreative("b-1")] })), caller);
    expect(placed).toMatchObject({ status: 200, isError: false, body: { status: "pending_start", media_buy_status: "pending_start", revision: 1, context: { trace: "t-1" } } });
    const id = placed.body.media_buy_id;
    const [first] = asList(placed.body.packages);
    const change = (fields: Record<string, unknown>) => call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: id, context: { trace: "t-2" }, ...fields }, caller);
    expect((await change({ paused: true, revision: 1 })).body).toMatchObject({ status: "paused", revision: 2, context: { trace: "t-2" } });
    expect((await change({ paused: false })).body).toMatchObject({ status: "active", revision: 3 });
    expect((await change({ packages: [{ package_id: first?.package_id, budget: 2000 }] })).body).toMatchObject({ revision: 4, affected_packages: [{ budget: 2000, impressions: 160_000 }] });
    expect((await change({ end_time: soon(40) })).body).toMatchObject({ revision: 5 });
    const read = await call("get_media_buys", { media_buy_ids: [id], include_history: 10, context: { trace: "t-3" } }, caller);
    expect(read.body).toMatchObject({ media_buys: [{ media_buy_id: id, status: "active", revision: 5, ext: { fulfilment: [{ state: "pending", desired_version: 5, applied_version: 0 }] } }], pagination: { has_more: false }, context: { trace: "t-3" } });
    expect(asList(asObject(asList(read.body.media_buys)[0]).history)).toHaveLength(5);
    expect((await change({ canceled: true, cancellation_reason: "Done" })).body).toMatchObject({ status: "canceled", revision: 6, valid_actions: [] });
    const again = await change({ canceled: true });
    expect(errorCode(again)).toBe("NOT_CANCELLABLE");
    expect(again.body).toMatchObject({ context: { trace: "t-2" }, errors: [{ recovery: "correctable" }] });
    expect(errorCode(await change({ paused: true }))).toBe("INVALID_STATE");
  });

  test("submitted, approved, and its task completed with the order", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const caller = { token: publisher.token };
    const submitted = await call("create_media_buy", request({ push_notification_config: { url: "https://buyer.example/hook" } }), caller);
    expect(submitted).toMatchObject({ status: 200, isError: false, body: { status: "submitted", task_id: expect.stringMatching(/^task_/), context: { trace: "t-1" } } });
    expect(submitted.body).not.toHaveProperty("media_buy_id");
    expect(submitted.body).not.toHaveProperty("packages");
    const poll = () => call("tasks_get", { task_id: submitted.body.task_id }, caller);
    expect((await poll()).body).toMatchObject({ status: "submitted", task_type: "create_media_buy", protocol: "media-buy", has_webhook: true });
    const [waiting] = await asSystem(publisher, ({ db }) => db.select({ id: mediaBuys.id }).from(mediaBuys));
    await decide(publisher, waiting?.id ?? "", "approve", { now: new Date() });
    const completed = await poll();
    expect(completed.body).toMatchObject({ status: "completed", result: { media_buy_id: toWireId("mediaBuy", waiting?.id ?? ""), status: "pending_creatives", revision: 1 } });
    expect((await call("get_media_buys", { media_buy_ids: [asObject(completed.body.result).media_buy_id] }, caller)).body).toMatchObject({ media_buys: [{ status: "pending_creatives" }] });
    expect(await asSystem(publisher, ({ db }) => db.select().from(webhookDeliveries))).toMatchObject([{ audience: "buyer", body: { status: "completed" } }]);
  });

  test("rejected, with the publisher's words in the task", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const caller = { token: publisher.token };
    const submitted = await call("create_media_buy", request(), caller);
    const [waiting] = await asSystem(publisher, ({ db }) => db.select({ id: mediaBuys.id }).from(mediaBuys));
    await decide(publisher, waiting?.id ?? "", "reject", { now: new Date(), reason: "Not this category" });
    expect((await call("tasks_get", { task_id: submitted.body.task_id }, caller)).body).toMatchObject({ status: "rejected", error: { code: "ORDER_REJECTED", message: "Not this category" } });
  });

  test("the same key places one order, however often and at once it is sent", async () => {
    const publisher = await createPublisher();
    const caller = { token: publisher.token };
    const same = request();
    const answers = await Promise.all(Array.from({ length: 6 }, () => call("create_media_buy", same, caller)));
    expect(new Set(answers.map((answer) => answer.body.media_buy_id)).size).toBe(1);
    expect(answers.filter((answer) => answer.body.replayed === true)).toHaveLength(5);
    expect(await asSystem(publisher, ({ db }) => db.select({ id: mediaBuys.id }).from(mediaBuys))).toHaveLength(1);
    expect(errorCode(await call("create_media_buy", { ...same, end_time: soon(50) }, caller))).toBe("IDEMPOTENCY_CONFLICT");
  });

  test("a refusal leaves nothing, not even its key", async () => {
    const publisher = await createPublisher();
    const caller = { token: publisher.token };
    const wrong = request({}, homepage({ product_id: "nothing" }));
    const refused = await call("create_media_buy", wrong, caller);
    expect(errorCode(refused)).toBe("PRODUCT_NOT_FOUND");
    expect(refused.body).toMatchObject({ adcp_error: { field: "packages[0].product_id", recovery: "correctable" }, context: { trace: "t-1" } });
    const left = await asSystem(publisher, async ({ db }) => [...(await db.select().from(mediaBuys)), ...(await db.select().from(outbox)), ...(await db.select().from(idempotencyKeys))]);
    expect(left).toEqual([]);
    expect((await call("create_media_buy", { ...wrong, packages: [homepage()] }, caller)).isError).toBe(false);
  });

  test("a foreign id and an unknown one answer byte for byte alike, on every tool", async () => {
    const publisher = await createPublisher();
    const other = await createBuyer(publisher.tenantId, { name: "Another agency" });
    const elsewhere = await createPublisher();
    const placed = await call("create_media_buy", request(), { token: publisher.token });
    const reviewed = await createPublisher({ isReviewRequired: true });
    const submitted = await call("create_media_buy", request(), { token: reviewed.token });
    const never = toWireId("mediaBuy", "018f0000-0000-7000-8000-000000000000");
    const ask = async (token: string, tool: string, input: Record<string, unknown>) => JSON.stringify((await call(tool, { ...input, context: { trace: "same" } }, { token })).body);
    for (const token of [other.token, elsewhere.token]) {
      for (const [tool, input] of [["update_media_buy", (id: unknown) => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: id, paused: true })], ["get_media_buys", (id: unknown) => ({ media_buy_ids: [id] })]] as const) {
        expect(await ask(token, tool, input(placed.body.media_buy_id))).toBe(await ask(token, tool, input(never)));
      }
      expect(await ask(token, "tasks_get", { task_id: submitted.body.task_id })).toBe(await ask(token, "tasks_get", { task_id: toWireId("task", "018f0000-0000-7000-8000-000000000000") }));
    }
    expect((await readBuy(publisher, internalId(placed))).buy).toMatchObject({ status: "pending_creatives", revision: 1 });
  });
});

test("what the wire does not let in never reaches the rules", async () => {
  const publisher = await createPublisher();
  const caller = { token: publisher.token };
  const cases: [Record<string, unknown>, string][] = [
    [request({}, homepage({ budget: -500 })), "packages[0].budget"], [request({}, homepage({ budget: "many" })), "packages[0].budget"], [request({ start_time: "tomorrow" }), "start_time"], [request({ packages: [] }), "packages"],
  ];
  for (const [input, field] of cases) {
    const answer = await callRest("create_media_buy", input, caller);
    expect(["INVALID_REQUEST", "VALIDATION_ERROR"]).toContain(errorCode(answer));
    expect(asObject(answer.body.adcp_error).field).toBe(field);
  }
  expect(await asSystem(publisher, ({ db }) => db.select().from(mediaBuys))).toEqual([]);
});

test("characters that Postgres cannot store are the buyer's mistake, not ours", async () => {
  const publisher = await createPublisher();
  const caller = { token: publisher.token };
  for (const input of [request({ po_number: "a\u0000b" }), request({ ext: { deep: ["\u0000"] } }), request({ po_number: "a\ud800b" }), request({ po_number: "\\\u0000" }), request({}, homepage({ context: { "k\u0000": 1 } })), request({}, homepage({ creatives: [imageCreative("b\u0000")] }))]) {
    expect(["INVALID_REQUEST", "VALIDATION_ERROR"]).toContain(errorCode(await callRest("create_media_buy", input, caller)));
  }
  expect((await callRest("create_media_buy", request({ po_number: "\\u0000 \ud83d\ude00 \\\\ud800" }), caller)).isError).toBe(false);
});
