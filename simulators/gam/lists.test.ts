import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectOf, objectsOf, textOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import { createClient, createFixture, createOrder, findOne, nameOf, NETWORK, reasonOf, type Fixture, type TestClient } from "./test-client";

let simulator: Simulator;
let client: TestClient;
let fixture: Fixture;

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true, adUnits: 1200 });
  client = await createClient(simulator);
  fixture = await createFixture(client);
});
afterAll(() => simulator.close());

async function readAll(path: string, plural: string, query: string): Promise<{ rows: JsonObject[]; pages: number }> {
  const rows: JsonObject[] = [];
  let pages = 0;
  for (let token: string | undefined = ""; token !== undefined; pages++) {
    const page: JsonObject = await client.get(`${path}?${query}${token === "" ? "" : `&pageToken=${token}`}`);
    rows.push(...objectsOf(page, plural));
    token = textOf(page, "nextPageToken");
  }
  return { rows, pages };
}

describe("the seed", () => {
  test("has a root ad unit above a hierarchy of the configured size", async () => {
    const network = await client.get("");
    const { rows, pages } = await readAll("/adUnits", "adUnits", "pageSize=500");
    expect(rows).toHaveLength(1200);
    expect(pages).toBe(3);
    expect(new Set(rows.map(nameOf)).size).toBe(1200);
    const [root] = rows;
    expect(nameOf(root)).toBe(network["effectiveRootAdUnit"]);
    expect(root?.["parentAdUnit"]).toBeUndefined();
    const names = new Set(rows.map(nameOf));
    for (const row of rows.slice(1)) expect(names.has(textOf(row, "parentAdUnit") ?? "")).toBe(true);
    expect(await findOne(client, "/adUnits", "adUnits", 'adUnitCode = "video_preroll"')).toMatchObject({
      status: "ACTIVE", adUnitSizes: [{ size: { width: 640, height: 480, sizeType: "PIXEL" }, environmentType: "VIDEO_PLAYER" }, {}],
    });
  });

  test("has placements of existing ad units, advertisers, and values for every key", async () => {
    const { rows: placements } = await readAll("/placements", "placements", "");
    expect(placements).toHaveLength(8);
    const { rows: companies } = await readAll("/companies", "companies", "filter=type%20%3D%20ADVERTISER");
    expect(companies.map((company) => company["displayName"])).toEqual(expect.arrayContaining(["Acme Outdoor", "Nova Motors"]));
    expect(companies).toHaveLength(12);
    const { rows: keys } = await readAll("/customTargetingKeys", "customTargetingKeys", "");
    expect(keys).toHaveLength(12);
    for (const key of keys) {
      const { rows: values } = await readAll("/customTargetingValues", "customTargetingValues", `filter=${encodeURIComponent(`customTargetingKey = "${nameOf(key)}"`)}`);
      expect(values.length).toBeGreaterThan(2);
    }
  });
});

