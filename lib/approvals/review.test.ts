import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asActor, asBuyer, asSystem, banner, days, decide, homepage, NOW, order, place, readBuy, review, runOfSite, staff } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { accountAdvertisers, accounts } from "../accounts/schema";
import { adapterConfigs } from "../ad-servers/schema";
import { productAvailability } from "../availability/schema";
import { creatives } from "../creatives/schema";
import { fulfilmentOperations, fulfilments } from "../fulfilment/schema";
import { newId } from "../ids";
import { mediaPackages } from "../media-buys/schema";
import { currencyLimits, productTargets } from "../products/schema";
import { type ReviewCheck } from "./checks";
import { listQueue } from "./queue";
import { workflowSteps } from "./schema";

useTestDatabase();

async function waiting(...packages: Record<string, unknown>[]): Promise<{ publisher: PublisherFixture; mediaBuyId: string }> {
  const publisher = await createPublisher({ isReviewRequired: true });
  return { publisher, mediaBuyId: (await place(publisher, order({}, ...packages))).mediaBuyId };
}

async function outcomeOf(name: ReviewCheck["name"], at: PublisherFixture, mediaBuyId: string, now = NOW): Promise<ReviewCheck | undefined> {
  return (await review(at, mediaBuyId, now)).checks.find((check) => check.name === name);
}

describe("what the screen of a media buy shows", () => {
  test("buyer, account, packages with creatives, checks, preview, step, timeline and the request", async () => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }), runOfSite());
    const shown = await review(publisher, mediaBuyId);
    expect(shown).toMatchObject({
      mediaBuy: { id: mediaBuyId, status: "pending_approval" }, buyer: { name: publisher.principal.name, isSandbox: true }, account: { brandDomain: "acmeoutdoor.example" },
      packages: [{ sold: { productName: "Homepage display" }, creatives: [{ creative: { creativeId: "banner-1" } }] }, { creatives: [] }],
      canApprove: true, openStep: { kind: "media_buy_approval", state: "requires_approval" }, deliveries: [], rawRequest: { brand: { domain: "acmeoutdoor.example" } },
      fulfilments: [{ state: "pending", connection: { name: "Ad Manager", kind: "google_ad_manager" }, operations: [] }],
    });
    expect(shown.shownHash).toMatch(/^[0-9a-f]{64}$/);
    expect(shown.previews).toMatchObject([{ connectionName: "Ad Manager", mode: "simulated", problems: [], plan: { outcome: "operations" } }]);
    expect(shown.timeline.map((entry) => entry.title)).toEqual(expect.arrayContaining([expect.stringMatching(/^Ordered .* for \$[\d,]+\.\d\d$/) as string]));
  });

  test("looking changes nothing, and two looks see the same", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const [first, second] = [await review(publisher, mediaBuyId), await review(publisher, mediaBuyId)];
    expect(second.shownHash).toBe(first.shownHash);
    expect(second.mediaBuy).toEqual(first.mediaBuy);
    expect(second.fulfilments).toEqual(first.fulfilments);
  });

  test("the timeline merges changes, operations of ad servers and notifications by time", async () => {
    const { publisher, mediaBuyId } = await waiting();
    await decide(publisher, mediaBuyId, "approve");
    await asSystem(publisher, async ({ db, tenantId }) => {
      const [fulfilment] = await db.select().from(fulfilments);
      await db.insert(fulfilmentOperations).values({
        tenantId, id: newId(), fulfilmentId: fulfilment?.id ?? "", desiredVersion: 2, position: 0, operationKey: "create-order", kind: "create_order", summary: "Create the order", payload: {}, intentHash: "x",
        state: "failed", attempts: 3, error: { code: "quota", message: "Google Ad Manager is busy", isPermanent: false }, startedAt: new Date(days(1)), createdAt: new Date(days(1)),
      });
    });
    const { timeline, fulfilments: [fulfilment] } = await review(publisher, mediaBuyId);
    expect(timeline.map((entry) => entry.at.getTime())).toEqual(timeline.map((entry) => entry.at.getTime()).sort((a, b) => a - b));
    expect(timeline.at(-1)).toMatchObject({ kind: "operation", title: "Create the order", outcome: "failed", details: ["3 attempts", "Google Ad Manager is busy"] });
    expect(new Set(timeline.map((entry) => entry.key)).size).toBe(timeline.length);
    expect(fulfilment?.operations).toMatchObject([{ operationKey: "create-order" }]);
  });
});

