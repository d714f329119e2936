import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectsOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import {
  associate, createClient, createCreative, createFixture, createLineItems, createOrder, findOne, idOf, lineItemInput, nameOf, NETWORK, reasonOf, storedRows,
  type Answer, type Fixture, type TestClient,
} from "./test-client";

const parent = `networks/${NETWORK}`;
let simulator: Simulator;
let client: TestClient;
let fixture: Fixture;

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true });
  client = await createClient(simulator);
  fixture = await createFixture(client);
});
afterAll(() => simulator.close());

const read = (item: JsonObject | undefined): Promise<JsonObject> => client.get(`/lineItems/${idOf(item)}`);
const act = (verb: string, ...items: (JsonObject | undefined)[]): Promise<Answer> => client.request("POST", `/lineItems:${verb}`, { names: items.map(nameOf) });
const approve = (order: JsonObject): Promise<JsonObject> => client.post("/orders:batchApprove", { names: [nameOf(order)] });

async function tryCreate(changes: JsonObject, order?: JsonObject): Promise<Answer> {
  const owner = order ?? await createOrder(fixture);
  return client.request("POST", "/lineItems", lineItemInput(fixture, nameOf(owner), changes));
}

describe("creating line items", () => {
  test("a batch answers with the line items, defaults and computed fields filled in", async () => {
    const order = await createOrder(fixture);
    const [item] = await createLineItems(fixture, nameOf(order), 2);
    expect(item).toMatchObject({
      order: nameOf(order), orderDisplayName: "Spring hiking", externalLineItemId: "pkg_1", status: "DRAFT", archived: false, missingCreatives: true,
      reservationStatus: "UNRESERVED", priority: 8, deliveryRateType: "EVENLY", endTimeUnlimited: false, environmentType: "BROWSER",
      rate: { currencyCode: "USD", units: "12", nanos: 500_000_000 }, budget: { currencyCode: "USD", units: "5000" },
    });
    expect(item).not.toHaveProperty("stats");
    expect(await read(item)).toEqual(item);
    const found = await client.get(`/lineItems?filter=${encodeURIComponent(`order = "${nameOf(order)}" AND externalLineItemId = "pkg_2"`)}`);
    expect(objectsOf(found, "lineItems")).toHaveLength(1);
  });

  test("input-only flags are accepted and not kept", async () => {
    const answer = await tryCreate({ allowOverbook: true, skipInventoryCheck: true, reserveOnCreation: true, budget: { currencyCode: "USD", units: "9" }, status: "DELIVERING" });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ reservationStatus: "RESERVED", status: "DRAFT", budget: { units: "5000" } });
    expect(answer.body).not.toHaveProperty("allowOverbook");
    expect(answer.body).not.toHaveProperty("reserveOnCreation");
  });

  test.each<[string, JsonObject, string | undefined]>([
    ["a start in the past", { startTime: "2026-01-01T00:00:00Z" }, "LINE_ITEM_FLIGHT_DATE_ERROR_START_DATE_TIME_IS_IN_PAST"],
    ["an end before the start", { targetEndTime: "2026-01-01T00:00:00Z" }, "LINE_ITEM_FLIGHT_DATE_ERROR_START_DATE_NOT_BEFORE_END_DATE"],
    ["no end", { targetEndTime: null }, "REQUIRED_ERROR_REQUIRED"],
    ["a standard line item without end", { endTimeUnlimited: true }, "LINE_ITEM_FLIGHT_DATE_ERROR_UNLIMITED_NOT_ALLOWED"],
    ["no rate", { rate: null }, "REQUIRED_ERROR_REQUIRED"],
    ["a rate in another currency", { rate: { currencyCode: "EUR", units: "5" } }, "LINE_ITEM_ERROR_INVALID_CURRENCY"],
    ["a negative rate", { rate: { currencyCode: "USD", units: "-5" } }, "RANGE_ERROR_TOO_LOW"],
    ["a rate that is a number", { rate: 12.5 }, undefined],
    ["no goal", { goal: null }, "REQUIRED_ERROR_REQUIRED"],
    ["zero units", { goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "0" } }, "RANGE_ERROR_OUT_OF_RANGE"],
    ["a daily goal for a standard line item", { goal: { goalType: "DAILY", unitType: "IMPRESSIONS", units: "50" } }, "LINE_ITEM_ERROR_INVALID_GOAL_TYPE"],
    ["clicks for a CPM", { goal: { goalType: "LIFETIME", unitType: "CLICKS", units: "50" } }, "LINE_ITEM_ERROR_INVALID_UNIT_TYPE"],
    ["CPD for a standard line item", { costType: "CPD" }, "LINE_ITEM_ERROR_INVALID_COST_TYPE"],
    ["a sponsorship's priority", { priority: 4 }, "LINE_ITEM_ERROR_INVALID_PRIORITY"],
    ["no placeholder", { creativePlaceholders: [] }, "REQUIRED_ERROR_REQUIRED"],
    ["a placeholder without size", { creativePlaceholders: [{ expectedCreativeCount: 1 }] }, "REQUIRED_ERROR_REQUIRED"],
    ["a video without its longest duration", { environmentType: "VIDEO_PLAYER" }, "REQUIRED_ERROR_REQUIRED"],
    ["no targeting", { targeting: null }, "REQUIRED_ERROR_REQUIRED"],
    ["targeting without inventory", { targeting: {} }, "INVENTORY_TARGETING_ERROR_AT_LEAST_ONE_PLACEMENT_OR_INVENTORY_UNIT_REQUIRED"],
    ["an unknown ad unit", { targeting: { inventoryTargeting: { targetedAdUnits: [{ adUnit: `${parent}/adUnits/1` }] } } }, "COMMON_ERROR_NOT_FOUND"],
    ["an unknown placement", { targeting: { inventoryTargeting: { targetedPlacements: [`${parent}/placements/1`] } } }, "COMMON_ERROR_NOT_FOUND"],
    ["an external id that is too long", { externalLineItemId: "x".repeat(256) }, "STRING_LENGTH_ERROR_TOO_LONG"],
    ["an unknown order", { order: `${parent}/orders/1` }, "COMMON_ERROR_NOT_FOUND"],
    ["an unknown type", { lineItemType: "GUARANTEED" }, undefined],
    ["an unknown field", { unitsBought: "5" }, undefined],
    ["an unknown field inside targeting", { targeting: { inventoryTargeting: { adUnits: [] } } }, undefined],
  ])("refuses %s", async (_what, changes, reason) => {
    const answer = await tryCreate(changes);
    expect([answer.status, reasonOf(answer)]).toEqual([400, reason]);
  });

  test("checks custom targeting against its keys, and counts criteria", async () => {
    const [section, weather] = await Promise.all(["section", "weather"].map((key) => findOne(client, "/customTargetingKeys", "customTargetingKeys", `adTagName = "${key}"`)));
    const value = await findOne(client, "/customTargetingValues", "customTargetingValues", `customTargetingKey = "${nameOf(section)}" AND adTagName = "sport"`);
    const targeting = (key: JsonObject | undefined, count = 1): JsonObject => ({
      inventoryTargeting: { targetedAdUnits: [{ adUnit: fixture.adUnit }] },
      geoTargeting: { targetedGeos: [`${parent}/geoTargets/2840`] },
      customTargeting: { customTargetingClauses: [{ customTargetingLiterals: Array.from({ length: count }, () => ({ customTargetingKey: nameOf(key), customTargetingValues: [nameOf(value)] })) }] },
    });
    expect((await tryCreate({ targeting: targeting(section) })).status).toBe(200);
    expect(reasonOf(await tryCreate({ targeting: targeting(weather) }))).toBe("CUSTOM_TARGETING_ERROR_KEY_VALUE_MISMATCH");
    expect((await tryCreate({ targeting: targeting(section, 798) })).status).toBe(200);
    expect(reasonOf(await tryCreate({ targeting: targeting(section, 799) }))).toBe("TARGETING_ERROR_TOO_MANY_CRITERIA");
  });

  test("sponsorships sell a share, by the day", async () => {
    const answer = await tryCreate({
      lineItemType: "SPONSORSHIP", costType: "CPD", rate: { currencyCode: "USD", units: "100" }, goal: { goalType: "DAILY", unitType: "IMPRESSIONS", units: "100" },
      startTime: "2031-03-01T00:00:00Z", targetEndTime: "2031-03-04T00:00:00Z",
    });
    expect(answer.body).toMatchObject({ priority: 4, budget: { currencyCode: "USD", units: "300" } });
    expect(reasonOf(await tryCreate({ lineItemType: "SPONSORSHIP", goal: { goalType: "DAILY", unitType: "IMPRESSIONS", units: "101" } }))).toBe("RANGE_ERROR_OUT_OF_RANGE");
  });

  test("an order takes 450 line items, in batches of at most 100", async () => {
    const order = await createOrder(fixture);
    for (let batch = 0; batch < 4; batch++) await createLineItems(fixture, nameOf(order), 100);
    await createLineItems(fixture, nameOf(order), 49);
    const requests = Array.from({ length: 2 }, () => ({ parent, lineItem: lineItemInput(fixture, nameOf(order)) }));
    const answer = await client.request("POST", "/lineItems:batchCreate", { requests });
    expect([answer.status, reasonOf(answer)]).toEqual([400, "ORDER_ERROR_TOO_MANY_LINE_ITEMS"]);
    const rows = await storedRows(simulator.url, "lineItems");
    expect(rows.filter((row) => row["order"] === nameOf(order))).toHaveLength(449);
    expect((await client.request("POST", "/lineItems:batchCreate", { requests: Array.from({ length: 101 }, () => requests[0] ?? {}) })).status).toBe(400);
  });

  test("an archived order takes none", async () => {
    const order = await createOrder(fixture);
    await client.post("/orders:batchArchive", { names: [nameOf(order)] });
    expect(reasonOf(await tryCreate({}, order))).toBe("ORDER_ERROR_UPDATE_ARCHIVED_ORDER_NOT_ALLOWED");
  });
});

