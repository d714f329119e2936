import { asc, eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asSystem, banner, change, days, homepage, list, NOW, order, place, readBuy, runOfSite } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, GAM_TARGET, type PublisherFixture } from "@/test/fixtures/publisher";
import { auditLog } from "../audit/schema";
import { creativeAssignments, creatives } from "../creatives/schema";
import { AppError } from "../errors";
import { outbox } from "../events/schema";
import { toWireId } from "../ids";
import { transitionMediaBuy } from "./transitions";

useTestDatabase();

type Placed = { publisher: PublisherFixture; id: string; mediaBuyId: string; packageIds: string[] };

async function placed(...packages: Record<string, unknown>[]): Promise<Placed> {
  const publisher = await createPublisher();
  const { mediaBuyId } = await place(publisher, order({}, ...packages));
  const stored = await readBuy(publisher, mediaBuyId);
  return { publisher, id: toWireId("mediaBuy", mediaBuyId), mediaBuyId, packageIds: stored.packages.map((row) => toWireId("package", row.id)) };
}

/** One change: revision and desired version moved once, one event per connection, one entry in the audit. */
async function expectOneChange({ publisher, mediaBuyId }: Placed, changes = 1): Promise<void> {
  const { buy, fulfilments } = await readBuy(publisher, mediaBuyId);
  expect(buy).toMatchObject({ revision: 1 + changes, desiredVersion: 1 + changes });
  expect(fulfilments).toMatchObject([{ desiredVersion: 1 + changes, state: "pending" }]);
  const events = await asSystem(publisher, ({ db }) => db.select({ eventId: outbox.eventId }).from(outbox).orderBy(asc(outbox.id)));
  expect(events.map((row) => row.eventId)).toEqual(Array.from({ length: 1 + changes }, (_item, index) => `fulfilment.changed:${fulfilments[0]?.id}:${index + 1}`));
  const entries = await asSystem(publisher, ({ db }) => db.select({ id: auditLog.id }).from(auditLog).where(eq(auditLog.objectId, mediaBuyId)));
  expect(entries).toHaveLength(1 + changes);
}

function audits({ publisher, mediaBuyId }: Placed) {
  return asSystem(publisher, ({ db }) => db.select().from(auditLog).where(eq(auditLog.objectId, mediaBuyId)).orderBy(asc(auditLog.id)));
}

