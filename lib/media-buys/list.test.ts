import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asSystem, banner, change, days, decide, homepage, list, type Listed, NOW, order, place, readBuy } from "@/test/fixtures/orders";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";
import { findResponseProblem } from "../adcp/tool-schemas";
import { getMediaBuysTool } from "../adcp/tools/get-media-buys";
import { creatives } from "../creatives/schema";
import { fulfilments } from "../fulfilment/schema";
import { toWireId } from "../ids";

useTestDatabase();

const ANY = { status_filter: ["pending_creatives", "pending_start", "active", "paused", "canceled", "rejected", "completed"] };
const ids = (page: Listed) => page.media_buys.map((buy) => buy.media_buy_id);

describe("get_media_buys", () => {
  test("shows state, packages, approvals of creatives and how far each ad server is", async () => {
    const publisher = await createPublisher();
    const { payload, mediaBuyId } = await place(publisher, order({ context: { trace: "t-9" } }, homepage({ creatives: [banner()], targeting_overlay: { geo_countries: ["US"] } }), homepage({ context: { line: 2 } })));
    await asSystem(publisher, ({ db, now }) => db.update(fulfilments).set({ state: "blocked", blockedReason: "Inventory is short", observedAt: new Date(now.getTime() - 90_000) }));
    const page = await list(publisher, { media_buy_ids: [payload.media_buy_id], include_snapshot: true });
    expect(page).toEqual({ media_buys: [expect.any(Object)], pagination: { has_more: false } });
    expect(page.media_buys[0]).toMatchObject({
      media_buy_id: toWireId("mediaBuy", mediaBuyId), status: "pending_creatives", media_buy_status: "pending_creatives", currency: "USD", total_budget: 2000, revision: 1, start_time: days(2), end_time: days(32),
      confirmed_at: NOW.toISOString(), created_at: NOW.toISOString(), context: { trace: "t-9" }, sandbox: true, valid_actions: expect.arrayContaining(["sync_creatives", "cancel"]),
      packages: [
        { product_id: "homepage_display", budget: 1000, impressions: 80_000, targeting_overlay: { geo_countries: ["US"] }, creative_approvals: [{ creative_id: "banner-1", approval_status: "approved" }], snapshot: { as_of: NOW.toISOString(), staleness_seconds: 0, impressions: 0, spend: 0 } },
        { context: { line: 2 }, format_ids_pending: [{ id: "display_300x250_image" }, { id: "display_728x90_image" }] },
      ],
      ext: { fulfilment: [{ ad_server: "Google Ad Manager", state: "blocked", desired_version: 1, applied_version: 0, blocked_reason: "Inventory is short", observed_age_seconds: 90 }] },
    });
    expect(page.media_buys[0]?.packages).not.toMatchObject([{}, { creative_approvals: expect.anything() }]);
    expect(findResponseProblem(getMediaBuysTool, page)).toBeNull();
  });

  test("a rejected creative says why", async () => {
    const publisher = await createPublisher();
    const { payload } = await place(publisher, order({}, homepage({ creatives: [banner()] })));
    await asSystem(publisher, ({ db }) => db.update(creatives).set({ status: "rejected", rejectionReason: "Too loud" }));
    const { media_buys: [buy] } = await list(publisher, { media_buy_ids: [payload.media_buy_id] });
    expect(buy).toMatchObject({ packages: [{ creative_approvals: [{ approval_status: "rejected", rejection_reason: "Too loud" }] }] });
  });

  test("a cancellation is shown with who, when and why", async () => {
    const publisher = await createPublisher();
    const { payload } = await place(publisher, order());
    await change(publisher, { media_buy_id: payload.media_buy_id, canceled: true, cancellation_reason: "No" });
    const page = await list(publisher, { media_buy_ids: [payload.media_buy_id] });
    expect(page.media_buys[0]).toMatchObject({ status: "canceled", cancellation: { canceled_at: NOW.toISOString(), canceled_by: "buyer", reason: "No" }, valid_actions: [] });
    expect(findResponseProblem(getMediaBuysTool, page)).toBeNull();
  });

  test("lists active ones unless a filter says otherwise", async () => {
    const publisher = await createPublisher();
    const one = await place(publisher, order());
    const two = await place(publisher, order());
    await change(publisher, { media_buy_id: two.payload.media_buy_id, paused: true });
    await change(publisher, { media_buy_id: two.payload.media_buy_id, paused: false });
    expect(ids(await list(publisher))).toEqual([two.payload.media_buy_id]);
    expect(ids(await list(publisher, { status_filter: "pending_creatives" }))).toEqual([one.payload.media_buy_id]);
    expect(ids(await list(publisher, ANY))).toHaveLength(2);
  });

  test("pages are stable while orders are placed, and the last one has no cursor", async () => {
    const publisher = await createPublisher();
    const placed: unknown[] = [];
    for (let i = 0; i < 5; i += 1) placed.unshift((await place(publisher, order(), new Date(NOW.getTime() + i))).payload.media_buy_id);
    const first = await list(publisher, { ...ANY, pagination: { max_results: 2 } });
    expect(first.pagination).toEqual({ has_more: true, cursor: expect.any(String) });
    await place(publisher, order(), new Date(NOW.getTime() + 100));
    const second = await list(publisher, { ...ANY, pagination: { max_results: 2, cursor: first.pagination.cursor } });
    const third = await list(publisher, { ...ANY, pagination: { max_results: 2, cursor: second.pagination.cursor } });
    expect([...ids(first), ...ids(second), ...ids(third)]).toEqual(placed);
    expect(third.pagination).toEqual({ has_more: false });
    for (const forged of ["nonsense", JSON.stringify([1, "media_buys", ["x", "y"]]), JSON.stringify([1, "media_buys", [0, "y"]]), JSON.stringify([1, "accounts", [0]])]) {
      await expect(list(publisher, { pagination: { cursor: Buffer.from(forged).toString("base64url") } })).rejects.toMatchObject({ code: "INVALID_REQUEST", field: "pagination.cursor" });
    }
  });

  test("orders of the same instant are paged without loss", async () => {
    const publisher = await createPublisher();
    const placed = new Set<unknown>();
    for (let i = 0; i < 5; i += 1) placed.add((await place(publisher, order())).payload.media_buy_id);
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page: Listed = await list(publisher, { ...ANY, pagination: { max_results: 1, ...(cursor === undefined ? {} : { cursor }) } });
      seen.push(...ids(page));
      cursor = page.pagination.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen)).toEqual(placed);
    expect(seen).toHaveLength(5);
  });

  test("an order that is not yet approved is not listed, a rejected one never", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const waiting = await place(publisher, order());
    const refused = await place(publisher, order());
    const approved = await place(publisher, order());
    await decide(publisher, refused.mediaBuyId, "reject", { reason: "No" });
    await decide(publisher, approved.mediaBuyId, "approve");
    expect(ids(await list(publisher, ANY))).toEqual([toWireId("mediaBuy", approved.mediaBuyId)]);
    const asked = await list(publisher, { media_buy_ids: [toWireId("mediaBuy", waiting.mediaBuyId), toWireId("mediaBuy", refused.mediaBuyId)] });
    expect(asked.media_buys).toEqual([]);
    expect(asked.errors).toHaveLength(2);
  });

  test("another buyer's order, another publisher's and one that never was answer alike", async () => {
    const publisher = await createPublisher();
    const { payload } = await place(publisher, order());
    const other = { tenantId: publisher.tenantId, ...(await createBuyer(publisher.tenantId, { name: "Another agency" })) };
    const elsewhere = await createPublisher();
    const never = toWireId("mediaBuy", "018f0000-0000-7000-8000-000000000000");
    const answers = [await list(other, { media_buy_ids: [payload.media_buy_id] }), await list(elsewhere, { media_buy_ids: [payload.media_buy_id] }), await list(other, { media_buy_ids: [never] }), await list(other, { media_buy_ids: ["nonsense"] })];
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ media_buys: [], errors: [{ code: "MEDIA_BUY_NOT_FOUND", field: "media_buy_ids[0]", recovery: "correctable" }], pagination: { has_more: false } });
    expect(ids(await list(other, ANY))).toEqual([]);
    expect(ids(await list(elsewhere, ANY))).toEqual([]);
    const mixed = await list(publisher, { media_buy_ids: [never, payload.media_buy_id] });
    expect(ids(mixed)).toEqual([payload.media_buy_id]);
    expect(mixed.errors).toMatchObject([{ field: "media_buy_ids[0]" }]);
  });

  test("a page costs a fixed number of queries", async () => {
    const publisher = await createPublisher();
    for (let i = 0; i < 6; i += 1) await place(publisher, order({}, homepage({ creatives: [banner()] }), homepage(), homepage()));
    const queriesOf = async (request: Record<string, unknown>) => {
      const { listMediaBuys } = await import("./list");
      return asSystem(publisher, async (ctx) => {
        let count = 0;
        const db = new Proxy(ctx.db, {
          get(target, key, receiver) {
            const value: unknown = Reflect.get(target, key, receiver);
            if (typeof value !== "function" || !["select", "execute", "selectDistinct"].includes(String(key))) return value;
            return (...args: unknown[]) => {
              count += 1;
              return Reflect.apply(value, target, args) as unknown;
            };
          },
        });
        await listMediaBuys({ ...ctx, db }, { session: publisher.session, account: null, request, agentUrl: "http://127.0.0.1:3000" });
        return count;
      });
    };
    const one = await queriesOf({ ...ANY, pagination: { max_results: 1 }, include_history: 5 });
    expect(await queriesOf({ ...ANY, pagination: { max_results: 6 }, include_history: 5 })).toBe(one);
    expect(one).toBeLessThanOrEqual(6);
  });

  test("the start shown is the one that can still be met", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const { mediaBuyId } = await place(publisher, order({ start_time: days(1) }));
    const late = new Date(days(3));
    await decide(publisher, mediaBuyId, "approve", { now: late });
    const { media_buys: [buy] } = await list(publisher, { media_buy_ids: [toWireId("mediaBuy", mediaBuyId)] });
    const expected = new Date(late.getTime() + 15 * 60_000);
    expect(buy).toMatchObject({ start_time: expected.toISOString(), confirmed_at: late.toISOString(), packages: [{ start_time: expected.toISOString() }] });
    expect((await readBuy(publisher, mediaBuyId)).packages[0]?.startsAt.toISOString()).toBe(days(1));
  });
});
