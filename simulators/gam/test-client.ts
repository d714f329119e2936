import { JWT } from "google-auth-library";
import { z } from "zod";
import { isObject, objectOf, objectsOf, textOf, type Json, type JsonObject } from "./json";
import type { KeyFile } from "./keys";
import type { Simulator } from "./server";

export const NETWORK = "21700000001";

export interface Answer {
  status: number;
  body: JsonObject;
  headers: Headers;
}

export interface TestClient {
  request: (method: string, path: string, body?: Json) => Promise<Answer>;
  /** Fails unless the answer is a 200. */
  get: (path: string) => Promise<JsonObject>;
  post: (path: string, body: Json) => Promise<JsonObject>;
  patch: (path: string, body: Json) => Promise<JsonObject>;
}

export async function authHeader(key: Pick<KeyFile, "client_email" | "private_key" | "private_key_id">, scope = "https://www.googleapis.com/auth/admanager"): Promise<string> {
  const client = new JWT({ email: key.client_email, key: key.private_key, keyId: key.private_key_id, scopes: [scope] });
  client.useJWTAccessWithScope = true;
  const headers = await client.getRequestHeaders();
  return headers.get("authorization") ?? "";
}

const bodySchema = z.record(z.string(), z.json());

export async function readAnswer(response: Response): Promise<Answer> {
  return { status: response.status, body: bodySchema.parse(await response.json()), headers: response.headers };
}

/** Paths are below `/v1/networks/{code}`. */
export async function createClient(simulator: Pick<Simulator, "url" | "serviceAccountKey">, network = NETWORK): Promise<TestClient> {
  const authorization = await authHeader(simulator.serviceAccountKey(network));
  const request: TestClient["request"] = async (method, path, body) =>
    readAnswer(await fetch(`${simulator.url}/v1/networks/${network}${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }));
  const expectOk = async (method: string, path: string, body?: Json): Promise<JsonObject> => {
    const answer = await request(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    request,
    get: (path) => expectOk("GET", path),
    post: (path, body) => expectOk("POST", path, body),
    patch: (path, body) => expectOk("PATCH", path, body),
  };
}

/** A call to `/__sim`. */
export async function admin(url: string, method: string, path: string, body?: Json): Promise<JsonObject> {
  const response = await fetch(`${url}/__sim${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const answer = await readAnswer(response);
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export function nameOf(object: JsonObject | undefined): string {
  const name = object && textOf(object, "name");
  if (name === undefined) throw new Error("This has no name");
  return name;
}

/** The id in the last segment of a name. */
export function idOf(object: JsonObject | undefined): string {
  const name = nameOf(object);
  return name.slice(name.lastIndexOf("/") + 1);
}

export function reasonOf(answer: Answer): string | undefined {
  const details = objectsOf(objectOf(answer.body, "error") ?? {}, "details");
  const [violation] = details.flatMap((detail) => objectsOf(detail, "fieldViolations"));
  return violation && textOf(violation, "reason");
}

export async function findOne(client: TestClient, path: string, plural: string, filter: string): Promise<JsonObject> {
  const page = await client.get(`${path}?filter=${encodeURIComponent(filter)}`);
  const [first] = objectsOf(page, plural);
  if (!first) throw new Error(`Nothing at ${path} matches ${filter}`);
  return first;
}

export interface Fixture {
  client: TestClient;
  advertiser: string;
  trafficker: string;
  adUnit: string;
}

export async function createFixture(client: TestClient): Promise<Fixture> {
  return {
    client,
    advertiser: nameOf(await findOne(client, "/companies", "companies", 'displayName = "Acme Outdoor"')),
    trafficker: nameOf(await client.get("/users/me")),
    adUnit: nameOf(await findOne(client, "/adUnits", "adUnits", 'adUnitCode = "news_mpu"')),
  };
}

export function orderInput(fixture: Fixture, changes: JsonObject = {}): JsonObject {
  return { displayName: "Spring hiking", advertiser: fixture.advertiser, trafficker: fixture.trafficker, ...changes };
}

export async function createOrder(fixture: Fixture, changes: JsonObject = {}): Promise<JsonObject> {
  const parent = `networks/${NETWORK}`;
  const answer = await fixture.client.post("/orders:batchCreate", { requests: [{ parent, order: orderInput(fixture, changes) }] });
  const [order] = objectsOf(answer, "orders");
  if (!order) throw new Error("No order was created");
  return order;
}

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

export function lineItemInput(fixture: Fixture, order: string, changes: JsonObject = {}): JsonObject {
  return {
    order,
    displayName: "News rectangle",
    externalLineItemId: "pkg_1",
    startTime: inDays(1),
    targetEndTime: inDays(31),
    lineItemType: "STANDARD",
    costType: "CPM",
    rate: { currencyCode: "USD", units: "12", nanos: 500_000_000 },
    goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "400000" },
    creativeRotationType: "EVENLY",
    creativePlaceholders: [{ size: { width: 300, height: 250, sizeType: "PIXEL" } }],
    targeting: { inventoryTargeting: { targetedAdUnits: [{ adUnit: fixture.adUnit, includeDescendants: true }] } },
    ...changes,
  };
}

export async function createLineItems(fixture: Fixture, order: string, count = 1, changes: JsonObject = {}): Promise<JsonObject[]> {
  const parent = `networks/${NETWORK}`;
  const requests = Array.from({ length: count }, (_, index) => ({
    parent,
    lineItem: lineItemInput(fixture, order, { displayName: `Package ${index + 1}`, externalLineItemId: `pkg_${index + 1}`, ...changes }),
  }));
  return objectsOf(await fixture.client.post("/lineItems:batchCreate", { requests }), "lineItems");
}

export function creativeInput(fixture: Fixture, changes: JsonObject = {}): JsonObject {
  return {
    displayName: "Hiking tag",
    advertiser: fixture.advertiser,
    size: { width: 300, height: 250, sizeType: "PIXEL" },
    thirdPartyCreative: { snippet: "<script src=\"https://ads.example/tag.js\"></script>" },
    ...changes,
  };
}

export async function createCreative(fixture: Fixture, changes: JsonObject = {}): Promise<JsonObject> {
  return fixture.client.post("/creatives", creativeInput(fixture, changes));
}

export async function associate(fixture: Fixture, lineItem: string, creative: string, changes: JsonObject = {}): Promise<JsonObject> {
  const parent = `networks/${NETWORK}/lineItems/-`;
  const answer = await fixture.client.post("/lineItems/-/creatives:batchCreate", {
    requests: [{ parent, lineItemCreativeAssociation: { lineItem, creative, ...changes } }],
  });
  const [association] = objectsOf(answer, "lineItemCreativeAssociations");
  if (!association) throw new Error("No association was created");
  return association;
}

/** Rows of one collection as the simulator holds them, visible or not. */
export async function storedRows(url: string, collection: string, network = NETWORK): Promise<JsonObject[]> {
  const state = await admin(url, "GET", `/state?network=${network}&collections=${collection}`);
  const rows = objectOf(objectOf(state, "networks") ?? {}, network)?.[collection];
  return Array.isArray(rows) ? rows.filter(isObject) : [];
}
