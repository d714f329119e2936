import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createClient, type TestClient } from "@/simulators/gam/test-client";
import { bookableOrder, converge, KIND, makeCreative, NETWORK, startGam, type Gam } from "@/test/gam";
import { adServerDriver } from "../drivers";
import { AdServerError, type AppliedOrder, type DesiredOrder, type InventoryItem } from "../types";

let gam: Gam;
beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(() => gam.reset());

describe("reading back", () => {
  let desired: DesiredOrder;
  let applied: AppliedOrder;
  let client: TestClient;
  const network = `networks/${NETWORK}`;
  beforeEach(async () => {
    desired = bookableOrder(await gam.inventory(), {}, [{ creatives: [makeCreative(), makeCreative()] }, { productName: "Sport" }]);
    ({ applied } = await converge(gam, desired));
    client = await createClient(gam.simulator);
  });
  const differences = async (order = desired) => (await gam.driver.observe(order, applied, gam.call())).differences.map(({ object, field, expected, observed }) => `${object} / ${field}: ${expected} → ${observed}`);
  const lineItem = (index: number) => `${network}/lineItems/${applied.objects.find(({ ourKey }) => ourKey === desired.lines[index]?.packageId)?.externalId}`;
  const update = (json: Record<string, z.core.util.JSONType>) => client.post("/lineItems:batchUpdate", { requests: [{ lineItem: { name: lineItem(0), ...json }, updateMask: Object.keys(json).join(",") }] });

  test("finds nothing where nothing was changed, and says how things stand", async () => {
    const observation = await gam.driver.observe(desired, applied, gam.call());
    expect(observation).toEqual({ isInSync: true, differences: [], statuses: { order: "Approved", [desired.lines[0]?.packageId ?? ""]: "Ready", [desired.lines[1]?.packageId ?? ""]: "Ready" } });
  });

  test("shows what others changed, with both values", async () => {
    await update({ goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "90000" }, rate: { currencyCode: "USD", units: "9" }, deliveryRateType: "AS_FAST_AS_POSSIBLE", targetEndTime: "2030-01-31T04:59:00Z" });
    expect(await differences()).toEqual([
      "Line item “Homepage display” / rate: $12.50 → $9.00",
      "Line item “Homepage display” / goal: 100,000 impressions → 90,000 impressions",
      expect.stringMatching(/^Line item “Homepage display” \/ end: .* → 30 Jan 2030, 23:59 EST$/),
      "Line item “Homepage display” / pacing: EVENLY → AS_FAST_AS_POSSIBLE",
    ]);
  });

  test("shows other targeting", async () => {
    const [unit] = await gam.rows("placements");
    await update({ targeting: { inventoryTargeting: { targetedPlacements: [unit?.name ?? ""] } } });
    expect(await differences()).toEqual([expect.stringMatching(/targeting: ad unit \d+ → placement \d+$/)]);
  });

  test("shows a line item that was paused, archived or added by hand", async () => {
    await client.post("/lineItems:batchPause", { names: [lineItem(0)] });
    await client.post("/lineItems:batchArchive", { names: [lineItem(1)] });
    const [order] = await gam.rows("orders");
    const copy = (await gam.rows("lineItems"))[0];
    await client.post("/lineItems:batchCreate", { requests: [{ parent: network, lineItem: {
      order: order?.name ?? "", displayName: "By hand", startTime: "2030-01-01T00:00:00Z", targetEndTime: "2030-02-01T00:00:00Z", lineItemType: "STANDARD", costType: "CPM", rate: { currencyCode: "USD", units: "1" },
      goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "1" }, creativeRotationType: "EVENLY", creativePlaceholders: [{ size: { width: 300, height: 250, sizeType: "PIXEL" } }],
      targeting: z.json().parse(copy?.targeting),
    } }] });
    expect(await differences()).toEqual([
      "Line item “Homepage display” / state: running → Paused", "Line item “Sport” / state: not archived → archived", expect.stringMatching(/^Order \/ line items: 2 of ours → also line item \d+ “By hand”$/),
    ]);
  });

  test("shows creatives that do not serve, or serve beside ours", async () => {
    const associations = (await gam.rows("associations")).filter((row) => row.lineItem === lineItem(0));
    await client.post("/lineItems/-/creatives:batchDeactivate", { names: [associations[0]?.name ?? ""] });
    const [other] = (await gam.rows("associations")).filter((row) => row.lineItem === lineItem(1));
    await client.post("/lineItems/-/creatives:batchCreate", { requests: [{ parent: `${network}/lineItems/-`, lineItemCreativeAssociation: { lineItem: lineItem(0), creative: String(other?.creative) } }] });
    expect(await differences()).toEqual([
      "Line item “Homepage display” / creative: “Spring banner” serves → assignment is inactive", expect.stringMatching(/^Line item “Homepage display” \/ creative: none but ours → creative \d+ serves too$/),
    ]);
  });

  test("shows an order that is gone or archived, and one that was never created", async () => {
    const [order] = await gam.rows("orders");
    await client.post("/orders:batchArchive", { names: [order?.name ?? ""] });
    expect(await differences()).toContain("Order / state: not archived → archived");
    await gam.reset();
    expect(await differences()).toEqual([expect.stringMatching(/^Order \/ existence: order \d+ → gone from the ad server$/)]);
    applied = { objects: [] };
    expect(await differences()).toEqual(["Order / existence: exists → was never created"]);
    expect(await differences({ ...desired, isEnded: true })).toEqual([]);
  });

  test("an ended order may not deliver any more", async () => {
    expect(await differences({ ...desired, isEnded: true })).toEqual(["Order / delivery: ended → 2 line items may still deliver"]);
  });

  test("what differs is written again once its snapshot is emptied", async () => {
    await update({ goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "90000" }, startTime: "2030-01-01T00:00:00Z", targetEndTime: "2030-02-01T00:00:00Z" });
    const [association] = (await gam.rows("associations")).filter((row) => row.lineItem === lineItem(0));
    await client.post("/lineItems/-/creatives:batchDeactivate", { names: [association?.name ?? ""] });
    const { differences: found } = await gam.driver.observe(desired, applied, gam.call());
    expect(found.map(({ field }) => field)).toEqual(["goal", "end", "start", "creative"]);
    const keys = found.map(({ ourKey }) => ourKey);
    const forgotten = { objects: applied.objects.map((object) => (keys.includes(object.ourKey) ? { ...object, applied: {} } : object)) };
    ({ applied } = await converge(gam, desired, forgotten));
    expect(await differences()).toEqual([]);
  });

  test("a pause that others lifted", async () => {
    const paused = { ...desired, isPaused: true };
    ({ applied } = await converge(gam, paused, applied));
    await client.post("/lineItems:batchResume", { names: [lineItem(0)] });
    expect(await differences(paused)).toEqual(["Line item “Homepage display” / state: paused → Ready"]);
  });
});