describe("checks", () => {
  test("all is well but for what nobody knows", async () => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }));
    const { checks } = await review(publisher, mediaBuyId);
    expect(checks.filter((check) => check.outcome !== "pass")).toMatchObject([{ name: "advertiser", outcome: "warn" }, { name: "availability", outcome: "warn" }]);
  });

  test("what was free at the last sync is compared with what is asked for", async () => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }));
    const { packages: [sold] } = await readBuy(publisher, mediaBuyId);
    const state = (free: number) => asSystem(publisher, async ({ db, tenantId }) => {
      const [target] = await db.select().from(productTargets).where(eq(productTargets.productId, sold?.productId ?? ""));
      const figures = { forecast: Array.from({ length: 90 }, () => 100_000), available: Array.from({ length: 90 }, () => free) };
      await db.insert(productAvailability).values({ tenantId, productId: target?.productId ?? "", adapterConfigId: target?.adapterConfigId ?? "", config: target?.config ?? {}, firstDay: NOW.toISOString().slice(0, 10), generatedAt: NOW, ...figures })
        .onConflictDoUpdate({ target: [productAvailability.tenantId, productAvailability.productId, productAvailability.adapterConfigId], set: figures });
    });
    await state(100_000);
    expect(await outcomeOf("availability", publisher, mediaBuyId)).toMatchObject({ outcome: "pass", message: expect.stringContaining("There was room for every package as of") });
    await state(1);
    expect(await outcomeOf("availability", publisher, mediaBuyId)).toMatchObject({ outcome: "warn", message: expect.stringMatching(/impressions are asked for, and \d+ were free as of/) });
  });

  const cases: [string, ReviewCheck["name"], ReviewCheck["outcome"], (publisher: PublisherFixture) => Promise<unknown>][] = [
    ["a budget below a minimum that was raised since", "budget", "warn", (publisher) => asSystem(publisher, ({ db }) => db.update(currencyLimits).set({ minPackageMicros: 5_000_000_000n }))],
    ["a rejected creative", "creatives", "warn", (publisher) => asSystem(publisher, ({ db }) => db.update(creatives).set({ status: "rejected" }))],
    ["a creative with nothing to serve", "creatives", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(creatives).set({ assets: {} }))],
    ["targeting that the ad server cannot express", "targeting", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(mediaPackages).set({ targeting: { device_type: ["mobile"] } }))],
    ["a connection that lost its verification", "connection", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(adapterConfigs).set({ status: "unverified" }))],
    ["an archived connection", "connection", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(adapterConfigs).set({ archivedAt: NOW }))],
    ["an account that was suspended meanwhile", "advertiser", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(accounts).set({ status: "suspended" }))],
    ["a connection of another currency", "currency", "block", (publisher) => asSystem(publisher, ({ db }) => db.update(adapterConfigs).set({ currency: "EUR" }))],
  ];
  test.each(cases)("%s", async (_name, check, outcome, spoil) => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }));
    expect((await outcomeOf(check, publisher, mediaBuyId))?.outcome).toBe(check === "advertiser" ? "warn" : "pass");
    await spoil(publisher);
    expect(await outcomeOf(check, publisher, mediaBuyId)).toMatchObject({ outcome, message: expect.stringMatching(/.{10}/) });
    expect((await review(publisher, mediaBuyId)).canApprove).toBe(outcome === "warn");
  });

  test("dates: ahead, too soon, over", async () => {
    const { publisher, mediaBuyId } = await waiting();
    expect(await outcomeOf("dates", publisher, mediaBuyId)).toMatchObject({ outcome: "pass" });
    expect(await outcomeOf("dates", publisher, mediaBuyId, new Date(days(5)))).toMatchObject({ outcome: "warn" });
    expect(await outcomeOf("dates", publisher, mediaBuyId, new Date(days(33)))).toMatchObject({ outcome: "block" });
  });

  test("missing creatives hold the order, not the approval", async () => {
    const { publisher, mediaBuyId } = await waiting();
    expect(await outcomeOf("creatives", publisher, mediaBuyId)).toMatchObject({ outcome: "warn", message: expect.stringContaining("no creative yet") });
  });

  test("a chosen advertiser passes by its name", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const { account } = await review(publisher, mediaBuyId);
    await asSystem(publisher, ({ db, tenantId }) => db.insert(accountAdvertisers).values({ tenantId, accountId: account.id, adapterConfigId: publisher.adapterConfigId, externalAdvertiserId: "77", advertiserName: "Acme Inc." }));
    expect(await outcomeOf("advertiser", publisher, mediaBuyId)).toMatchObject({ outcome: "pass", message: expect.stringContaining("Acme Inc.") });
  });
});