describe("updating line items", () => {
  test("PATCH changes what its mask names, inside messages too", async () => {
    const [item] = await createLineItems(fixture, nameOf(await createOrder(fixture)));
    const updated = await client.patch(`/lineItems/${idOf(item)}?updateMask=goal.units,targetEndTime`, {
      goal: { goalType: "DAILY", units: "800000" }, targetEndTime: "2031-01-01T00:00:00Z", displayName: "not in the mask", status: "PAUSED",
    });
    expect(updated).toMatchObject({
      goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "800000" }, targetEndTime: "2031-01-01T00:00:00Z", endTime: "2031-01-01T00:00:00Z",
      displayName: "Package 1", status: "DRAFT", budget: { units: "10000" },
    });
  });

  test("a batch updates several, atomically, and never the order or the status", async () => {
    const [order, other] = [await createOrder(fixture), await createOrder(fixture)];
    const [one, two] = await createLineItems(fixture, nameOf(order), 2);
    const rate = { currencyCode: "USD", units: "20" };
    const update = (...items: JsonObject[]): Promise<Answer> => client.request("POST", "/lineItems:batchUpdate", { requests: items.map((lineItem) => ({ lineItem, updateMask: Object.keys(lineItem).filter((key) => key !== "name").join(",") })) });
    const done = await update({ name: nameOf(one), rate }, { name: nameOf(two), deliveryRateType: "FRONTLOADED", status: "PAUSED" });
    expect(objectsOf(done.body, "lineItems")).toMatchObject([{ rate }, { deliveryRateType: "FRONTLOADED", status: "DRAFT" }]);
    const moved = await update({ name: nameOf(one), displayName: "Changed" }, { name: nameOf(two), order: nameOf(other) });
    expect([moved.status, reasonOf(moved)]).toEqual([400, "COMMON_ERROR_IMMUTABLE_FIELD"]);
    expect((await read(one))["displayName"]).toBe("Package 1");
  });

  test("without a mask, what the body carries is written", async () => {
    const [item] = await createLineItems(fixture, nameOf(await createOrder(fixture)));
    const updated = await client.patch(`/lineItems/${idOf(item)}`, { displayName: "Renamed", order: String(item?.["order"]) });
    expect(updated).toMatchObject({ displayName: "Renamed", externalLineItemId: "pkg_1" });
  });

  test("archived line items refuse updates and actions", async () => {
    const [item] = await createLineItems(fixture, nameOf(await createOrder(fixture)));
    expect((await act("batchArchive", item)).status).toBe(200);
    const answer = await client.request("PATCH", `/lineItems/${idOf(item)}?updateMask=displayName`, { displayName: "x" });
    expect([answer.status, reasonOf(answer)]).toEqual([400, "LINE_ITEM_OPERATION_ERROR_UPDATE_ARCHIVED_LINE_ITEM_NOT_ALLOWED"]);
    expect((await act("batchPause", item)).status).toBe(400);
    expect((await read(item))["archived"]).toBe(true);
  });
});