describe("every change converges", () => {
  test("pause, resume, cancel", async () => {
    const it = await placed(homepage());
    expect(await change(it.publisher, { media_buy_id: it.id, paused: true })).toMatchObject({ media_buy_id: it.id, status: "paused", media_buy_status: "paused", revision: 2, affected_packages: [], valid_actions: expect.arrayContaining(["resume"]) });
    await expectOneChange(it, 1);
    expect(await change(it.publisher, { media_buy_id: it.id, paused: false })).toMatchObject({ status: "active", revision: 3, valid_actions: expect.arrayContaining(["pause"]) });
    await expectOneChange(it, 2);
    expect(await change(it.publisher, { media_buy_id: it.id, canceled: true, cancellation_reason: "Plans changed" })).toMatchObject({ status: "canceled", revision: 4, valid_actions: [] });
    await expectOneChange(it, 3);
    expect((await readBuy(it.publisher, it.mediaBuyId)).buy).toMatchObject({ canceledAt: NOW, canceledBy: "buyer", cancellationReason: "Plans changed" });
    expect((await audits(it)).map((entry) => entry.action)).toEqual(["media_buy.created", "media_buy.paused", "media_buy.resumed", "media_buy.canceled"]);
  });

  test("a new budget changes that package's units alone, and the total", async () => {
    const it = await placed(homepage({ budget: 1000 }), homepage({ budget: 250 }));
    const [first = ""] = it.packageIds;
    const answer = await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: first, budget: 2000 }] });
    expect(answer).toMatchObject({ revision: 2, total_budget: 2250, affected_packages: [{ package_id: first, budget: 2000, impressions: 160_000 }] });
    expect(answer.affected_packages).toHaveLength(1);
    const { buy, packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect(buy.budgetMicros).toBe(2_250_000_000n);
    expect(packages.map((row) => row.units)).toEqual([160_000n, 20_000n]);
    await expectOneChange(it);
    const entry = (await audits(it)).at(-1);
    expect(entry).toMatchObject({
      action: "media_buy.updated_budget", before: { revision: 1, total_budget: "1250", packages: { [first]: { budget: "1000", units: "80000" } } }, after: { revision: 2, total_budget: "2250", packages: { [first]: { budget: "2000", units: "160000" } } },
    });
  });

  test("a later end moves the packages that follow the order, and leaves those with dates of their own", async () => {
    const it = await placed(homepage(), homepage({ start_time: days(5), end_time: days(10) }));
    const answer = await change(it.publisher, { media_buy_id: it.id, end_time: days(40) });
    expect(answer.affected_packages).toMatchObject([{ package_id: it.packageIds[0], end_time: days(40) }]);
    const { buy, packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect([buy.endsAt, ...packages.map((row) => row.endsAt)].map((date) => date.toISOString())).toEqual([days(40), days(40), days(10)]);
    await expectOneChange(it);
  });

  test("an earlier start of what is sold by the day costs the days that it brings", async () => {
    const publisher = await createPublisher({ products: [{ productId: "takeover", pricing: [{ pricingOptionId: "daily", pricingModel: "time", rate: 100 }], target: { ...GAM_TARGET, lineItemType: "SPONSORSHIP", priority: 4, sharePercent: 100 } }] });
    const { mediaBuyId } = await place(publisher, order({ start_time: days(10), end_time: days(20) }, { product_id: "takeover", pricing_option_id: "daily", budget: 1_000 }));
    const id = toWireId("mediaBuy", mediaBuyId);
    await expect(change(publisher, { media_buy_id: id, start_time: days(5) })).rejects.toMatchObject({ code: "BUDGET_TOO_LOW" });
    const [row] = (await readBuy(publisher, mediaBuyId)).packages;
    await change(publisher, { media_buy_id: id, start_time: days(5), packages: [{ package_id: toWireId("package", row?.id ?? ""), budget: 1_500 }] });
    expect((await readBuy(publisher, mediaBuyId)).packages.map(({ units }) => units)).toEqual([15n]);
  });

  test("a later start moves the effective start with it", async () => {
    const it = await placed(homepage());
    await change(it.publisher, { media_buy_id: it.id, start_time: days(4) });
    const { buy, packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect([buy.startsAt, buy.effectiveStartsAt, packages[0]?.startsAt].map((date) => date?.toISOString())).toEqual([days(4), days(4), days(4)]);
    await expectOneChange(it);
  });

  test("an earlier start and an end before the old start, together", async () => {
    const it = await placed(homepage());
    const confirmed = await change(it.publisher, { media_buy_id: it.id, start_time: days(10), end_time: days(20) });
    await change(it.publisher, { media_buy_id: it.id, start_time: days(5), end_time: days(8), revision: confirmed.revision });
    const { buy, packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect([buy.effectiveStartsAt, buy.endsAt, packages[0]?.startsAt, packages[0]?.endsAt].map((date) => date?.toISOString())).toEqual([days(5), days(8), days(5), days(8)]);
    await expect(change(it.publisher, { media_buy_id: it.id, end_time: days(5) })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "end_time" });
  });

  test("a package's pause, pacing, bid, targeting and dates", async () => {
    const it = await placed(runOfSite());
    const [package_ = ""] = it.packageIds;
    const answer = await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: package_, paused: true, pacing: "asap", bid_price: 5, targeting_overlay: { geo_countries: ["DE"] }, start_time: days(3), end_time: days(20) }] });
    expect(answer.affected_packages).toMatchObject([{ paused: true, pacing: "asap", bid_price: 5, impressions: 100_000, targeting_overlay: { geo_countries: ["DE"] }, start_time: days(3), end_time: days(20) }]);
    await expectOneChange(it);
  });

  test("name and purchase order of the order, and a package's context", async () => {
    const it = await placed(homepage({ context: { line: 1 } }));
    const answer = await change(it.publisher, { media_buy_id: it.id, name: "Spring launch", po_number: "PO-7", packages: [{ package_id: it.packageIds[0], context: { line: 2 } }] });
    expect(answer).toMatchObject({ revision: 2, affected_packages: [{ context: { line: 2 } }] });
    expect((await list(it.publisher, { media_buy_ids: [it.id], include_history: 1 })).media_buys).toMatchObject([{ name: "Spring launch", po_number: "PO-7", packages: [{ context: { line: 2 } }], history: [{ action: "updated_packages", revision: 2, summary: expect.stringContaining("name is now Spring launch") }] }]);
    await expectOneChange(it);
    expect(await change(it.publisher, { media_buy_id: it.id, name: "Spring launch", po_number: "PO-7" })).toMatchObject({ revision: 2, affected_packages: [] });
    await expectOneChange(it);
  });

  test("an impression goal goes with the budget that buys it; alone it is answered with that budget", async () => {
    const it = await placed(homepage());
    const [package_id] = it.packageIds;
    await expect(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id, impressions: 120_000 }] })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].impressions", suggestion: expect.stringContaining("$1,500.00") });
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id, impressions: 120_000, budget: 1500 }] })).toMatchObject({ affected_packages: [{ impressions: 120_000, budget: 1500 }] });
    await expectOneChange(it);
  });

  test("a canceled package stays, stopped for good", async () => {
    const it = await placed(homepage(), homepage());
    const [first = "", second = ""] = it.packageIds;
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: first, canceled: true, cancellation_reason: "Sold out", budget: 1 }] })).toMatchObject({
      status: "pending_creatives", affected_packages: [{ package_id: first, canceled: true, budget: 1000, cancellation: { canceled_at: NOW.toISOString(), canceled_by: "buyer", reason: "Sold out" } }],
    });
    await expectOneChange(it);
    await expect(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: first, canceled: true }] })).rejects.toMatchObject({ code: "NOT_CANCELLABLE", field: "packages[0].canceled" });
    await expect(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: second, budget: 50 }, { package_id: first, budget: 50 }] })).rejects.toMatchObject({ code: "INVALID_STATE", field: "packages[1].package_id" });
  });

  test("creatives that become complete move the order on, in the same revision", async () => {
    const it = await placed(homepage(), homepage());
    const [first = "", second = ""] = it.packageIds;
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: first, creatives: [banner("b-1")] }] })).toMatchObject({ status: "pending_creatives", revision: 2, affected_packages: [{ package_id: first, creative_assignments: [{ creative_id: "b-1" }] }] });
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: second, creative_assignments: [{ creative_id: "b-1", weight: 30 }] }] })).toMatchObject({ status: "pending_start", revision: 3 });
    await expectOneChange(it, 2);
  });

  test("assignments replace, uploads add", async () => {
    const it = await placed(homepage({ creatives: [banner("b-1"), banner("b-2")] }));
    const [package_ = ""] = it.packageIds;
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: package_, creative_assignments: [{ creative_id: "b-2", weight: 5 }], creatives: [banner("b-3")] }] })).toMatchObject({
      affected_packages: [{ creative_assignments: [{ creative_id: "b-2", weight: 5 }, { creative_id: "b-3" }] }],
    });
    expect(await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: package_, creatives: [banner("b-4")] }] })).toMatchObject({ affected_packages: [{ creative_assignments: [{ creative_id: "b-2" }, { creative_id: "b-3" }, { creative_id: "b-4" }] }] });
    const emptied = await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: package_, creative_assignments: [] }] });
    expect(emptied).toMatchObject({ status: "pending_start", affected_packages: [{ format_ids_to_provide: expect.any(Array) }] });
  });

  test("a weight above zero is never kept as zero", async () => {
    const it = await placed(homepage({ creatives: [banner("b-1", { weight: 0.4 }), banner("b-2", { weight: 2.6 }), banner("b-3", { weight: 0 })] }));
    const rows = await asSystem(it.publisher, ({ db }) => db.select({ weight: creativeAssignments.weight }).from(creativeAssignments));
    expect(rows.map(({ weight }) => weight).sort()).toEqual([0, 1, 3]);
  });

  test("more packages join, sold as in a new order", async () => {
    const it = await placed(homepage());
    const answer = await change(it.publisher, { media_buy_id: it.id, new_packages: [runOfSite({ budget: 100 })] });
    expect(answer).toMatchObject({ revision: 2, total_budget: 1100, affected_packages: [{ product_id: "run_of_site", budget: 100, impressions: 40_000 }] });
    expect((await readBuy(it.publisher, it.mediaBuyId)).packages.map((row) => row.position)).toEqual([0, 1]);
    await expectOneChange(it);
    expect((await audits(it)).at(-1)?.action).toBe("media_buy.added_packages");
  });

  test("a package that joins late is sold for what is left of the flight", async () => {
    const it = await placed(homepage());
    const late = new Date(days(30));
    // Thirty days would take it; two do not.
    await expect(change(it.publisher, { media_buy_id: it.id, new_packages: [homepage({ budget: 1_000_000 })] }, late)).rejects.toMatchObject({ code: "BUDGET_EXCEEDED", field: "new_packages[0].budget" });
    await change(it.publisher, { media_buy_id: it.id, new_packages: [homepage({ budget: 150_000 })] }, late);
    const { packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect(packages[1]?.startsAt).toEqual(new Date(late.getTime() + 15 * 60_000));
  });

  test("canceling every package cancels the order", async () => {
    const it = await placed(homepage(), homepage());
    const [first = "", second = ""] = it.packageIds;
    await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: first, canceled: true }] });
    expect(await change(it.publisher, { media_buy_id: it.id, paused: true, packages: [{ package_id: second, canceled: true }] })).toMatchObject({ status: "canceled", revision: 3, valid_actions: [], affected_packages: [{ package_id: second, canceled: true }] });
    await expectOneChange(it, 2);
    expect((await readBuy(it.publisher, it.mediaBuyId)).buy).toMatchObject({ status: "canceled", canceledAt: NOW, canceledBy: "buyer" });
  });

  test("all of it or nothing", async () => {
    const it = await placed(homepage(), homepage());
    const [first = "", second = ""] = it.packageIds;
    await expect(change(it.publisher, { media_buy_id: it.id, paused: true, packages: [{ package_id: first, budget: 500 }, { package_id: second, budget: 0 }] })).rejects.toMatchObject({ code: "BUDGET_TOO_LOW", field: "packages[1].budget" });
    const { buy, packages } = await readBuy(it.publisher, it.mediaBuyId);
    expect(buy).toMatchObject({ status: "pending_creatives", revision: 1, desiredVersion: 1 });
    expect(packages.map((row) => row.budgetMicros)).toEqual([1_000_000_000n, 1_000_000_000n]);
  });

  test("what changes nothing moves nothing", async () => {
    const it = await placed(homepage());
    const [package_ = ""] = it.packageIds;
    for (const nothing of [{}, { paused: false }, { end_time: days(32) }, { packages: [{ package_id: package_, budget: 1000, paused: false, pacing: "even" }] }]) {
      expect(await change(it.publisher, { media_buy_id: it.id, ...nothing })).toMatchObject({ status: "pending_creatives", revision: 1, affected_packages: [] });
    }
    await expectOneChange(it, 0);
  });

  test("a change asks for execution again also of a connection that was blocked", async () => {
    const it = await placed(homepage());
    const { fulfilments } = await import("../fulfilment/schema");
    await asSystem(it.publisher, ({ db }) => db.update(fulfilments).set({ state: "blocked", blockedCode: "x", blockedReason: "Inventory is short" }));
    await change(it.publisher, { media_buy_id: it.id, end_time: days(33) });
    expect((await readBuy(it.publisher, it.mediaBuyId)).fulfilments).toMatchObject([{ state: "pending", blockedCode: null, blockedReason: null, desiredVersion: 2 }]);
  });
});

