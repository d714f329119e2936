import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adServerDriver } from "../drivers";
import { type AppliedOrder, type DesiredOrder } from "../types";
import { bookableOrder, converge, inDays, KIND, lastSegment, makeCreative, startGam, type Gam } from "@/test/gam";

let gam: Gam;
beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(() => gam.reset());

async function expectInSync(desired: DesiredOrder, applied: AppliedOrder): Promise<Record<string, string>> {
  const observation = await gam.driver.observe(desired, applied, gam.call());
  expect(observation.differences).toEqual([]);
  expect(observation.isInSync).toBe(true);
  return observation.statuses;
}

describe("wire shapes", () => {
  test("the order, its line item, creative and association are exactly what was sold", async () => {
    const inventory = await gam.inventory();
    const target = { adUnitIds: [inventory.adUnitId], placementIds: [inventory.placementId], lineItemType: "STANDARD", priority: 7, customTargeting: [{ keyId: inventory.keyId, valueIds: inventory.valueIds, operator: "IS_NOT" }] };
    const desired = bookableOrder(inventory, {}, [{ target, targeting: { geo_countries: ["US", "CA"], frequency_cap: { max_impressions: 3, per: "devices", window: { interval: 1, unit: "days" } } } }]);
    const { applied } = await converge(gam, desired);
    const [line] = desired.lines;
    const [creative] = line?.creatives ?? [];
    const network = "networks/21700000001";
    const me = (await gam.rows("users")).find((user) => user.serviceAccount === true);

    const [order, ...otherOrders] = await gam.rows("orders");
    expect(otherOrders).toEqual([]);
    expect(order).toMatchObject({
      displayName: desired.name, advertiser: `${network}/companies/${inventory.advertiserId}`, trafficker: me?.name, externalOrderId: desired.externalOrderNumber, poNumber: "PO-77", status: "APPROVED", archived: false,
    });
    const [item, ...otherItems] = await gam.rows("lineItems");
    expect(otherItems).toEqual([]);
    expect(item).toMatchObject({
      order: order?.name, displayName: line?.name, lineItemType: "STANDARD", priority: 7, costType: "CPM", rate: { currencyCode: "USD", units: "12", nanos: 500_000_000 },
      goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "100000" }, deliveryRateType: "EVENLY", creativeRotationType: "EVENLY", environmentType: "BROWSER",
      creativePlaceholders: [{ size: { width: 300, height: 250, sizeType: "PIXEL" } }], frequencyCaps: [{ maxImpressions: "3", timeAmount: "1", timeUnit: "DAY" }],
      targeting: {
        inventoryTargeting: { targetedAdUnits: [{ adUnit: `${network}/adUnits/${inventory.adUnitId}`, includeDescendants: true }], targetedPlacements: [`${network}/placements/${inventory.placementId}`] },
        geoTargeting: { targetedGeos: [`${network}/geoTargets/2124`, `${network}/geoTargets/2840`] },
        customTargeting: { customTargetingClauses: [{ customTargetingLiterals: [{
          customTargetingKey: `${network}/customTargetingKeys/${inventory.keyId}`, customTargetingValues: [...inventory.valueIds].sort().map((id) => `${network}/customTargetingValues/${id}`), negative: true,
        }] }] },
      },
      budget: { currencyCode: "USD", units: "1250" }, status: "READY",
    });
    expect(String(item?.externalLineItemId)).toMatch(/^pkg_[0-9a-z]{26}$/);
    expect(line?.name).toContain(String(item?.externalLineItemId));
    expect(Date.parse(String(item?.startTime))).toBe(Date.parse(line?.startsAt ?? ""));
    expect(Date.parse(String(item?.targetEndTime))).toBe(Date.parse(line?.endsAt ?? ""));

    const [uploaded] = await gam.rows("creatives");
    expect(uploaded).toMatchObject({
      advertiser: `${network}/companies/${inventory.advertiserId}`, size: { width: 300, height: 250, sizeType: "PIXEL" },
      imageRedirectCreative: { imageUrl: "https://cdn.example/banner.png", destinationUrl: "https://acme.example/spring", destinationUrlType: "CLICK_TO_WEB" },
    });
    expect(uploaded?.displayName).toBe(`Spring banner ${creative?.suffix} ${desired.suffix}`);
    expect(await gam.rows("associations")).toMatchObject([{ lineItem: item?.name, creative: uploaded?.name, status: "ACTIVE" }]);
    expect(applied.objects.map(({ kind, externalId }) => [kind, externalId])).toEqual([
      ["order", lastSegment(order?.name ?? "")], ["line_item", lastSegment(item?.name ?? "")], ["creative", lastSegment(uploaded?.name ?? "")],
      ["association", `${lastSegment(item?.name ?? "")}/${lastSegment(uploaded?.name ?? "")}`],
    ]);
    await expectInSync(desired, applied);
  });

  test("VAST, native, clicks, days and audio reach the ad server as what they are", async () => {
    const inventory = await gam.inventory();
    const target = (lineItemType: string, more: object = {}) => ({ adUnitIds: [inventory.adUnitId], placementIds: [], lineItemType, ...more });
    const video = { width: 640, height: 360, kind: "video" as const };
    const desired = bookableOrder(inventory, {}, [
      { productName: "Video", target: target("STANDARD"), placeholders: [video], creatives: [makeCreative({ ...video, durationMs: 15_000, source: { type: "vast_url", url: "https://ads.example/vast.xml" }, impressionTrackerUrls: ["https://track.example/i"] })] },
      { productName: "Audio", target: target("STANDARD"), placeholders: [{ width: 1, height: 1, kind: "audio" }], creatives: [makeCreative({ kind: "audio", width: 1, height: 1, durationMs: 30_000, source: { type: "vast_url", url: "https://ads.example/audio.xml" }, clickUrl: null })] },
      { productName: "Native", target: target("PRICE_PRIORITY"), placeholders: [{ width: 1, height: 1, kind: "native" }], creatives: [makeCreative({ kind: "native", width: 1, height: 1, source: { type: "native", fields: { title: "Walk <far>", main_image: "https://cdn.example/m.jpg" } } })] },
      { productName: "Clicks", target: target("PRICE_PRIORITY"), pricingModel: "cpc", rateMicros: "1200000", units: "833" },
      { productName: "Takeover", target: target("SPONSORSHIP", { sharePercent: 50 }), pricingModel: "time", rateMicros: "4500000000", budgetMicros: "13500000000", units: "3" },
    ]);
    const { applied } = await converge(gam, desired);
    const items = new Map((await gam.rows("lineItems")).map((item) => [String(item.displayName).split(" [")[0], item]));
    expect(items.get("Video")).toMatchObject({ environmentType: "VIDEO_PLAYER", maxVideoCreativeDuration: "60s", creativePlaceholders: [{ size: { width: 640, height: 360, sizeType: "PIXEL" } }] });
    expect(items.get("Audio")).toMatchObject({ environmentType: "VIDEO_PLAYER", creativePlaceholders: [{ size: { width: 1, height: 1, sizeType: "AUDIO" } }] });
    expect(items.get("Native")).toMatchObject({ environmentType: "BROWSER", creativePlaceholders: [{ size: { width: 1, height: 1, sizeType: "FLUID" } }] });
    expect(items.get("Clicks")).toMatchObject({ costType: "CPC", rate: { units: "1", nanos: 200_000_000 }, goal: { goalType: "LIFETIME", unitType: "CLICKS", units: "833" } });
    expect(items.get("Takeover")).toMatchObject({ costType: "CPD", rate: { units: "4500" }, goal: { goalType: "DAILY", unitType: "IMPRESSIONS", units: "50" }, priority: 4 });
    const creatives = await gam.rows("creatives");
    expect(creatives.find(({ vastRedirectCreative }) => vastRedirectCreative !== undefined)).toMatchObject({
      vastRedirectCreative: { vastXmlUrl: "https://ads.example/vast.xml", vastRedirectType: "LINEAR", duration: "15s", trackingUrls: [{ conversionEvent: "CREATIVE_VIEW", url: "https://track.example/i" }] },
    });
    expect(creatives.filter(({ vastRedirectCreative }) => vastRedirectCreative !== undefined)[1]).toMatchObject({ vastRedirectCreative: { audio: true, destinationUrlType: "NONE" }, size: { sizeType: "AUDIO" } });
    const native = JSON.stringify(creatives.find(({ customCreative }) => customCreative !== undefined));
    expect(native).toContain("Walk &lt;far&gt;");
    await expectInSync(desired, applied);
  });

  test("120 packages are 120 line items, never more than 50 to a request or an approval", async () => {
    const inventory = await gam.inventory();
    const desired = bookableOrder(inventory, {}, Array.from({ length: 120 }, (_, index) => ({ productName: `Package ${index + 1}`, creatives: index < 60 ? [makeCreative()] : [] })));
    const { applied } = await converge(gam, desired);
    expect(await gam.rows("lineItems")).toHaveLength(120);
    expect(await gam.rows("associations")).toHaveLength(60);
    const batches = await gam.journal("lineItems:batchCreate");
    expect(batches.map(({ created }) => created.length)).toEqual([50, 50, 20]);
    await expectInSync(desired, applied);
  });

  test("a missing advertiser is created once and found again", async () => {
    const inventory = await gam.inventory();
    const changes = { advertiserExternalId: null, advertiserToCreate: "Brand new GmbH" };
    const first = await converge(gam, bookableOrder(inventory, changes));
    const second = await converge(gam, bookableOrder(inventory, changes));
    const created = (await gam.rows("companies")).filter(({ displayName }) => displayName === "Brand new GmbH");
    expect(created).toMatchObject([{ type: "ADVERTISER" }]);
    expect([first.advertiserId, second.advertiserId]).toEqual([lastSegment(created[0]?.name ?? ""), lastSegment(created[0]?.name ?? "")]);
  });

  test("a start that is too near becomes the next moment that the API takes, and stays in sync", async () => {
    const desired = bookableOrder(await gam.inventory(), {}, [{ startsAt: inDays(-0.01) }]);
    const begunMs = Date.now();
    const { applied } = await converge(gam, desired);
    const [item] = await gam.rows("lineItems");
    const startMs = Date.parse(String(item?.startTime));
    expect(startMs).toBeGreaterThan(begunMs + 30_000);
    expect(startMs).toBeLessThan(Date.now() + 90_000);
    await expectInSync(desired, applied);
  });
});