describe("the computed status", () => {
  const size = { width: 300, height: 250, sizeType: "PIXEL" };

  test("draft, pending approval, inactive without creatives, ready, paused, ready", async () => {
    const order = await createOrder(fixture);
    const [item] = await createLineItems(fixture, nameOf(order));
    await client.post("/orders:batchSubmitForApproval", { names: [nameOf(order)] });
    expect(await read(item)).toMatchObject({ status: "PENDING_APPROVAL", reservationStatus: "UNRESERVED" });
    await approve(order);
    expect(await read(item)).toMatchObject({ status: "INACTIVE", missingCreatives: true, reservationStatus: "RESERVED" });
    await associate(fixture, nameOf(item), nameOf(await createCreative(fixture)));
    expect(await read(item)).toMatchObject({ status: "READY", missingCreatives: false });
    await act("batchPause", item);
    expect((await read(item))["status"]).toBe("PAUSED");
    await act("batchRelease", item);
    expect(await read(item)).toMatchObject({ status: "PAUSED_INVENTORY_RELEASED", reservationStatus: "UNRESERVED" });
    await act("batchResume", item);
    expect(await read(item)).toMatchObject({ status: "READY", reservationStatus: "RESERVED" });
    const ready = await client.get(`/lineItems?filter=${encodeURIComponent(`order = "${nameOf(order)}" AND status = READY`)}`);
    expect(objectsOf(ready, "lineItems")).toHaveLength(1);
  });

  test("a draft cannot be paused, and only reserving types are reserved", async () => {
    const order = await createOrder(fixture);
    const [item] = await createLineItems(fixture, nameOf(order), 1, { lineItemType: "PRICE_PRIORITY" });
    expect(reasonOf(await act("batchPause", item))).toBe("ACTION_ERROR_NOT_APPLICABLE");
    await approve(order);
    expect(await read(item)).toMatchObject({ reservationStatus: "UNRESERVED" });
    expect((await act("batchReserve", item)).status).toBe(400);
  });

  test("what is added to an approved order waits for its own approval", async () => {
    const order = await createOrder(fixture);
    const creative = nameOf(await createCreative(fixture));
    await createLineItems(fixture, nameOf(order));
    await approve(order);
    const [late, later] = await createLineItems(fixture, nameOf(order), 2);
    await associate(fixture, nameOf(late), creative);
    await associate(fixture, nameOf(later), creative);
    expect(await read(late)).toMatchObject({ status: "INACTIVE", missingCreatives: false, reservationStatus: "UNRESERVED" });
    await act("batchActivate", late);
    expect(await read(late)).toMatchObject({ status: "READY", reservationStatus: "RESERVED" });
    await approve(order);
    expect(await read(later)).toMatchObject({ status: "READY", reservationStatus: "RESERVED" });
  });

  test("pausing the order pauses its line items; archiving it archives them", async () => {
    const order = await createOrder(fixture);
    const [item] = await createLineItems(fixture, nameOf(order));
    await associate(fixture, nameOf(item), nameOf(await createCreative(fixture)));
    await approve(order);
    await client.post("/orders:batchPause", { names: [nameOf(order)] });
    expect((await read(item))["status"]).toBe("PAUSED");
    expect((await act("batchResume", item)).status).toBe(400);
    await client.post("/orders:batchResume", { names: [nameOf(order)] });
    expect((await read(item))["status"]).toBe("READY");
    await client.post("/orders:batchArchive", { names: [nameOf(order)] });
    expect((await read(item))["archived"]).toBe(true);
  });

  test("creatives are missing until every placeholder has as many as it expects", async () => {
    const order = await createOrder(fixture);
    const [item] = await createLineItems(fixture, nameOf(order), 1, { creativePlaceholders: [{ size, expectedCreativeCount: 2 }] });
    const [one, two] = [await createCreative(fixture), await createCreative(fixture)];
    await associate(fixture, nameOf(item), nameOf(one));
    expect((await read(item))["missingCreatives"]).toBe(true);
    const association = await associate(fixture, nameOf(item), nameOf(two));
    expect((await read(item))["missingCreatives"]).toBe(false);
    await client.post("/lineItems/-/creatives:batchDeactivate", { names: [nameOf(association)] });
    expect((await read(item))["missingCreatives"]).toBe(true);
    await client.post("/lineItems/-/creatives:batchActivate", { names: [nameOf(association)] });
    await client.post("/creatives:batchDeactivate", { names: [nameOf(two)] });
    expect((await read(item))["missingCreatives"]).toBe(true);
  });

  test("only drafts are deleted, and their associations with them", async () => {
    const order = await createOrder(fixture);
    const [item, other] = await createLineItems(fixture, nameOf(order), 2);
    await associate(fixture, nameOf(item), nameOf(await createCreative(fixture)));
    expect((await act("batchDelete", item)).status).toBe(200);
    expect((await client.request("GET", `/lineItems/${idOf(item)}`)).status).toBe(404);
    expect(await client.get(`/lineItems/${idOf(item)}/creatives`)).toEqual({});
    await approve(order);
    expect((await act("batchDelete", other)).status).toBe(400);
  });
});