describe("concurrency and states", () => {
  test("a stale revision is CONFLICT, the current one passes", async () => {
    const it = await placed(homepage());
    await change(it.publisher, { media_buy_id: it.id, revision: 1, paused: true });
    await expect(change(it.publisher, { media_buy_id: it.id, revision: 1, paused: false })).rejects.toMatchObject({ code: "CONFLICT", field: "revision", details: { current_revision: 2 } });
    expect(await change(it.publisher, { media_buy_id: it.id, revision: 2, paused: false })).toMatchObject({ revision: 3 });
  });

  test("two changes of one revision at once: exactly one wins", async () => {
    const it = await placed(homepage());
    const [package_ = ""] = it.packageIds;
    const results = await Promise.allSettled([100, 200, 300, 400].map((budget) => change(it.publisher, { media_buy_id: it.id, revision: 1, packages: [{ package_id: package_, budget }] })));
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "CONFLICT" });
    await expectOneChange(it);
  });

  test("a cancellation wins over everything beside it, and keeps the creatives", async () => {
    const it = await placed(homepage({ creatives: [banner()] }));
    const [package_ = ""] = it.packageIds;
    expect(await change(it.publisher, { media_buy_id: it.id, canceled: true, paused: true, end_time: days(-9), budget: 7, packages: [{ package_id: package_, budget: -1 }] })).toMatchObject({ status: "canceled", revision: 2, total_budget: 1000 });
    const kept = await asSystem(it.publisher, async ({ db }) => ({ library: await db.select().from(creatives), assigned: await db.select().from(creativeAssignments) }));
    expect(kept.library).toMatchObject([{ status: "approved", archivedAt: null }]);
    expect(kept.assigned).toHaveLength(1);
  });

  test("a canceled order cannot be canceled again, and takes no other change", async () => {
    const it = await placed(homepage());
    const [package_ = ""] = it.packageIds;
    await change(it.publisher, { media_buy_id: it.id, canceled: true });
    await expect(change(it.publisher, { media_buy_id: it.id, canceled: true })).rejects.toMatchObject({ code: "NOT_CANCELLABLE" });
    await expect(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: package_, canceled: true }] })).rejects.toMatchObject({ code: "NOT_CANCELLABLE" });
    for (const other of [{ paused: true }, { paused: false }, { end_time: days(50) }, { packages: [{ package_id: package_, budget: 5 }] }]) {
      await expect(change(it.publisher, { media_buy_id: it.id, ...other })).rejects.toMatchObject({ code: "INVALID_STATE" });
    }
    await expectOneChange(it);
  });

  test("completed and rejected orders take no changes", async () => {
    for (const path of [["paused", "completed"], ["rejected"]] as const) {
      const it = await placed(homepage());
      let from: "pending_creatives" | "paused" = "pending_creatives";
      for (const to of path) {
        await asSystem(it.publisher, (ctx) => transitionMediaBuy(ctx, { mediaBuyId: it.mediaBuyId, from: [from], to }));
        if (to === "paused") from = to;
      }
      await expect(change(it.publisher, { media_buy_id: it.id, paused: true })).rejects.toMatchObject({ code: "INVALID_STATE" });
      await expect(change(it.publisher, { media_buy_id: it.id, canceled: true })).rejects.toMatchObject({ code: "NOT_CANCELLABLE" });
    }
  });

  test("a flight that is over takes no changes, even before the clock has seen it", async () => {
    const it = await placed(homepage());
    const later = new Date(days(33));
    await expect(change(it.publisher, { media_buy_id: it.id, end_time: days(60) }, later)).rejects.toMatchObject({ code: "INVALID_STATE" });
    await expect(change(it.publisher, { media_buy_id: it.id, canceled: true }, later)).rejects.toMatchObject({ code: "NOT_CANCELLABLE" });
  });
});

