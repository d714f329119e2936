import { and, eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, callMcp, callRest, errorCode } from "@/test/fixtures/door";
import { asSystem } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { type ListAgent, listOf, startListAgent } from "@/test/list-agent";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { log } from "../log";
import { addMs, DAY_MS, HOUR_MS } from "../time";
import { resolveByDns } from "../webhooks/address";
import { listHolds } from "./match";
import { readInventoryList } from "./read";
import { inventoryLists } from "./schema";

useTestDatabase();
let agent: ListAgent;
let publisher: PublisherFixture;

beforeEach(async () => {
  agent = await startListAgent();
  publisher = await createPublisher({
    slug: `p-${Math.random().toString(36).slice(2, 10)}`,
    products: [
      { productId: "news", details: { publisher_properties: [{ publisher_domain: "news.example", selection_type: "all" }] } },
      { productId: "both", details: { publisher_properties: [{ publisher_domain: "news.example", selection_type: "all" }, { publisher_domain: "sport.example", selection_type: "all" }] } },
      { productId: "either", details: { property_targeting_allowed: true, publisher_properties: [{ publisher_domain: "news.example", selection_type: "all" }, { publisher_domain: "sport.example", selection_type: "all" }] } },
    ],
  });
});
afterEach(() => agent.close());

const ref = (changes: Record<string, unknown> = {}) => ({ agent_url: agent.url, list_id: "premium", auth_token: "token-of-the-list", ...changes });
const ask = async (list: Record<string, unknown> = ref(), token = publisher.token) => (await callMcp("get_products", { buying_mode: "wholesale", property_list: list }, { token })).body;
const idsOf = (body: Record<string, unknown>) => asList(body.products).map(({ product_id: id }) => id);
const rows = () => asSystem(publisher, ({ db, tenantId }) => db.select().from(inventoryLists).where(eq(inventoryLists.tenantId, tenantId)));

/** What the background does with each request, once; answers how the last attempt ended. */
async function work(now = new Date()) {
  let last;
  for (const { id } of await rows()) last = await readInventoryList({ transact: withTenant, now: () => now, log, resolve: resolveByDns }, { tenantId: publisher.tenantId, listId: id });
  return last;
}

