import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { numberOf, objectOf, objectsOf, textOf, textsOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import {
  admin, authHeader, createClient, createFixture, createLineItems, createOrder, idOf, nameOf, NETWORK, orderInput, reasonOf, storedRows,
  type Answer, type Fixture, type TestClient,
} from "./test-client";

const parent = `networks/${NETWORK}`;
let simulator: Simulator;
let client: TestClient;
let fixture: Fixture;

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true });
  client = await createClient(simulator);
});
beforeEach(async () => {
  await admin(simulator.url, "DELETE", "/state");
  await admin(simulator.url, "DELETE", "/journal");
  fixture = await createFixture(client);
});
afterEach(() => admin(simulator.url, "DELETE", "/faults"));
afterAll(() => simulator.close());

const addFault = (spec: JsonObject): Promise<JsonObject> => admin(simulator.url, "POST", "/faults", spec);
const newOrders = (count = 1): JsonObject => ({ requests: Array.from({ length: count }, (_, index) => ({ parent, order: orderInput(fixture, { displayName: `Order ${index}` }) })) });
const tryOrders = (count = 1): Promise<Answer> => client.request("POST", "/orders:batchCreate", newOrders(count));
const HOUR_MS = 3_600_000;
const passHour = (): Promise<JsonObject> => admin(simulator.url, "POST", "/clock", { advanceMs: HOUR_MS });
const storedOrders = (): Promise<JsonObject[]> => storedRows(simulator.url, "orders");

async function journal(query = ""): Promise<JsonObject[]> {
  return objectsOf(await admin(simulator.url, "GET", `/journal${query}`), "entries");
}

/** The status, or how the connection ended. */
async function attempt(path: string, init: { method?: string; body?: JsonObject; timeoutMs?: number } = {}): Promise<number | "dropped" | "timeout"> {
  try {
    const response = await fetch(`${simulator.url}/v1/networks/${NETWORK}${path}`, {
      method: init.method ?? "GET",
      headers: { authorization: await authHeader(simulator.serviceAccountKey(NETWORK)) },
      ...(init.body ? { body: JSON.stringify(init.body) } : {}),
      ...(init.timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(init.timeoutMs) }),
    });
    await response.text();
    return response.status;
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError" ? "timeout" : "dropped";
  }
}

