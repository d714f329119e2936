import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectOf, objectsOf, type JsonObject } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import {
  associate, createClient, createCreative, createFixture, createLineItems, createOrder, creativeInput, findOne, idOf, nameOf, NETWORK, reasonOf,
  type Answer, type Fixture, type TestClient,
} from "./test-client";

const parent = `networks/${NETWORK}`;
let simulator: Simulator;
let client: TestClient;
let fixture: Fixture;
let lineItem: JsonObject;

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true });
  client = await createClient(simulator);
  fixture = await createFixture(client);
  const [item] = await createLineItems(fixture, nameOf(await createOrder(fixture)));
  lineItem = item ?? {};
});
afterAll(() => simulator.close());

const size = { width: 300, height: 250, sizeType: "PIXEL" };
const tryCreate = (changes: JsonObject): Promise<Answer> => client.request("POST", "/creatives", creativeInput(fixture, changes));

describe("creatives", () => {
  test("a batch of several kinds is created and found by name and advertiser", async () => {
    const kinds: JsonObject[] = [
      { displayName: "tag [mb_1]", thirdPartyCreative: { snippet: "<div></div>" } },
      { displayName: "image [mb_1]", thirdPartyCreative: null, imageRedirectCreative: { imageUrl: "https://cdn.example/a.png", destinationUrl: "https://acme.example/" } },
      { displayName: "vast [mb_1]", size: { width: 640, height: 480, sizeType: "PIXEL" }, thirdPartyCreative: null,
        vastRedirectCreative: { vastXmlUrl: "https://ads.example/vast.xml", vastRedirectType: "LINEAR", duration: "15s" } },
    ];
    const answer = await client.post("/creatives:batchCreate", { requests: kinds.map((kind) => ({ parent, creative: creativeInput(fixture, kind) })) });
    const [tag, , vast] = objectsOf(answer, "creatives");
    expect(tag).toMatchObject({ displayName: "tag [mb_1]", advertiser: fixture.advertiser, size, thirdPartyCreative: { snippet: "<div></div>" }, adBadgingEnabled: false });
    expect(vast).toMatchObject({ vastRedirectCreative: { duration: "15s", vastRedirectType: "LINEAR" } });
    expect(await client.get(`/creatives/${idOf(tag)}`)).toEqual(tag);
    const found = await client.get(`/creatives?filter=${encodeURIComponent(`displayName = "*[mb_1]" AND advertiser = "${fixture.advertiser}"`)}`);
    expect(objectsOf(found, "creatives")).toHaveLength(3);
  });

  test("uploaded bytes become an asset with a size and an address, and are not shown again", async () => {
    const bytes = Buffer.from("not really a png").toString("base64");
    const creative = await createCreative(fixture, {
      thirdPartyCreative: null,
      imageCreative: { destinationUrl: "https://acme.example/", primaryImageAsset: { assetByteArray: bytes, fileName: "a.png" } },
    });
    const asset = objectOf(objectOf(creative, "imageCreative") ?? {}, "primaryImageAsset");
    expect(asset).toMatchObject({ fileName: "a.png", fileSize: "16", size });
    expect(asset).not.toHaveProperty("assetByteArray");
  });

  test.each<[string, JsonObject, string | undefined]>([
    ["no kind", { thirdPartyCreative: null }, "REQUIRED_ERROR_REQUIRED"],
    ["two kinds", { clickTrackingCreative: { clickTrackingUrl: "https://acme.example/" } }, undefined],
    ["no size", { size: null }, "REQUIRED_ERROR_REQUIRED"],
    ["an empty tag", { thirdPartyCreative: {} }, "REQUIRED_ERROR_REQUIRED"],
    ["an image without its destination", { thirdPartyCreative: null, imageRedirectCreative: { imageUrl: "https://cdn.example/a.png" } }, "REQUIRED_ERROR_REQUIRED"],
    ["an image at no web address", { thirdPartyCreative: null, imageRedirectCreative: { imageUrl: "file:///a.png", destinationUrlType: "NONE" } }, "CREATIVE_ERROR_INVALID_URL"],
    ["a VAST without duration", { thirdPartyCreative: null, vastRedirectCreative: { vastXmlUrl: "https://a.example/v", vastRedirectType: "LINEAR" } }, "REQUIRED_ERROR_REQUIRED"],
    ["a kind that Ad Manager makes itself", { thirdPartyCreative: null, programmaticCreative: {} }, "CREATIVE_ERROR_CANNOT_CREATE_OR_UPDATE_CREATIVE_TYPE"],
    ["an unknown advertiser", { advertiser: `${parent}/companies/1` }, "COMMON_ERROR_NOT_FOUND"],
    ["an unknown field", { htmlSnippet: "x" }, undefined],
  ])("refuses %s", async (_what, changes, reason) => {
    const answer = await tryCreate(changes);
    expect([answer.status, reasonOf(answer)]).toEqual([400, reason]);
  });

  test("batchUpdate changes the tag, never the size", async () => {
    const creative = await createCreative(fixture);
    const update = (changes: JsonObject, updateMask: string): Promise<Answer> =>
      client.request("POST", "/creatives:batchUpdate", { requests: [{ creative: { name: nameOf(creative), ...changes }, updateMask }] });
    const updated = await update({ thirdPartyCreative: { snippet: "<b></b>" } }, "thirdPartyCreative.snippet");
    expect(objectsOf(updated.body, "creatives")).toMatchObject([{ thirdPartyCreative: { snippet: "<b></b>" }, displayName: "Hiking tag" }]);
    expect(reasonOf(await update({ size: { width: 1, height: 1, sizeType: "PIXEL" } }, "size"))).toBe("COMMON_ERROR_IMMUTABLE_FIELD");
  });
});

