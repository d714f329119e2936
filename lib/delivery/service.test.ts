import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asSystem, NOW, order, homepage, runOfSite, place, readBuy } from "@/test/fixtures/orders";
import { createPublisher } from "@/test/fixtures/publisher";
import { mediaBuys } from "../media-buys/schema";
import { addDays, dayIn, daysBetween, isDay, startOfDay } from "./days";
import { loadPackageDays, loadPackageSlices, loadTotals } from "./queries";
import { simulateBudgetSpend, simulateDelivery, spread } from "./sandbox";
import { type DeliveryDay, recordDelivery } from "./service";

useTestDatabase();

const later = (ms: number) => new Date(NOW.getTime() + ms);

const pick = ({ impressions, spendMicros, clicks, completedViews, conversions }: Omit<DeliveryDay, "packageId" | "day">) => ({ impressions, spendMicros, clicks, completedViews, conversions });

async function soldOrder() {
  const publisher = await createPublisher();
  const { mediaBuyId } = await place(publisher, order({}, homepage(), runOfSite()));
  const { packages } = await readBuy(publisher, mediaBuyId);
  const day = (index: number, date: string, overrides: Partial<DeliveryDay> = {}): DeliveryDay => ({
    packageId: packages[index]?.id ?? "", adapterConfigId: publisher.adapterConfigId, day: date, impressions: 1000, spendMicros: 12_500_000n, clicks: 3, completedViews: null, conversions: null, ...overrides,
  });
  return { publisher, mediaBuyId, day };
}

describe("recording delivery", () => {
  test("the same report twice is one day, and changes nothing the second time", async () => {
    const { publisher, mediaBuyId, day } = await soldOrder();
    const report = [day(0, "2027-03-03"), day(0, "2027-03-04"), day(1, "2027-03-03", { clicks: null })];
    expect(await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: report }))).toEqual({ changedMediaBuyIds: [mediaBuyId] });
    expect(await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: later(60_000), days: report }), later(60_000))).toEqual({ changedMediaBuyIds: [] });
    const known = await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]));
    expect(known).toHaveLength(3);
    for (const { packageId, day: date, ...figures } of report) {
      expect(known).toContainEqual({ mediaBuyId, packageId, day: date, ...pick(figures), syncedAt: later(60_000), changedAt: NOW });
    }
  });

  test("a corrected day is changed, and an older report does not undo it", async () => {
    const { publisher, mediaBuyId, day } = await soldOrder();
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: [day(0, "2027-03-03")] }));
    const corrected = await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: later(60_000), days: [day(0, "2027-03-03", { impressions: 990 })] }), later(60_000));
    expect(corrected.changedMediaBuyIds).toEqual([mediaBuyId]);
    const late = await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: [day(0, "2027-03-03")] }), later(90_000));
    expect(late.changedMediaBuyIds).toEqual([]);
    expect(await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]))).toMatchObject([{ impressions: 990, changedAt: later(60_000) }]);
  });

  test("slices of a day are replaced as a whole, dimension by dimension", async () => {
    const { publisher, mediaBuyId, day } = await soldOrder();
    const slice = (dimension: "country" | "device_type", key: string, impressions: number) => ({ dimension, key, impressions, spendMicros: 1n, clicks: null, completedViews: null, conversions: null });
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: [day(0, "2027-03-03", { slices: [slice("country", "US", 900), slice("country", "CA", 100), slice("device_type", "mobile", 700)] })] }));
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: later(60_000), days: [day(0, "2027-03-03", { slices: [slice("country", "US", 950)] })] }));
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: later(30_000), days: [day(0, "2027-03-03", { slices: [slice("country", "DE", 5)] })] }));
    const known = await asSystem(publisher, (ctx) => loadPackageSlices(ctx, [mediaBuyId], ["country", "device_type"]));
    expect(known.map(({ dimension, key, impressions }) => [dimension, key, impressions])).toEqual([["country", "US", 950], ["device_type", "mobile", 700]]);
  });

  test("figures of another publisher's packages are refused, and nobody else sees ours", async () => {
    const { publisher, mediaBuyId, day } = await soldOrder();
    const other = await createPublisher();
    await expect(asSystem(other, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: [day(0, "2027-03-03")] }))).rejects.toThrow("no package");
    await asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "ad_server", syncedAt: NOW, days: [day(0, "2027-03-03")] }));
    expect(await asSystem(other, (ctx) => loadPackageDays(ctx, [mediaBuyId]))).toEqual([]);
  });

  test("figures are made up for sandbox orders only", async () => {
    const { publisher, mediaBuyId, day } = await soldOrder();
    await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ isSandbox: false }));
    await expect(asSystem(publisher, (ctx) => recordDelivery(ctx, { source: "sandbox", syncedAt: NOW, days: [day(0, "2027-03-03")] }))).rejects.toThrow("sandbox orders only");
    await expect(asSystem(publisher, (ctx) => simulateDelivery(ctx, mediaBuyId, { impressions: 5 }))).rejects.toThrow("Nothing of this media buy");
  });
});