describe("refusals", () => {
  test.each([
    ["unavailable", 503, "UNAVAILABLE"], ["internal", 500, "INTERNAL"], ["unauthorized", 401, "UNAUTHENTICATED"],
  ])("%s answers %i as often as it is told", async (kind, status, name) => {
    await addFault({ kind, count: 2 });
    for (let round = 0; round < 2; round++) {
      const answer = await tryOrders();
      expect([answer.status, objectOf(answer.body, "error")?.["status"]]).toEqual([status, name]);
    }
    expect(await storedOrders()).toHaveLength(0);
    expect((await tryOrders()).status).toBe(200);
  });

  test("rateLimit is a token bucket", async () => {
    await addFault({ kind: "rateLimit", perSecond: 0.01, burst: 3 });
    const statuses: number[] = [];
    for (let round = 0; round < 5; round++) statuses.push((await client.request("GET", "")).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const { body } = await client.request("GET", "");
    expect(body).toMatchObject({ error: { status: "RESOURCE_EXHAUSTED", details: expect.arrayContaining([expect.objectContaining({ reason: "RATE_LIMIT_EXCEEDED" })]) } });
  });

  test("a fault hits only what it matches", async () => {
    await addFault({ kind: "unavailable", match: { method: "POST", path: ":batchCreate$", network: NETWORK } });
    const other = await createClient(simulator, "21700000002");
    expect((await tryOrders()).status).toBe(503);
    expect((await client.request("GET", "/orders")).status).toBe(200);
    expect((await client.request("POST", "/orders:batchPause", { names: [`${parent}/orders/1`] })).status).toBe(404);
    expect((await other.request("POST", "/orders:batchCreate", {})).status).toBe(400);
  });

  test("probability follows the seed: two runs fail alike", async () => {
    const run = async (): Promise<string> => {
      const ids = textsOf(await addFault({ kind: "unavailable", probability: 0.5, seed: 7 }), "ids");
      let pattern = "";
      for (let round = 0; round < 20; round++) pattern += (await client.request("GET", "")).status === 200 ? "." : "x";
      await admin(simulator.url, "DELETE", `/faults/${ids[0]}`);
      return pattern;
    };
    const pattern = await run();
    expect(pattern).toMatch(/^(?=.*x)(?=.*\.)/);
    expect(await run()).toBe(pattern);
  });

  test("faults are listed with their hits, expire, and bad ones are refused", async () => {
    await addFault({ kind: "latency", ms: 1 });
    await client.get("");
    expect(objectsOf(await admin(simulator.url, "GET", "/faults"), "faults")).toMatchObject([{ kind: "latency", ms: 1, hits: 1, isSpent: false }]);
    await addFault({ kind: "internal", forMs: 0.001 });
    expect((await client.request("GET", "")).status).toBe(200);
    for (const spec of [{ kind: "nothing" }, { kind: "latency" }, { kind: "batchFailAt" }, { kind: "internal", often: 3 }, { kind: "internal", match: { path: "(" } }]) {
      await expect(addFault(spec)).rejects.toThrow("400");
    }
  });
});

describe("lost and spoilt answers", () => {
  test("dropAfterCommit applies, then drops the connection", async () => {
    await addFault({ kind: "dropAfterCommit", count: 1, match: { path: "orders:batchCreate" } });
    expect(await attempt("/orders:batchCreate", { method: "POST", body: newOrders() })).toBe("dropped");
    const [stored, ...others] = await storedOrders();
    expect(others).toHaveLength(0);
    expect(await journal("?method=POST")).toMatchObject([{ outcome: "droppedAfterCommit", committed: true, created: [nameOf(stored)] }]);
    expect(objectsOf(await client.get("/orders"), "orders").map(nameOf)).toEqual([nameOf(stored)]);
  });

  test("dropAfterCommit waits for a request that commits", async () => {
    await addFault({ kind: "dropAfterCommit", count: 1 });
    expect(await attempt("/orders:batchCreate", { method: "POST", body: {} })).toBe(400);
    expect(await attempt("/orders")).toBe(200);
    expect(await attempt("/orders:batchCreate", { method: "POST", body: newOrders() })).toBe("dropped");
  });

  test("dropBeforeCommit drops the connection and applies nothing", async () => {
    await addFault({ kind: "dropBeforeCommit", count: 1 });
    expect(await attempt("/orders:batchCreate", { method: "POST", body: newOrders() })).toBe("dropped");
    expect(await storedOrders()).toHaveLength(0);
    expect(await journal("?method=POST")).toMatchObject([{ outcome: "droppedBeforeCommit", committed: false, created: [] }]);
  });

  test.each([[false, 0], [true, 1]])("noReply with commit %s never answers and stores %i", async (commit, stored) => {
    await addFault({ kind: "noReply", count: 1, commit });
    expect(await attempt("/orders:batchCreate", { method: "POST", body: newOrders(), timeoutMs: 1_000 })).toBe("timeout");
    expect(await storedOrders()).toHaveLength(stored);
  });

  test.each([[false, 0], [true, 1]])("garbage with commit %s is a 200 without JSON and stores %i", async (commit, stored) => {
    await addFault({ kind: "garbage", count: 1, commit });
    const response = await fetch(`${simulator.url}/v1/networks/${NETWORK}/orders:batchCreate`, {
      method: "POST", headers: { authorization: await authHeader(simulator.serviceAccountKey(NETWORK)) }, body: JSON.stringify(newOrders()),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<html>");
    expect(await storedOrders()).toHaveLength(stored);
  });

  test("latency delays every matching answer, within its bounds", async () => {
    await addFault({ kind: "latency", minMs: 60, maxMs: 80 });
    const startedAt = performance.now();
    await client.get("");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59);
  });
});

describe("effects on rows", () => {
  test("delayedVisibility hides new rows from reads until their time", async () => {
    await addFault({ kind: "delayedVisibility", ms: HOUR_MS, count: 1 });
    const order = await createOrder(fixture, { externalOrderId: 99 });
    const find = (): Promise<JsonObject> => client.get(`/orders?filter=${encodeURIComponent("externalOrderId = 99")}`);
    expect((await client.request("GET", `/orders/${idOf(order)}`)).status).toBe(404);
    expect(await find()).toEqual({});
    expect(await storedOrders()).toHaveLength(1);
    expect(await createLineItems(fixture, nameOf(order))).toHaveLength(1);
    await passHour();
    expect(objectsOf(await find(), "orders")).toHaveLength(1);
  });

  test("batchFailAt refuses the batch at an element, atomically or not", async () => {
    await addFault({ kind: "batchFailAt", index: 2, count: 1 });
    expect((await tryOrders(2)).status).toBe(200);
    expect((await tryOrders(3)).status).toBe(400);
    expect(await storedOrders()).toHaveLength(2);
    await addFault({ kind: "batchFailAt", index: 2, count: 1, atomic: false });
    expect((await tryOrders(5)).status).toBe(400);
    expect(await storedOrders()).toHaveLength(4);
    expect((await journal("?method=POST")).map((entry) => [entry["status"], entry["committed"], textsOf(entry, "created").length])).toEqual([
      [200, true, 2], [400, false, 0], [400, true, 2],
    ]);
  });

  test("concurrentModification hits updates and actions, never creates", async () => {
    await addFault({ kind: "concurrentModification", count: 2 });
    const order = await createOrder(fixture);
    const update = { requests: [{ order: { name: nameOf(order), displayName: "x" }, updateMask: "displayName" }] };
    const answer = await client.request("POST", "/orders:batchUpdate", update);
    expect([answer.status, reasonOf(answer)]).toEqual([409, "COMMON_ERROR_CONCURRENT_MODIFICATION"]);
    expect((await client.request("POST", "/orders:batchApprove", { names: [nameOf(order)] })).status).toBe(409);
    expect((await client.request("POST", "/orders:batchUpdate", update)).status).toBe(200);
  });
});

describe("the forecast", () => {
  const approve = (order: JsonObject, verb = "batchApprove", options: JsonObject = {}): Promise<Answer> =>
    client.request("POST", `/orders:${verb}`, { names: [nameOf(order)], ...options });

  test("noForecastYet refuses K approvals, then lets go", async () => {
    await addFault({ kind: "noForecastYet", count: 2 });
    const order = await createOrder(fixture);
    await createLineItems(fixture, nameOf(order));
    for (let round = 0; round < 2; round++) {
      const answer = await approve(order);
      expect([answer.status, reasonOf(answer)]).toEqual([400, "FORECASTING_ERROR_NO_FORECAST_YET"]);
      expect((await client.get(`/orders/${idOf(order)}`))["status"]).toBe("DRAFT");
    }
    expect((await approve(order)).status).toBe(200);
  });

  test("noForecastYet lasts as long as it is told, and overbooking does not help", async () => {
    await addFault({ kind: "noForecastYet", forMs: HOUR_MS });
    const order = await createOrder(fixture);
    await createLineItems(fixture, nameOf(order));
    expect((await approve(order, "batchApproveAndOverbook")).status).toBe(400);
    await passHour();
    expect((await approve(order)).status).toBe(200);
  });

  test("notEnoughInventory stands until one overbooks or skips the check", async () => {
    await addFault({ kind: "notEnoughInventory" });
    const [one, two] = [await createOrder(fixture), await createOrder(fixture)];
    for (const order of [one, two]) await createLineItems(fixture, nameOf(order));
    expect(reasonOf(await approve(one))).toBe("FORECASTING_ERROR_NOT_ENOUGH_INVENTORY");
    expect((await approve(one, "batchApproveAndOverbook")).status).toBe(200);
    expect((await approve(two, "batchApprove", { skipInventoryCheck: true })).status).toBe(200);
    const [item] = objectsOf(await client.get(`/lineItems?filter=${encodeURIComponent(`order = "${nameOf(one)}"`)}`), "lineItems");
    const raise = (body: JsonObject): Promise<Answer> => client.request("PATCH", `/lineItems/${idOf(item)}?updateMask=goal.units`, { goal: { units: "900000" }, ...body });
    expect(reasonOf(await raise({}))).toBe("FORECASTING_ERROR_NOT_ENOUGH_INVENTORY");
    expect((await raise({ allowOverbook: true })).status).toBe(200);
  });

  test("types that reserve nothing never meet it", async () => {
    await addFault({ kind: "noForecastYet" });
    const order = await createOrder(fixture);
    await createLineItems(fixture, nameOf(order), 1, { lineItemType: "PRICE_PRIORITY" });
    expect((await approve(order)).status).toBe(200);
  });
});

describe("the operator's side", () => {
  test("the journal tells each request, and can be read from an entry on", async () => {
    await createOrder(fixture);
    const { lastId } = await admin(simulator.url, "GET", "/journal");
    await client.request("GET", "/orders?pageSize=5");
    await client.request("GET", "/orders?filter=nonsense");
    const entries = await journal(`?since=${String(lastId)}&path=${encodeURIComponent("/orders$")}`);
    expect(entries).toMatchObject([
      { method: "GET", path: `/v1/networks/${NETWORK}/orders`, query: "?pageSize=5", network: NETWORK, status: 200, outcome: "answered", committed: false },
      { status: 400, query: "?filter=nonsense" },
    ]);
    expect(textOf(entries[0] ?? {}, "serviceAccount")).toBe(simulator.serviceAccountKey(NETWORK).client_email);
    const [create] = await journal("?method=POST");
    expect(objectsOf(objectOf(create ?? {}, "body") ?? {}, "requests")).toHaveLength(1);
    expect(JSON.stringify(await journal())).not.toContain("Bearer");
  });

  test("the state can be read per network and set back to the seed, and the account still works", async () => {
    await createOrder(fixture);
    const { networks } = await admin(simulator.url, "GET", "/state?collections=orders,companies");
    expect(Object.keys(networks ?? {})).toEqual(["21700000001", "21700000002", "21700000003"]);
    await admin(simulator.url, "DELETE", `/state?network=${NETWORK}`);
    expect(await storedOrders()).toHaveLength(0);
    expect(await client.get("/orders")).toEqual({});
    expect((await client.get("/users/me"))["serviceAccount"]).toBe(true);
    expect(await admin(simulator.url, "GET", "/health")).toMatchObject({ status: "ok" });
  });

  test("an account without the right to approve can only submit", async () => {
    const key = simulator.serviceAccountKey("21700000003");
    const accounts = objectsOf(await admin(simulator.url, "GET", "/service-accounts"), "serviceAccounts");
    expect(accounts.map((account) => account["email"])).toContain(key.client_email);
    const { createPublicKey } = await import("node:crypto");
    await admin(simulator.url, "POST", "/service-accounts", {
      email: key.client_email, publicKey: createPublicKey(key.private_key).export({ type: "spki", format: "pem" }).toString(), keyId: key.private_key_id,
      networks: [NETWORK, "21700000003"], canApprove: false,
    });
    const other = await createClient({ url: simulator.url, serviceAccountKey: () => key });
    const order = await createOrder(fixture);
    expect((await other.request("POST", "/orders:batchApprove", { names: [nameOf(order)] })).status).toBe(403);
    expect((await other.request("POST", "/orders:batchSubmitForApproval", { names: [nameOf(order)] })).status).toBe(200);
    expect(numberOf(await client.get("/orders?fields=totalSize"), "totalSize")).toBe(1);
  });
});
