import { and, eq, inArray } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asActor, asBuyer, asSystem, change, homepage, NOW, order, place, runOfSite, staff } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { toWireId } from "../ids";
import { addMs, DAY_MS } from "../time";
import { mediaBuys, mediaPackages } from "./schema";
import { MEDIA_BUY_SORT_KEYS, type SearchInput, searchMediaBuys } from "./search";

useTestDatabase();

const FIRST: SearchInput = { sort: "createdAt", direction: "desc", page: 1, pageSize: 10 };
const search = (at: PublisherFixture, input: Partial<SearchInput>) => asActor(at, staff("viewer"), (ctx) => searchMediaBuys(ctx, { ...FIRST, ...input }));

async function shelf(): Promise<{ publisher: PublisherFixture; ids: string[]; otherBuyerId: string }> {
  const publisher = await createPublisher();
  const ids: string[] = [];
  for (let i = 0; i < 11; i += 1) ids.push((await place(publisher, order({ po_number: `PO-${i}` }, homepage({ budget: 100 + i })), new Date(NOW.getTime() + i * 1000))).mediaBuyId);
  const other = { tenantId: publisher.tenantId, ...(await createBuyer(publisher.tenantId, { name: "Zebra Media" })) };
  ids.push((await place(other, order({}, runOfSite()), new Date(NOW.getTime() + 20_000))).mediaBuyId);
  await change(publisher, { media_buy_id: toWireId("mediaBuy", ids[0] ?? ""), paused: true });
  return { publisher, ids, otherBuyerId: other.principal.id };
}

describe("staff's list of media buys", () => {
  test("pages in a stable order, with counts per status", async () => {
    const { publisher, ids } = await shelf();
    const [first, second] = [await search(publisher, {}), await search(publisher, { page: 2 })];
    expect([...first.rows, ...second.rows].map((row) => row.id)).toEqual([...ids].reverse());
    expect(first).toMatchObject({ total: 12, counts: { pending_creatives: 11, paused: 1, active: 0 } });
    expect(first.rows[0]).toMatchObject({ buyerName: "Zebra Media", fulfilmentStates: ["pending"], currency: "USD", budgetMicros: 500_000_000n });
  });

  test("says how many packages of an order are held, but for those that run no more", async () => {
    const { publisher, ids } = await shelf();
    const { mediaBuyId } = await place(publisher, order({}, homepage(), homepage(), homepage(), homepage(), homepage()), NOW);
    const hold = { field: "property_list", reason: "no_match", message: "It holds none of the product's properties." } as const;
    await asSystem(publisher, async ({ db, tenantId }) => {
      const positions = (...of: number[]) => and(eq(mediaPackages.tenantId, tenantId), eq(mediaPackages.mediaBuyId, mediaBuyId), inArray(mediaPackages.position, of));
      await db.update(mediaPackages).set({ hold }).where(positions(0, 1, 2, 3));
      await db.update(mediaPackages).set({ canceledAt: NOW }).where(positions(2));
      await db.update(mediaPackages).set({ startsAt: addMs(NOW, -2 * DAY_MS), endsAt: addMs(NOW, -DAY_MS) }).where(positions(3));
    });
    const { rows } = await search(publisher, { pageSize: 25 });
    expect(rows.find(({ id }) => id === mediaBuyId)).toMatchObject({ heldPackages: 2 });
    expect(rows.find(({ id }) => id === ids[0])).toMatchObject({ heldPackages: 0 });
    await change(publisher, { media_buy_id: toWireId("mediaBuy", mediaBuyId), canceled: true });
    expect((await search(publisher, { statuses: ["canceled"] })).rows).toMatchObject([{ id: mediaBuyId, heldPackages: 0 }]);
  });

  test("filters by status and buyer; counts keep saying what the other tabs hold", async () => {
    const { publisher, ids, otherBuyerId } = await shelf();
    expect(await search(publisher, { statuses: ["paused"] })).toMatchObject({ total: 1, rows: [{ id: ids[0], status: "paused" }], counts: { pending_creatives: 11 } });
    expect(await search(publisher, { buyerId: otherBuyerId })).toMatchObject({ total: 1, rows: [{ buyerName: "Zebra Media" }], counts: { paused: 0, pending_creatives: 1 } });
    expect(await search(publisher, { buyerId: "nonsense" })).toMatchObject({ total: 0, rows: [] });
  });

  test("finds by name, buyer, PO number and whole id; wildcards are plain characters", async () => {
    const { publisher, ids } = await shelf();
    expect((await search(publisher, { text: "zebra" })).rows).toHaveLength(1);
    expect((await search(publisher, { text: " po-10 " })).rows.map((row) => row.id)).toEqual([ids[10]]);
    expect((await search(publisher, { text: toWireId("mediaBuy", ids[3] ?? "") })).rows.map((row) => row.id)).toEqual([ids[3]]);
    for (const text of ["%", "_", "\\", "PO-_", "'; drop table media_buys; --"]) expect((await search(publisher, { text })).total).toBe(0);
    await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ name: "100%_sure\\really" }).where(eq(mediaBuys.id, ids[5] ?? "")));
    for (const text of ["100%", "%_sure", "sure\\re"]) expect((await search(publisher, { text })).rows.map((row) => row.id)).toEqual([ids[5]]);
  });

  test("sorts by every key, both ways", async () => {
    const { publisher, ids } = await shelf();
    for (const sort of MEDIA_BUY_SORT_KEYS) {
      const [up, down] = [await search(publisher, { sort, direction: "asc", pageSize: 25 }), await search(publisher, { sort, direction: "desc", pageSize: 25 })];
      expect(up.rows.map((row) => row.id)).toEqual(down.rows.map((row) => row.id).reverse());
    }
    expect((await search(publisher, { sort: "budget", direction: "asc" })).rows[0]?.id).toBe(ids[0]);
    expect((await search(publisher, { sort: "buyer", direction: "desc" })).rows[0]?.buyerName).toBe("Zebra Media");
  });

  test("is for this publisher's staff alone", async () => {
    const { publisher } = await shelf();
    const other = await createPublisher();
    expect((await search(other, {})).total).toBe(0);
    await expect(asBuyer(publisher, (ctx) => searchMediaBuys(ctx, FIRST))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });
});
