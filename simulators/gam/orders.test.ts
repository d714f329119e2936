import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectOf, objectsOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import {
  createClient, createFixture, createLineItems, createOrder, idOf, nameOf, NETWORK, orderInput, reasonOf, storedRows, type Fixture, type TestClient,
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

function act(verb: string, ...orders: JsonObject[]): Promise<JsonObject> {
  return client.post(`/orders:${verb}`, { names: orders.map(nameOf) });
}

async function statusOf(order: JsonObject): Promise<unknown> {
  return (await client.get(`/orders/${idOf(order)}`))["status"];
}

describe("orders:batchCreate", () => {
  test("answers with the created orders in the order of the requests", async () => {
    const requests = [{ displayName: "One", externalOrderId: 2_147_483_647, poNumber: "PO-7" }, { displayName: "Two", notes: "call first" }]
      .map((order) => ({ parent, order: orderInput(fixture, order) }));
    const [one, two] = objectsOf(await client.post("/orders:batchCreate", { requests }), "orders");
    expect(one).toMatchObject({
      displayName: "One", advertiser: fixture.advertiser, trafficker: fixture.trafficker, creator: fixture.trafficker, externalOrderId: 2_147_483_647,
      poNumber: "PO-7", status: "DRAFT", archived: false, currencyCode: "USD", orderId: idOf(one),
    });
    expect(nameOf(one)).toMatch(/^networks\/21700000001\/orders\/\d{10}$/);
    expect(two).toMatchObject({ displayName: "Two", notes: "call first" });
    expect(await client.get(`/orders/${idOf(one)}`)).toEqual(one);
  });

  test("finds an order by its external id and advertiser", async () => {
    const order = await createOrder(fixture, { externalOrderId: 4711 });
    const find = (filter: string): Promise<JsonObject> => client.get(`/orders?filter=${encodeURIComponent(filter)}`);
    expect(objectsOf(await find(`externalOrderId = 4711 AND advertiser = "${fixture.advertiser}"`), "orders").map(nameOf)).toEqual([nameOf(order)]);
    expect(await find('externalOrderId = 4711 AND advertiser = "networks/21700000001/companies/1"')).toEqual({});
  });

  test("ignores output-only fields", async () => {
    const order = await createOrder(fixture, { status: "APPROVED", archived: true, currencyCode: "EUR", orderId: "5", name: "networks/1/orders/5" });
    expect(order).toMatchObject({ status: "DRAFT", archived: false, currencyCode: "USD" });
    expect(nameOf(order)).toMatch(/^networks\/21700000001\/orders\/\d{10}$/);
  });

  const company = `networks/21700000002/companies/1`;
  test.each<[string, JsonObject, string | undefined]>([
    ["a name that is missing", { displayName: "" }, "REQUIRED_ERROR_REQUIRED"],
    ["a name that is too long", { displayName: "x".repeat(256) }, "STRING_LENGTH_ERROR_TOO_LONG"],
    ["a PO number that is too long", { poNumber: "x".repeat(64) }, "STRING_LENGTH_ERROR_TOO_LONG"],
    ["an advertiser of another network", { advertiser: company }, "COMMON_ERROR_NOT_FOUND"],
    ["an unknown trafficker", { trafficker: `${parent}/users/1` }, "COMMON_ERROR_NOT_FOUND"],
    ["an external id beyond int32", { externalOrderId: 2_147_483_648 }, undefined],
    ["an external id that is no number", { externalOrderId: "mb_1" }, undefined],
    ["an unknown field", { budget: 5 }, undefined],
  ])("refuses %s", async (_what, changes, reason) => {
    const answer = await client.request("POST", "/orders:batchCreate", { requests: [{ parent, order: orderInput(fixture, changes) }] });
    expect([answer.status, reasonOf(answer)]).toEqual([400, reason]);
  });

  test("refuses a wrong parent, an empty batch, more than 100, unknown keys and broken JSON", async () => {
    const order = orderInput(fixture);
    const bodies = [
      { requests: [{ parent: "networks/21700000002", order }] }, { requests: [{ order }] }, { requests: [] }, {},
      { requests: Array.from({ length: 101 }, () => ({ parent, order })) },
      { requests: [{ parent, order, requestId: "1" }] }, { requests: [{ parent, order }], validateOnly: true },
    ];
    const before = (await storedRows(simulator.url, "orders")).length;
    for (const body of bodies) expect((await client.request("POST", "/orders:batchCreate", body)).status).toBe(400);
    expect(await storedRows(simulator.url, "orders")).toHaveLength(before);
  });

  test("is atomic: one bad element and nothing is created", async () => {
    const before = (await storedRows(simulator.url, "orders")).length;
    const requests = [orderInput(fixture), orderInput(fixture, { advertiser: "networks/1/companies/1" })].map((order) => ({ parent, order }));
    const answer = await client.request("POST", "/orders:batchCreate", { requests });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain("requests[1].order.advertiser");
    expect(await storedRows(simulator.url, "orders")).toHaveLength(before);
  });

  test("the unknown field is named as Google names it", async () => {
    const answer = await client.request("POST", "/orders:batchCreate", { requests: [{ parent, order: { ...orderInput(fixture), foo: 1 } }] });
    expect(objectOf(answer.body, "error")?.["message"]).toBe(`Invalid JSON payload received. Unknown name "foo" at 'requests[0].order': Cannot find field.`);
  });
});

describe("orders:batchUpdate", () => {
  test("writes what the mask names and passes over the status", async () => {
    const order = await createOrder(fixture, { notes: "keep" });
    const update = { order: { name: nameOf(order), displayName: "Renamed", notes: "not in the mask", status: "APPROVED" }, updateMask: "displayName,status" };
    const [updated] = objectsOf(await client.post("/orders:batchUpdate", { requests: [update] }), "orders");
    expect(updated).toMatchObject({ displayName: "Renamed", notes: "keep", status: "DRAFT" });
    expect((await client.request("POST", "/orders:batchUpdate", { requests: [{ ...update, updateMask: "nothing" }] })).status).toBe(400);
  });

  test("refuses archived orders and unknown ones", async () => {
    const order = await createOrder(fixture);
    await act("batchArchive", order);
    const update = async (name: string): Promise<unknown> => {
      const answer = await client.request("POST", "/orders:batchUpdate", { requests: [{ order: { name, displayName: "x" }, updateMask: "displayName" }] });
      return [answer.status, reasonOf(answer)];
    };
    expect(await update(nameOf(order))).toEqual([400, "ORDER_ERROR_UPDATE_ARCHIVED_ORDER_NOT_ALLOWED"]);
    expect(await update(`${parent}/orders/1`)).toEqual([404, "COMMON_ERROR_NOT_FOUND"]);
  });
});

describe("order actions", () => {
  test("draft → pending approval → approved → paused → approved → archived → back", async () => {
    const order = await createOrder(fixture);
    const path: [string, string][] = [
      ["batchSubmitForApproval", "PENDING_APPROVAL"], ["batchApprove", "APPROVED"], ["batchPause", "PAUSED"], ["batchResume", "APPROVED"],
    ];
    for (const [verb, status] of path) {
      expect(await act(verb, order)).toEqual({});
      expect(await statusOf(order)).toBe(status);
      await act(verb, order);
      expect(await statusOf(order)).toBe(status);
    }
    await act("batchArchive", order);
    expect(await client.get(`/orders/${idOf(order)}`)).toMatchObject({ archived: true, status: "APPROVED" });
    expect((await client.request("POST", "/orders:batchPause", { names: [nameOf(order)] })).status).toBe(400);
    await act("batchUnarchive", order);
    expect(await client.get(`/orders/${idOf(order)}`)).toMatchObject({ archived: false, status: "APPROVED" });
  });

  test("pending → disapproved → draft, and a draft can be deleted", async () => {
    const order = await createOrder(fixture);
    await act("batchSubmitForApproval", order);
    await act("batchDisapprove", order);
    expect(await statusOf(order)).toBe("DISAPPROVED");
    expect((await client.request("POST", "/orders:batchApprove", { names: [nameOf(order)] })).status).toBe(400);
    await act("batchRetract", order);
    expect(await statusOf(order)).toBe("DRAFT");
    await createLineItems(fixture, nameOf(order));
    await act("batchDelete", order);
    expect(await statusOf(order)).toBe("DELETED");
  });

  test("a draft cannot be paused or resumed, and one bad name stops the batch", async () => {
    const [draft, approved] = [await createOrder(fixture), await createOrder(fixture)];
    await act("batchApprove", approved);
    for (const verb of ["batchPause", "batchResume"]) {
      const answer = await client.request("POST", `/orders:${verb}`, { names: [nameOf(draft)] });
      expect([answer.status, reasonOf(answer)]).toEqual([400, "ACTION_ERROR_NOT_APPLICABLE"]);
    }
    expect((await client.request("POST", "/orders:batchPause", { names: [nameOf(approved), nameOf(draft)] })).status).toBe(400);
    expect(await statusOf(approved)).toBe("APPROVED");
    expect((await client.request("POST", "/orders:batchPause", { names: [nameOf(approved), `${parent}/orders/1`] })).status).toBe(404);
  });

  test("no more than 50 line items are approved at once", async () => {
    const order = await createOrder(fixture);
    await createLineItems(fixture, nameOf(order), 51);
    const answer = await client.request("POST", "/orders:batchApprove", { names: [nameOf(order)] });
    expect([answer.status, reasonOf(answer)]).toEqual([400, "APPROVAL_ERROR_TOO_MANY_LINE_ITEMS"]);
    await act("batchApproveWithoutReservation", order);
    expect(await statusOf(order)).toBe("APPROVED");
  });

  test("start and end follow from the line items", async () => {
    const order = await createOrder(fixture);
    expect(order["startTime"]).toBeUndefined();
    await createLineItems(fixture, nameOf(order), 1, { startTime: "2031-03-05T00:00:00Z", targetEndTime: "2031-04-01T00:00:00Z" });
    await createLineItems(fixture, nameOf(order), 1, { startTime: "2031-03-01T05:00:00+05:00", targetEndTime: "2031-05-01T00:00:00Z" });
    expect(await client.get(`/orders/${idOf(order)}`)).toMatchObject({ startTime: "2031-03-01T00:00:00Z", endTime: "2031-05-01T00:00:00Z", unlimitedEndTime: false });
  });
});