describe("simulated delivery of a sandbox order", () => {
  test("is spread over the packages by budget, and adds up over calls", async () => {
    const { publisher, mediaBuyId } = await soldOrder();
    await asSystem(publisher, (ctx) => simulateDelivery(ctx, mediaBuyId, { impressions: 10_000, clicks: 151, spendMicros: 150_000_000n }));
    const total = await asSystem(publisher, (ctx) => simulateDelivery(ctx, mediaBuyId, { impressions: 1 }));
    expect(total).toEqual({ impressions: 10_001, clicks: 151, spendMicros: 150_000_000n, completedViews: null, conversions: null });
    const known = await asSystem(publisher, (ctx) => loadPackageDays(ctx, [mediaBuyId]));
    expect(known.sort((a, b) => b.impressions - a.impressions)).toMatchObject([
      { day: "2027-03-01", impressions: 6668, clicks: 101, spendMicros: 100_000_000n }, { day: "2027-03-01", impressions: 3333, clicks: 50, spendMicros: 50_000_000n },
    ]);
  });

  test("spends a part of the budget, and never takes spend back", async () => {
    const { publisher, mediaBuyId } = await soldOrder();
    expect(await asSystem(publisher, (ctx) => simulateBudgetSpend(ctx, mediaBuyId, 60))).toEqual({ spentMicros: 900_000_000n, budgetMicros: 1_500_000_000n });
    expect(await asSystem(publisher, (ctx) => simulateBudgetSpend(ctx, mediaBuyId, 10))).toEqual({ spentMicros: 900_000_000n, budgetMicros: 1_500_000_000n });
    expect(await asSystem(publisher, (ctx) => loadTotals(ctx, mediaBuyId))).toMatchObject({ spendMicros: 900_000_000n, impressions: 0 });
  });

  test("parts add up to the whole", () => {
    expect(spread(10n, [1n, 1n, 1n], 3n)).toEqual([4n, 3n, 3n]);
    expect(spread(7n, [], 0n)).toEqual([]);
  });
});

describe("delivery days", () => {
  test("belong to a zone", () => {
    const instant = new Date("2027-03-02T03:30:00Z");
    expect(dayIn(instant, "America/New_York")).toBe("2027-03-01");
    expect(dayIn(instant, "Asia/Tokyo")).toBe("2027-03-02");
    expect(startOfDay("2027-03-01", "America/New_York")).toEqual(new Date("2027-03-01T05:00:00Z"));
    expect(startOfDay("2027-03-15", "America/New_York")).toEqual(new Date("2027-03-15T04:00:00Z"));
    expect(startOfDay("2027-03-14", "America/New_York")).toEqual(new Date("2027-03-14T05:00:00Z"));
    expect(startOfDay("2027-03-01", "Asia/Tokyo")).toEqual(new Date("2027-02-28T15:00:00Z"));
  });

  test("begin after the gap where clocks skip midnight", () => {
    expect(startOfDay("2018-11-04", "America/Sao_Paulo")).toEqual(new Date("2018-11-04T03:00:00Z"));
    expect(startOfDay("2018-11-05", "America/Sao_Paulo")).toEqual(new Date("2018-11-05T02:00:00Z"));
  });

  test("are dates of the calendar", () => {
    expect(["2027-02-28", "2027-02-30", "2027-13-01", "27-01-01"].map(isDay)).toEqual([true, false, false, false]);
    expect(daysBetween("2027-02-27", addDays("2027-02-27", 3))).toEqual(["2027-02-27", "2027-02-28", "2027-03-01", "2027-03-02"]);
  });
});