describe("changes arrive", () => {
  async function booked(): Promise<{ desired: DesiredOrder; applied: AppliedOrder }> {
    const desired = bookableOrder(await gam.inventory(), {}, [{ creatives: [makeCreative(), makeCreative()] }, { productName: "Sport" }]);
    const { applied } = await converge(gam, desired);
    return { desired, applied };
  }
  const editFirst = (desired: DesiredOrder, edits: Partial<DesiredOrder["lines"][number]>): DesiredOrder => ({ ...desired, version: desired.version + 1, lines: desired.lines.map((line, index) => (index === 0 ? { ...line, ...edits } : line)) });

  test("budget, rate, end, pacing, targeting, name and purchase order", async () => {
    const { desired, applied } = await booked();
    const endsAt = inDays(45);
    const changed = { ...editFirst(desired, { units: "64000", rateMicros: "15250000", endsAt, pacing: "asap" as const, targeting: { geo_countries_exclude: ["FR"] } }), name: `Summer ${desired.suffix}`, poNumber: "PO-78" };
    const result = await converge(gam, changed, applied);
    expect(result.operations.map(({ key }) => key)).toEqual(["update-order", "update-line-items:0"]);
    const [request] = await gam.journal("lineItems:batchUpdate");
    expect(request?.body).toMatchObject({ requests: [{ updateMask: "rate,goal.units,targetEndTime,deliveryRateType,targeting" }] });
    const item = (await gam.rows("lineItems")).find(({ displayName }) => String(displayName).startsWith("Homepage"));
    expect(item).toMatchObject({ goal: { units: "64000" }, rate: { units: "15", nanos: 250_000_000 }, deliveryRateType: "AS_FAST_AS_POSSIBLE", targeting: { geoTargeting: { excludedGeos: ["networks/21700000001/geoTargets/2250"] } } });
    expect(Date.parse(String(item?.targetEndTime))).toBe(Date.parse(endsAt));
    expect(await gam.rows("orders")).toMatchObject([{ displayName: changed.name, poNumber: "PO-78" }]);
    await expectInSync(changed, result.applied);
  });

  test("pause and resume are actions, and never a status", async () => {
    const { desired, applied } = await booked();
    const paused = await converge(gam, { ...desired, isPaused: true }, applied);
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["PAUSED", "PAUSED"]);
    await expectInSync({ ...desired, isPaused: true }, paused.applied);
    const resumed = await converge(gam, desired, paused.applied);
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["READY", "READY"]);
    await expectInSync(desired, resumed.applied);
    const writes = await gam.journal("", "POST");
    expect(JSON.stringify(writes.map(({ body }) => body))).not.toContain('"status"');
  });

  test("what is held is nowhere until it may run; held again it is paused", async () => {
    const desired = bookableOrder(await gam.inventory(), {}, [{ isHeld: true }, {}]);
    const alone = { ...desired, lines: desired.lines.slice(0, 1) };
    await expectInSync(alone, { objects: [] });
    const first = await converge(gam, desired);
    expect(await gam.rows("lineItems")).toHaveLength(1);
    await expectInSync(desired, first.applied);
    const free = editFirst(desired, { isHeld: false });
    const second = await converge(gam, free, first.applied);
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["READY", "READY"]);
    await expectInSync(free, second.applied);
    const third = await converge(gam, desired, second.applied);
    expect((await gam.rows("lineItems")).map(({ status }) => status).sort()).toEqual(["PAUSED", "READY"]);
    await expectInSync(desired, third.applied);
  });

  test("a canceled package, then the whole order", async () => {
    const { desired, applied } = await booked();
    const part = editFirst(desired, { isCanceled: true });
    const first = await converge(gam, part, applied);
    expect((await gam.rows("lineItems")).map(({ archived }) => archived).sort()).toEqual([false, true]);
    await expectInSync(part, first.applied);
    const ended = { ...part, isEnded: true };
    const second = await converge(gam, ended, first.applied);
    expect((await gam.rows("lineItems")).every(({ archived }) => archived === true)).toBe(true);
    expect(await gam.rows("orders")).toMatchObject([{ archived: true }]);
    await expectInSync(ended, second.applied);
  });

  test("a creative's new content, a new kind of it, and its removal", async () => {
    const { desired, applied } = await booked();
    const [first, second] = desired.lines[0]?.creatives ?? [];
    if (!first || !second) throw new Error("The line has two creatives");
    const content = editFirst(desired, { creatives: [{ ...first, version: 2, source: { type: "image_url", url: "https://cdn.example/v2.png" } }, second] });
    const updated = await converge(gam, content, applied);
    expect(JSON.stringify(await gam.rows("creatives"))).toContain("https://cdn.example/v2.png");
    expect(await gam.rows("creatives")).toHaveLength(3);
    const kind = editFirst(content, { creatives: [{ ...first, version: 3, source: { type: "html", html: "<b>Spring</b>" } }, second] });
    const replaced = await converge(gam, kind, updated.applied);
    expect(await gam.rows("creatives")).toHaveLength(4);
    const ofLine = async () => (await gam.rows("associations")).filter(({ lineItem }) => lineItem === (`networks/21700000001/lineItems/${replaced.applied.objects.find(({ ourKey }) => ourKey === desired.lines[0]?.packageId)?.externalId}`));
    expect((await ofLine()).map(({ status }) => status).sort()).toEqual(["ACTIVE", "ACTIVE", "INACTIVE"]);
    await expectInSync(kind, replaced.applied);
    const removed = editFirst(kind, { creatives: [second] });
    const taken = await converge(gam, removed, replaced.applied);
    expect((await ofLine()).filter(({ status }) => status === "ACTIVE")).toHaveLength(1);
    await expectInSync(removed, taken.applied);
    const back = await converge(gam, kind, taken.applied);
    expect((await ofLine()).filter(({ status }) => status === "ACTIVE")).toHaveLength(2);
    await expectInSync(kind, back.applied);
  });

  test("weights", async () => {
    const { desired, applied } = await booked();
    const weighted = editFirst(desired, { creatives: desired.lines[0]?.creatives.map((creative, index) => ({ ...creative, weight: index === 0 ? 80 : 20 })) });
    const result = await converge(gam, weighted, applied);
    expect((await gam.rows("associations")).map(({ manualCreativeRotationWeight }) => manualCreativeRotationWeight).sort()).toEqual([10, 20, 80]);
    await expectInSync(weighted, result.applied);
  });

  test("a package added to an approved order is booked and activated", async () => {
    const { desired, applied } = await booked();
    const more = bookableOrder(await gam.inventory(), {}, [{ productName: "Late" }]).lines;
    const changed = { ...desired, lines: [...desired.lines, ...more] };
    const result = await converge(gam, changed, applied);
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["READY", "READY", "READY"]);
    await expectInSync(changed, result.applied);
  });

  test("emptied snapshots restore our values over those of others", async () => {
    const { desired, applied } = await booked();
    const spoiled = editFirst(desired, { units: "5", rateMicros: "1" });
    await converge(gam, { ...spoiled, name: "Somebody's name " + desired.suffix, isPaused: true }, applied);
    const forgotten = { objects: applied.objects.map((object) => ({ ...object, applied: {} })) };
    const result = await converge(gam, desired, forgotten);
    await expectInSync(desired, result.applied);
  });
});