describe("a property list of another agent", () => {
  test("is read in the background, and narrows the products from then on; the call itself asks nobody", async () => {
    agent.react(() => listOf(["news.example"]));
    const first = await ask();
    expect(first).toMatchObject({ property_list_applied: false, incomplete: [{ scope: "products", description: expect.stringContaining("being read"), estimated_wait: { interval: 5, unit: "seconds" } }] });
    expect(idsOf(first)).toEqual(["news", "both", "either"]);
    expect(agent.asked).toHaveLength(0);
    const events = await asSystem(publisher, ({ db, tenantId }) => db.select().from(outbox).where(and(eq(outbox.tenantId, tenantId), eq(outbox.name, "greenlight/inventory-list.requested"))));
    expect(events).toHaveLength(1);
    expect(await work()).toEqual({ next: "stop" });
    expect(agent.asked).toMatchObject([{ request: { list_id: "premium", resolve: true } }]);
    expect(agent.asked[0]?.headers.authorization).toBe("Bearer token-of-the-list");
    const second = await ask();
    expect(second).toMatchObject({ property_list_applied: true });
    expect(second.incomplete).toBeUndefined();
    expect(idsOf(second)).toEqual(["news", "either"]);
    // By every door, and without the token once it is known.
    const { body } = await callRest("get_products", { buying_mode: "wholesale", property_list: { agent_url: agent.url, list_id: "premium" } }, { token: publisher.token });
    expect(idsOf(body)).toEqual(["news", "either"]);
    expect(agent.asked).toHaveLength(1);
  });

  test("comes in pages, is asked for again when it is no longer valid, and counts as it was until then", async () => {
    const soon = () => new Date(Date.now() + 2 * HOUR_MS).toISOString();
    agent.react(({ pagination }) => pagination?.cursor === undefined
      ? listOf(["news.example"], { pagination: { has_more: true, cursor: "2" }, cache_valid_until: soon() })
      : listOf(["*.sport.example", "sport.example"], { pagination: { has_more: false } }));
    await ask();
    await work();
    expect(agent.asked).toHaveLength(2);
    expect(idsOf(await ask())).toEqual(["news", "both", "either"]);
    await asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set({ validUntil: addMs(new Date(), -1) }).where(eq(inventoryLists.tenantId, tenantId)));
    agent.react(() => listOf(["sport.example"]));
    expect(idsOf(await ask())).toEqual(["news", "both", "either"]);
    await work();
    expect(idsOf(await ask())).toEqual(["either"]);
    const [row] = await rows();
    expect(row?.validUntil?.getTime()).toBeGreaterThan(Date.now());
    expect(row?.validUntil?.getTime()).toBeLessThan(Date.now() + DAY_MS);
  });

  test("an empty list leaves nothing", async () => {
    await ask();
    await work();
    expect(await ask()).toMatchObject({ property_list_applied: true, products: [] });
  });

  test.each([
    ["an error of the agent's", () => ({ error: { code: "LIST_NOT_FOUND", message: "No such list." } }) as const, "LIST_NOT_FOUND: No such list.", 1],
    ["refused credentials", () => ({ status: 401 }) as const, "refused the credentials", 1],
    ["garbage", () => ({ payload: { identifiers: "all" } }) as const, "not one of get_property_list", 4],
    ["silence", () => "silence" as const, "could not be asked", 4],
    ["too many domains", () => listOf(Array.from({ length: 13_000 }, (_, n) => `${n}.${Math.random()}.example`), { pagination: { has_more: true, cursor: String(Math.random()) } }), "more than 50000 domains", 1],
  ])("%s: the products come, and the answer says why they are not narrowed", async (_what, reaction, message, attempts) => {
    agent.react(reaction);
    await ask();
    for (let attempt = 1; attempt < attempts; attempt += 1) expect(await work()).toMatchObject({ next: "later" });
    expect(await work()).toEqual({ next: "stop" });
    const body = await ask();
    expect(body).toMatchObject({ property_list_applied: false, incomplete: [{ scope: "products", description: expect.stringContaining(message) }] });
    expect(idsOf(body)).toEqual(["news", "both", "either"]);
  });

  test("a name that points inside reads like one that does not exist, in words and in time", async () => {
    const told: unknown[] = [];
    for (const resolve of [async () => ["169.254.169.254"], () => Promise.reject(new Error("getaddrinfo ENOTFOUND lists.corp.example"))]) {
      const list = { agent_url: "https://lists.corp.example/mcp", list_id: `l${told.length}` };
      await ask(list);
      const [row] = (await rows()).filter(({ listId }) => listId === list.list_id);
      const steps: unknown[] = [];
      for (let attempt = 0; attempt < 4; attempt += 1) steps.push(await readInventoryList({ transact: withTenant, now: () => new Date(), log, resolve }, { tenantId: publisher.tenantId, listId: row?.id ?? "" }));
      told.push([steps, asList((await ask(list)).incomplete).map(({ description }) => description)]);
    }
    expect(told[0]).toEqual(told[1]);
    expect(JSON.stringify(told)).not.toContain("private");
  });

  test("is its buyer's own: another buyer, and another token, must be let in by the agent", async () => {
    agent.react(() => listOf(["news.example"]));
    await ask();
    await work();
    const other = await createBuyer(publisher.tenantId, { name: "Other", isSandbox: true });
    expect(await ask({ agent_url: agent.url, list_id: "premium" }, other.token)).toMatchObject({ property_list_applied: false });
    expect(await ask(ref({ auth_token: "another" }))).toMatchObject({ property_list_applied: false });
    expect(await ask(ref({ auth_token: "another" }))).toMatchObject({ property_list_applied: false });
    expect((await rows()).map(({ tokenEncrypted }) => tokenEncrypted ?? "").join()).not.toContain("token-of-the-list");
    agent.react(() => ({ status: 403 }));
    await work();
    expect(await ask(ref({ auth_token: "another" }))).toMatchObject({ property_list_applied: false, incomplete: [{ description: expect.stringContaining("refused the credentials") }] });
  });

  test("an address that may not be called is refused where it stands, without a token nobody is asked, and lists do not grow without end", async () => {
    for (const agentUrl of ["ftp://lists.example/mcp", "not an address", "http://user:secret@lists.example/"]) {
      const refused = await callMcp("get_products", { buying_mode: "wholesale", property_list: { agent_url: agentUrl, list_id: "x" } }, { token: publisher.token });
      expect(["INVALID_REQUEST", "VALIDATION_ERROR"]).toContain(errorCode(refused));
    }
    const visitor = await callMcp("get_products", { buying_mode: "wholesale", property_list: ref() }, {});
    expect(visitor.body).toMatchObject({ property_list_applied: false });
    expect(await rows()).toHaveLength(0);
    for (let n = 0; n < 103; n += 1) await ask(ref({ list_id: `list-${n}` }));
    const left = await rows();
    expect(left).toHaveLength(100);
    expect(left.some(({ listId }) => listId === "list-102")).toBe(true);
  });
});

test.each([
  ["a.example", "a.example", true], ["www.a.example", "a.example", true], ["m.a.example", "a.example", true], ["x.a.example", "a.example", false],
  ["x.a.example", "*.a.example", true], ["y.x.a.example", "*.a.example", true], ["a.example", "*.a.example", false], ["A.Example", "a.example", true], ["aa.example", "a.example", false],
])("%s and %s: %s", (domain, entry, isHeld) => {
  expect(listHolds(new Set([entry]), domain)).toBe(isHeld);
});