describe("bad changes", () => {
  const cases: [string, (package_: string) => Record<string, unknown>, { code: string; field: string }][] = [
    ["an unknown package", () => ({ packages: [{ package_id: "does-not-exist", paused: true }] }), { code: "PACKAGE_NOT_FOUND", field: "packages[0].package_id" }],
    ["a package named twice", (id) => ({ packages: [{ package_id: id, paused: true }, { package_id: id, budget: 50 }] }), { code: "VALIDATION_ERROR", field: "packages[1].package_id" }],
    ["a zero budget", (id) => ({ packages: [{ package_id: id, budget: 0 }] }), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a budget below the minimum", (id) => ({ packages: [{ package_id: id, budget: 5 }] }), { code: "BUDGET_TOO_LOW", field: "packages[0].budget" }],
    ["a budget beyond the daily maximum", (id) => ({ packages: [{ package_id: id, budget: 9_000_000 }] }), { code: "BUDGET_EXCEEDED", field: "packages[0].budget" }],
    ["a bid on a fixed price", (id) => ({ packages: [{ package_id: id, bid_price: 99 }] }), { code: "VALIDATION_ERROR", field: "packages[0].bid_price" }],
    ["an end in the past", () => ({ end_time: days(-1) }), { code: "VALIDATION_ERROR", field: "end_time" }],
    ["an end before the start", () => ({ end_time: days(1) }), { code: "VALIDATION_ERROR", field: "end_time" }],
    ["a start in the past", () => ({ start_time: days(-1) }), { code: "VALIDATION_ERROR", field: "start_time" }],
    ["a package beyond the order", (id) => ({ packages: [{ package_id: id, end_time: days(99) }] }), { code: "VALIDATION_ERROR", field: "packages[0].end_time" }],
    ["targeting that cannot be expressed", (id) => ({ packages: [{ package_id: id, targeting_overlay: { device_type: ["mobile"] } }] }), { code: "UNSUPPORTED_FEATURE", field: "packages[0].targeting_overlay.device_type" }],
    ["another product", (id) => ({ packages: [{ package_id: id, product_id: "run_of_site" }] }), { code: "UNSUPPORTED_FEATURE", field: "packages[0].product_id" }],
    ["keywords", (id) => ({ packages: [{ package_id: id, keyword_targets_add: [{ keyword: "x", match_type: "exact" }] }] }), { code: "UNSUPPORTED_FEATURE", field: "packages[0].keyword_targets_add" }],
    ["optimization goals", (id) => ({ packages: [{ package_id: id, optimization_goals: [] }] }), { code: "UNSUPPORTED_FEATURE", field: "packages[0].optimization_goals" }],
    ["a budget of the whole order", () => ({ budget: 5000 }), { code: "UNSUPPORTED_FEATURE", field: "budget" }],
    ["another invoice recipient", () => ({ invoice_recipient: {} }), { code: "UNSUPPORTED_FEATURE", field: "invoice_recipient" }],
    ["reports at no frequency", () => ({ reporting_webhook: {} }), { code: "VALIDATION_ERROR", field: "reporting_webhook.reporting_frequency" }],
    ["a new package of an unknown product", () => ({ new_packages: [homepage({ product_id: "nothing" })] }), { code: "PRODUCT_NOT_FOUND", field: "new_packages[0].product_id" }],
    ["an unknown creative", (id) => ({ packages: [{ package_id: id, creative_assignments: [{ creative_id: "x" }] }] }), { code: "CREATIVE_NOT_FOUND", field: "packages[0].creative_assignments[0].creative_id" }],
    ["a webhook inside a network", () => ({ paused: true, push_notification_config: { url: "http://10.0.0.1/x" } }), { code: "VALIDATION_ERROR", field: "push_notification_config.url" }],
  ];
  test.each(cases)("%s", async (_name, request, expected) => {
    const it = await placed(homepage());
    await expect(change(it.publisher, { media_buy_id: it.id, ...request(it.packageIds[0] ?? "") })).rejects.toMatchObject(expected);
    await expectOneChange(it, 0);
  });

  test("a bid under the floor that was agreed", async () => {
    const it = await placed(runOfSite());
    await expect(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: it.packageIds[0], bid_price: 1.5 }] })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].bid_price" });
  });

  test("a start after the flight has begun", async () => {
    const it = await placed(homepage());
    await expect(change(it.publisher, { media_buy_id: it.id, start_time: days(9) }, new Date(days(5)))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "start_time" });
  });

  test("a package's end before the order can begin, and a package's start in the past", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order({ start_time: days(0) }, homepage(), homepage({ start_time: days(5) })));
    const [first, second] = (await readBuy(publisher, mediaBuyId)).packages.map((row) => toWireId("package", row.id));
    const id = toWireId("mediaBuy", mediaBuyId);
    await expect(change(publisher, { media_buy_id: id, packages: [{ package_id: first, end_time: days(1 / 144) }] })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].end_time" });
    await expect(change(publisher, { media_buy_id: id, packages: [{ package_id: second, start_time: days(1) }] }, new Date(days(2)))).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "packages[0].start_time" });
    expect(await change(publisher, { media_buy_id: id, packages: [{ package_id: second, start_time: days(3) }] }, new Date(days(2)))).toMatchObject({ revision: 2 });
  });

  test("an end that a package with dates of its own would outlive", async () => {
    const it = await placed(homepage(), homepage({ end_time: days(20) }));
    await expect(change(it.publisher, { media_buy_id: it.id, end_time: days(10) })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "end_time" });
    const second = it.packageIds[1];
    expect(await change(it.publisher, { media_buy_id: it.id, end_time: days(10), packages: [{ package_id: second, end_time: days(8) }] })).toMatchObject({ revision: 2 });
  });

  test("a product that needs a review cannot join a confirmed order", async () => {
    const publisher = await createPublisher({ products: [{ productId: "free" }, { productId: "premium", isReviewRequired: true }] });
    const free = { product_id: "free", pricing_option_id: "cpm_fixed", budget: 100 };
    const { payload } = await place(publisher, order({}, free));
    await expect(change(publisher, { media_buy_id: payload.media_buy_id, new_packages: [{ ...free, product_id: "premium" }] })).rejects.toMatchObject({ code: "UNSUPPORTED_FEATURE", field: "new_packages[0].product_id" });
  });
});