describe("the queue of what waits for a person", () => {
  test("oldest first, with counts per kind and what is overdue", async () => {
    const publisher = await createPublisher({ isReviewRequired: true });
    const placed: string[] = [];
    for (let i = 0; i < 12; i += 1) placed.push((await place(publisher, order(), new Date(NOW.getTime() + i * 1000))).mediaBuyId);
    const decided = placed.shift() ?? "";
    await decide(publisher, decided, "approve");
    await asSystem(publisher, async ({ db, tenantId }) => {
      const [fulfilment] = await db.select().from(fulfilments).where(eq(fulfilments.mediaBuyId, decided));
      await db.insert(workflowSteps).values({ tenantId, id: newId(), kind: "fulfilment_blocked", state: "pending", mediaBuyId: decided, fulfilmentId: fulfilment?.id, payload: { reason: "Inventory is short", choices: [] }, createdAt: new Date(days(1)) });
    });
    const viewer = staff("viewer");
    const look = (input: Parameters<typeof listQueue>[1], now = NOW) => asActor(publisher, viewer, (ctx) => listQueue(ctx, input), now);
    const first = await look({ page: 1, pageSize: 10 });
    expect(first.counts).toEqual({ media_buy_approval: 11, fulfilment_blocked: 1, governance_stopped: 0, creative_review: 0 });
    expect(first.total).toBe(12);
    expect(first.rows.map((row) => row.subject.id)).toEqual(placed.slice(0, 10));
    expect(first.rows[0]).toMatchObject({ kind: "media_buy_approval", buyerName: publisher.principal.name, subject: { kind: "media_buy", budgetMicros: 1_000_000_000n }, isOverdue: false });
    const second = await look({ page: 2, pageSize: 10 });
    expect(second.rows.map((row) => row.kind)).toEqual(["media_buy_approval", "fulfilment_blocked"]);
    const blocked = await look({ kind: "fulfilment_blocked", page: 1, pageSize: 25 });
    expect(blocked).toMatchObject({ total: 1, rows: [{ subject: { id: decided }, reason: "Inventory is short" }] });
    expect((await look({ page: 1, pageSize: 10 }, new Date(days(3)))).rows[0]).toMatchObject({ isOverdue: true });
    const other = await createPublisher();
    expect((await asActor(other, viewer, (ctx) => listQueue(ctx, { page: 1, pageSize: 10 }))).total).toBe(0);
    await expect(asBuyer(publisher, (ctx) => listQueue(ctx, { page: 1, pageSize: 10 }))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });
});