describe("associations", () => {
  test("are created under the wildcard, named by both ids, and listed under either parent", async () => {
    const creative = await createCreative(fixture);
    const association = await associate(fixture, nameOf(lineItem), nameOf(creative), { manualCreativeRotationWeight: 25 });
    expect(association).toMatchObject({
      name: `${nameOf(lineItem)}/creatives/${idOf(creative)}`, lineItem: nameOf(lineItem), creative: nameOf(creative), status: "ACTIVE", manualCreativeRotationWeight: 25,
    });
    const filter = encodeURIComponent(`lineItem = "${nameOf(lineItem)}" AND creative = "${nameOf(creative)}"`);
    for (const path of [`/lineItems/-/creatives?filter=${filter}`, `/lineItems/${idOf(lineItem)}/creatives?filter=${filter}`]) {
      expect(objectsOf(await client.get(path), "lineItemCreativeAssociations").map(nameOf)).toEqual([nameOf(association)]);
    }
    expect(await client.get(`/lineItems/${idOf(lineItem)}/creatives/${idOf(creative)}`)).toEqual(association);
  });

  test("the same pair twice is 409", async () => {
    const creative = await createCreative(fixture);
    await associate(fixture, nameOf(lineItem), nameOf(creative));
    const again = await client.request("POST", `/lineItems/${idOf(lineItem)}/creatives`, { lineItem: nameOf(lineItem), creative: nameOf(creative) });
    expect(again.status).toBe(409);
    expect(objectOf(again.body, "error")?.["status"]).toBe("ALREADY_EXISTS");
  });

  test("an element's parent is the wildcard or its own line item", async () => {
    const creative = nameOf(await createCreative(fixture));
    const attempt = (requestParent: string): Promise<Answer> => client.request("POST", "/lineItems/-/creatives:batchCreate", {
      requests: [{ parent: requestParent, lineItemCreativeAssociation: { lineItem: nameOf(lineItem), creative } }],
    });
    expect((await attempt(`${parent}/lineItems/1`)).status).toBe(400);
    expect((await attempt(nameOf(lineItem))).status).toBe(200);
  });

  test("refuses another advertiser's creative, a size without placeholder, and what only 360 networks have", async () => {
    const nova = nameOf(await findOne(client, "/companies", "companies", 'displayName = "Nova Motors"'));
    const large = { width: 970, height: 250, sizeType: "PIXEL" };
    const attempt = async (creative: JsonObject, changes: JsonObject = {}): Promise<string | undefined> =>
      reasonOf(await client.request("POST", `/lineItems/${idOf(lineItem)}/creatives`, { lineItem: nameOf(lineItem), creative: nameOf(creative), ...changes }));
    expect(await attempt(await createCreative(fixture, { advertiser: nova }))).toBe("LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_CREATIVE_IN_WRONG_ADVERTISERS_LIBRARY");
    const wide = await createCreative(fixture, { size: large });
    expect(await attempt(wide)).toBe("LINE_ITEM_CREATIVE_ASSOCIATION_ERROR_INVALID_LINEITEM_CREATIVE_PAIRING");
    expect(await attempt(wide, { sizes: [size] })).toBeUndefined();
    expect(await attempt(await createCreative(fixture), { startTime: "2031-01-01T00:00:00Z" })).toBe("FEATURE_ERROR_MISSING_FEATURE");
  });

  test("are updated, switched off and on, and deleted", async () => {
    const creative = await createCreative(fixture);
    const association = await associate(fixture, nameOf(lineItem), nameOf(creative));
    const names = [nameOf(association)];
    const path = `/lineItems/${idOf(lineItem)}/creatives/${idOf(creative)}`;
    const updated = await client.post("/lineItems/-/creatives:batchUpdate", {
      requests: [{ lineItemCreativeAssociation: { name: nameOf(association), manualCreativeRotationWeight: 50 }, updateMask: "manualCreativeRotationWeight" }],
    });
    expect(objectsOf(updated, "lineItemCreativeAssociations")).toMatchObject([{ manualCreativeRotationWeight: 50 }]);
    await client.post("/lineItems/-/creatives:batchDeactivate", { names });
    expect((await client.get(path))["status"]).toBe("INACTIVE");
    await client.post(`/lineItems/${idOf(lineItem)}/creatives:batchActivate`, { names });
    expect((await client.get(path))["status"]).toBe("ACTIVE");
    await client.post("/lineItems/-/creatives:batchDelete", { names });
    expect((await client.request("GET", path)).status).toBe(404);
  });
});