describe("a foreign order is as unknown as one that never was", () => {
  /** All that the buyer would see of a refusal. */
  async function refusal(attempt: Promise<unknown>): Promise<string> {
    const error = await attempt.then(() => undefined, (reason: unknown) => reason);
    if (!(error instanceof AppError)) throw new Error("It was not refused.");
    return JSON.stringify([error.code, error.userMessage, error.field, error.suggestion, error.details]);
  }

  test("to another buyer, to another publisher, before its approval, and malformed", async () => {
    const it = await placed(homepage());
    const waiting = await createPublisher({ isReviewRequired: true });
    const { mediaBuyId } = await place(waiting, order());
    const other = { tenantId: it.publisher.tenantId, ...(await createBuyer(it.publisher.tenantId, { name: "Another agency" })) };
    const elsewhere = await createPublisher();
    const never = toWireId("mediaBuy", "018f0000-0000-7000-8000-000000000000");
    const answers = await Promise.all([
      refusal(change(other, { media_buy_id: it.id, paused: true })), refusal(change(elsewhere, { media_buy_id: it.id, paused: true })), refusal(change(other, { media_buy_id: never, paused: true })),
      refusal(change(other, { media_buy_id: "nonsense", paused: true })), refusal(change(waiting, { media_buy_id: toWireId("mediaBuy", mediaBuyId), paused: true })),
    ]);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("MEDIA_BUY_NOT_FOUND");
    expect(answers[0]).not.toContain(it.id);
    await expectOneChange(it, 0);
  });

  test("a package of another order is unknown too", async () => {
    const it = await placed(homepage());
    const { mediaBuyId } = await place(it.publisher, order());
    const [foreign] = (await readBuy(it.publisher, mediaBuyId)).packages;
    const known = await refusal(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: toWireId("package", foreign?.id ?? ""), paused: true }] }));
    expect(known).toBe(await refusal(change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: "pkg_x", paused: true }] })));
  });
});

test("the buyer reads the history of what changed", async () => {
  const it = await placed(homepage());
  await change(it.publisher, { media_buy_id: it.id, paused: true });
  await change(it.publisher, { media_buy_id: it.id, packages: [{ package_id: it.packageIds[0], budget: 2000 }] });
  const { media_buys: [buy] } = await list(it.publisher, { media_buy_ids: [it.id], include_history: 2 });
  expect(buy?.history).toMatchObject([
    { revision: 3, action: "updated_budget", actor: it.publisher.principal.name, summary: expect.stringContaining("2000") }, { revision: 2, action: "paused" },
  ]);
});
