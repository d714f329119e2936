import { AdUnitServiceClient, CompanyServiceClient, CustomTargetingValueServiceClient, LineItemServiceClient, NetworkServiceClient, OrderServiceClient, PlacementServiceClient, UserServiceClient } from "@google-ads/admanager";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { numberOf, objectOf, objectsOf, textOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import { admin, createClient, createFixture, createLineItems, createOrder, nameOf, NETWORK, type Fixture, type TestClient } from "./test-client";

/** Google's own client, which knows the protocol independently, reads what our requests wrote. */
const parent = `networks/${NETWORK}`;
let simulator: Simulator;
let client: TestClient;
let fixture: Fixture;
let order: JsonObject;
let lineItems: JsonObject[];

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true, adUnits: 120 });
  client = await createClient(simulator);
  fixture = await createFixture(client);
  order = await createOrder(fixture, { externalOrderId: 815, poNumber: "PO 4", notes: "Nötig & wichtig" });
  lineItems = await createLineItems(fixture, nameOf(order), 60);
  await client.post("/orders:batchSubmitForApproval", { names: [nameOf(order)] });
});
afterAll(() => simulator.close());

/** It signs its own tokens from the key, as it would for the real API. */
function options() {
  const { client_email, private_key } = simulator.serviceAccountKey(NETWORK);
  return { credentials: { client_email, private_key }, apiEndpoint: "127.0.0.1", port: simulator.port, protocol: "http", fallback: true };
}

/** Milliseconds since the epoch of a timestamp as the client represents it. */
function instant(value: { seconds?: unknown; nanos?: unknown } | null | undefined): number {
  return Number(value?.seconds ?? 0) * 1000 + Number(value?.nanos ?? 0) / 1e6;
}

describe("@google-ads/admanager 0.5.1", () => {
  test("reads the networks and the caller's user", async () => {
    const networks = new NetworkServiceClient(options());
    const [network] = await networks.getNetwork({ name: parent });
    expect(network).toMatchObject({ networkCode: NETWORK, currencyCode: "USD", timeZone: "America/New_York", displayName: "Demo Publisher (simulated)", testNetwork: true });
    const [list] = await networks.listNetworks({});
    expect(list.map((each) => each.name)).toEqual([parent]);
    const [user] = await new UserServiceClient(options()).getUser({ name: `${parent}/users/me` });
    expect(user).toMatchObject({ name: fixture.trafficker, serviceAccount: true });
  });

  test("reads an order as it was written", async () => {
    const orders = new OrderServiceClient(options());
    const [read] = await orders.getOrder({ name: nameOf(order) });
    const shown = await client.get(`/orders/${textOf(order, "orderId")}`);
    expect(read).toMatchObject({
      name: nameOf(order), displayName: "Spring hiking", advertiser: fixture.advertiser, trafficker: fixture.trafficker, externalOrderId: 815,
      poNumber: "PO 4", notes: "Nötig & wichtig", status: "PENDING_APPROVAL", currencyCode: "USD", archived: false,
    });
    expect(String(read.orderId)).toBe(textOf(order, "orderId"));
    expect(instant(read.startTime)).toBe(Date.parse(textOf(shown, "startTime") ?? ""));
    expect(instant(read.endTime)).toBe(Date.parse(textOf(shown, "endTime") ?? ""));
    expect(instant(read.updateTime)).toBe(Date.parse(textOf(shown, "updateTime") ?? ""));
    const [found] = await orders.listOrders({ parent, filter: `externalOrderId = 815 AND advertiser = "${fixture.advertiser}"` });
    expect(found.map((each) => each.name)).toEqual([nameOf(order)]);
  });

  test("pages through the line items and reads rate, goal, dates and budget", async () => {
    const service = new LineItemServiceClient(options());
    const [read] = await service.listLineItems({ parent, filter: `order = "${nameOf(order)}"`, pageSize: 25 });
    expect(read.map((item) => item.name)).toEqual(lineItems.map(nameOf));
    const { entries } = await admin(simulator.url, "GET", "/journal?path=lineItems%24&method=GET");
    expect(entries).toMatchObject([{ status: 200 }, { query: expect.stringContaining("pageToken=") }, { query: expect.stringContaining("pageToken=") }]);
    read.forEach((item, index) => {
      const written = lineItems[index] ?? {};
      expect(item).toMatchObject({
        displayName: textOf(written, "displayName"), order: nameOf(order), lineItemType: "STANDARD",
        rate: { currencyCode: "USD", units: "12", nanos: 500_000_000 }, budget: { currencyCode: "USD", units: "5000" },
        goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "400000" },
      });
      expect(instant(item.startTime)).toBe(Date.parse(textOf(written, "startTime") ?? ""));
      expect(instant(item.endTime)).toBe(Date.parse(textOf(written, "targetEndTime") ?? ""));
    });
  });

  test("reads the whole inventory: ad units with sizes, placements, targeting values, companies", async () => {
    const [adUnits] = await new AdUnitServiceClient(options()).listAdUnits({ parent, pageSize: 50 });
    const shown = objectsOf(await client.get("/adUnits?pageSize=1000"), "adUnits");
    expect(adUnits.map((unit) => unit.name)).toEqual(shown.map(nameOf));
    adUnits.forEach((unit, index) => {
      const written = shown[index] ?? {};
      expect([unit.displayName, unit.adUnitCode, unit.status, unit.parentAdUnit ?? undefined, unit.hasChildren]).toEqual([
        written["displayName"], written["adUnitCode"], written["status"], written["parentAdUnit"], written["hasChildren"],
      ]);
      expect(unit.adUnitSizes?.map((size) => [size.size?.width, size.size?.height, size.environmentType])).toEqual(
        objectsOf(written, "adUnitSizes").map((size) => [numberOf(objectOf(size, "size") ?? {}, "width"), numberOf(objectOf(size, "size") ?? {}, "height"), size["environmentType"]]),
      );
    });
    const [placements] = await new PlacementServiceClient(options()).listPlacements({ parent });
    const shownPlacements = objectsOf(await client.get("/placements"), "placements");
    expect(placements.map(({ name, displayName, status, targetedAdUnits }) => ({ name, displayName, status, targetedAdUnits }))).toEqual(
      shownPlacements.map(({ name, displayName, status, targetedAdUnits }) => ({ name, displayName, status, targetedAdUnits })),
    );
    const [values] = await new CustomTargetingValueServiceClient(options()).listCustomTargetingValues({ parent, pageSize: 1000 });
    expect(values.map((value) => value.name)).toEqual(objectsOf(await client.get("/customTargetingValues?pageSize=1000"), "customTargetingValues").map(nameOf));
    const [companies] = await new CompanyServiceClient(options()).listCompanies({ parent, filter: 'displayName = "Nova Motors"' });
    expect(companies).toMatchObject([{ displayName: "Nova Motors", type: "ADVERTISER" }]);
  });

  test("understands errors: not found, no access, bad filter", async () => {
    const orders = new OrderServiceClient(options());
    await expect(orders.getOrder({ name: `${parent}/orders/1` })).rejects.toMatchObject({ status: 404 });
    await expect(orders.getOrder({ name: "networks/21700000002/orders/1" })).rejects.toMatchObject({ status: 403 });
    await expect(orders.listOrders({ parent, filter: "anything" })).rejects.toMatchObject({ status: 400 });
  });
});