describe("paging", () => {
  test("a page holds 50 by default and at most 1000", async () => {
    expect(objectsOf(await client.get("/adUnits"), "adUnits")).toHaveLength(50);
    expect(objectsOf(await client.get("/adUnits?pageSize=5000"), "adUnits")).toHaveLength(1000);
    expect(objectsOf(await client.get("/adUnits?pageSize=5&skip=3"), "adUnits")).toHaveLength(5);
    expect((await client.request("GET", "/adUnits?pageSize=-1")).status).toBe(400);
  });

  test("a page token belongs to its filter and its collection", async () => {
    const filter = encodeURIComponent("status = ACTIVE");
    const token = textOf(await client.get(`/adUnits?pageSize=2&filter=${filter}`), "nextPageToken");
    expect((await client.request("GET", `/adUnits?pageSize=2&filter=${filter}&pageToken=${token}`)).status).toBe(200);
    for (const query of [`/adUnits?pageToken=${token}`, `/adUnits?filter=${encodeURIComponent("status = INACTIVE")}&pageToken=${token}`,
      `/placements?filter=${filter}&pageToken=${token}`, "/adUnits?pageToken=nonsense"]) {
      const answer = await client.request("GET", query);
      expect([answer.status, reasonOf(answer)]).toEqual([400, "COMMON_ERROR_INVALID_PAGE_TOKEN"]);
    }
  });

  test("totalSize is there only when the field mask asks for it", async () => {
    expect(await client.get("/placements?pageSize=2")).not.toHaveProperty("totalSize");
    expect(await client.get("/placements?pageSize=2&fields=totalSize")).toEqual({ totalSize: 8 });
    const masked = await client.get("/placements?pageSize=2&fields=placements(name,displayName),nextPageToken,totalSize");
    expect(masked["totalSize"]).toBe(8);
    expect(masked["nextPageToken"]).toBeDefined();
    expect(Object.keys(objectsOf(masked, "placements")[0] ?? {})).toEqual(["name", "displayName"]);
    expect((await client.request("GET", "/placements?fields=placements(name")).status).toBe(400);
  });

  test("an empty list is an empty object", async () => {
    expect(await client.get(`/orders?filter=${encodeURIComponent("externalOrderId = 1")}`)).toEqual({});
  });

  test("orderBy sorts by a field, descending on demand, and refuses others", async () => {
    const page = await client.get(`/companies?orderBy=${encodeURIComponent("displayName desc")}&pageSize=1000`);
    const names = objectsOf(page, "companies").map((company) => String(company["displayName"]));
    expect(names).toEqual([...names].sort().reverse());
    expect((await client.request("GET", "/companies?orderBy=address")).status).toBe(400);
  });

  test("unknown query parameters and filters that cannot be read are 400", async () => {
    expect((await client.request("GET", "/orders?limit=5")).status).toBe(400);
    expect((await client.request("GET", "/orders?filter=hello")).status).toBe(400);
    expect((await client.request("GET", `/customTargetingKeys?filter=${encodeURIComponent('updateTime > "2026-01-01T00:00:00Z"')}`)).status).toBe(400);
  });

  test("changes since a moment are found by updateTime", async () => {
    const since = new Date(Date.now() - 1000).toISOString();
    const order = await createOrder(fixture, { displayName: "Fresh" });
    const page = await client.get(`/orders?filter=${encodeURIComponent(`updateTime > "${since}" AND displayName = "Fresh"`)}`);
    expect(objectsOf(page, "orders").map(nameOf)).toEqual([nameOf(order)]);
    expect(await client.get(`/adUnits?filter=${encodeURIComponent(`updateTime > "${since}"`)}`)).toEqual({});
  });
});

describe("companies", () => {
  test("are created one by one and in batches", async () => {
    const one = await client.post("/companies", { displayName: "Zephyr Bikes", type: "ADVERTISER" });
    expect(one).toMatchObject({ displayName: "Zephyr Bikes", type: "ADVERTISER", creditStatus: "ACTIVE" });
    expect(await client.get(`/companies/${textOf(one, "companyId")}`)).toEqual(one);
    const parent = `networks/${NETWORK}`;
    const batch = await client.post("/companies:batchCreate", { requests: ["A", "B"].map((displayName) => ({ parent, company: { displayName, type: "ADVERTISER" } })) });
    expect(objectsOf(batch, "companies").map((company) => company["displayName"])).toEqual(["A", "B"]);
    const missing = await client.request("POST", "/companies", { displayName: "No type" });
    expect([missing.status, reasonOf(missing)]).toEqual([400, "REQUIRED_ERROR_REQUIRED"]);
    expect(objectOf(missing.body, "error")?.["status"]).toBe("INVALID_ARGUMENT");
  });

  test("an id that does not exist is 404", async () => {
    expect((await client.request("GET", "/companies/1")).status).toBe(404);
    expect((await client.request("GET", "/nothings/1")).status).toBe(404);
  });
});