describe("testing a connection", () => {
  test("names the network, its currency and zone, and what the key can do", async () => {
    const result = await gam.driver.testConnection(gam.call());
    expect(result).toMatchObject({ networkName: "Demo Publisher (simulated)", currency: "USD", timeZone: "America/New_York" });
    expect(result.notes.map(({ name, outcome }) => [name, outcome])).toEqual([["Network", "pass"], ["User", "pass"], ["Access", "pass"], ["Test network", "warn"]]);
  });

  test("finds a trafficker who does not exist", async () => {
    const { notes } = await gam.driver.testConnection(gam.call({ connection: { networkCode: NETWORK, traffickerId: "404" } }));
    expect(notes.find(({ name }) => name === "Trafficker")).toMatchObject({ outcome: "fail" });
  });

  test("a fault of the ad server is no finding", async () => {
    await gam.addFault({ kind: "unavailable", match: { path: "/users/me" }, count: 1 });
    await expect(gam.driver.testConnection(gam.call())).rejects.toThrow(AdServerError);
  });
});

describe("the inventory", () => {
  async function sync(changes = {}): Promise<{ items: InventoryItem[]; phases: string[]; progress: [string, number, number | undefined][] }> {
    const items: InventoryItem[] = [];
    const phases: string[] = [];
    const progress: [string, number, number | undefined][] = [];
    const onProgress = async (phase: string, done: number, total?: number) => {
      progress.push([phase, done, total]);
    };
    for await (const page of gam.driver.syncInventory(gam.call({ onProgress, ...changes }))) {
      items.push(...page.items);
      if (phases.at(-1) !== page.phase) phases.push(page.phase);
    }
    return { items, phases, progress };
  }

  test("arrives phase by phase, with progress, each thing once", async () => {
    const { items, phases, progress } = await sync();
    expect(phases).toEqual(["ad_unit", "placement", "targeting_key", "targeting_value", "advertiser"]);
    const count = async (collection: string) => (await gam.rows(collection)).length;
    const ofKind = (kind: string) => items.filter((item) => item.kind === kind);
    expect(ofKind("ad_unit")).toHaveLength(await count("adUnits"));
    expect(ofKind("placement")).toHaveLength(await count("placements"));
    expect(ofKind("targeting_key")).toHaveLength(await count("customTargetingKeys"));
    expect(ofKind("targeting_value")).toHaveLength(await count("customTargetingValues"));
    expect(ofKind("advertiser")).toHaveLength((await gam.rows("companies")).filter(({ type }) => type !== "AGENCY").length);
    expect(new Set(items.map(({ kind, externalId }) => `${kind} ${externalId}`)).size).toBe(items.length);
    expect(progress.slice(0, 3)).toEqual([["ad_unit", 0, undefined], ["ad_unit", 43, 43], ["placement", 0, undefined]]);
    expect(progress.at(-1)).toEqual(["advertiser", ofKind("advertiser").length, ofKind("advertiser").length]);
  });

  test("has paths for people", async () => {
    const { items } = await sync();
    expect(items.find(({ data }) => data.code === "home_mpu")).toMatchObject({ kind: "ad_unit", path: "Home > Home / Medium rectangle", status: "ACTIVE", data: { sizes: ["300x250"], environments: ["BROWSER"] } });
    const value = items.find(({ path }) => path === "Section = news");
    expect(value).toMatchObject({ kind: "targeting_value", name: "news", parentExternalId: items.find(({ name, kind }) => kind === "targeting_key" && name === "Section")?.externalId });
    expect(items.find(({ name }) => name === "Acme Outdoor")).toMatchObject({ kind: "advertiser", data: { type: "ADVERTISER" } });
  });

  test("survives a busy moment, and gives up on a revoked key", async () => {
    await gam.addFault({ kind: "noReply", match: { path: "/placements" }, count: 2 });
    expect((await sync({ deadlineMs: 1_000 })).phases).toHaveLength(5);
    await gam.addFault({ kind: "unauthorized" });
    await expect(sync()).rejects.toMatchObject({ code: "credentials_refused" });
  });
});
