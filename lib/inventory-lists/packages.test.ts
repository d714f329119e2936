import { and, eq, sql } from "drizzle-orm";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { asActor, asBuyer, asSystem, days, staff } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { collectionsOf, type ListAgent, listOf, startListAgent } from "@/test/list-agent";
import { loadReview } from "../approvals/review";
import { waitFor } from "@/test/wait";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { loadDesiredOrder } from "../fulfilment/desired";
import { fulfilments } from "../fulfilment/schema";
import { fromWireId, newId } from "../ids";
import { log } from "../log";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { planOrder } from "../fulfilment/desired";
import { adServerDeclaration } from "../ad-servers/registry";
import { settleStatus } from "../media-buys/settle";
import { addMs, DAY_MS, HOUR_MS } from "../time";
import { resolveByDns } from "../webhooks/address";
import { readInventoryList } from "./read";
import { recheckPackages } from "./recheck";
import { rereadList } from "./reread";
import { inventoryLists, packageLists } from "./schema";
import { refreshListsInUse } from "./sweep";
import { useList } from "./use";

const database = useTestDatabase();
let agent: ListAgent;
let publisher: PublisherFixture;

const TRAIL = { publisherDomain: "news.example", collectionId: "trail_life", name: "Trail Life", identifiers: ["imdb_id:tt9100001"] };
const SUMMIT = { publisherDomain: "news.example", collectionId: "summit", name: "Summit Stories", identifiers: ["imdb_id:tt9100002"] };
const on = (...domains: string[]) => ({ publisher_properties: domains.map((domain) => ({ publisher_domain: domain, selection_type: "all" })) });

beforeEach(async () => {
  agent = await startListAgent();
  publisher = await createPublisher({
    slug: `p-${Math.random().toString(36).slice(2, 10)}`,
    products: [{ productId: "news", details: on("news.example") }, { productId: "both", details: on("news.example", "sport.example") }, { productId: "reviewed", details: on("news.example"), isReviewRequired: true }, { productId: "everywhere", details: {} }, { productId: "shows", details: on("news.example"), collections: [TRAIL, SUMMIT] }, { productId: "unnamed", details: on("news.example"), collections: [{ ...TRAIL, identifiers: [] }] }],
  });
  agent.react(() => listOf(["news.example"]));
});
afterEach(() => agent.close());

const TOKEN = "token-of-the-list";
const ref = (changes: Record<string, unknown> = {}) => ({ agent_url: agent.url, list_id: "premium", auth_token: TOKEN, ...changes });
const targeted = (productId: string, overlay: Record<string, unknown> = { property_list: ref() }) => ({ product_id: productId, pricing_option_id: "cpm_fixed", budget: 1_000, targeting_overlay: overlay });
const order = (...packages: Record<string, unknown>[]) => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: days(2, new Date()), end_time: days(32, new Date()), packages });
const call = (tool: string, input: Record<string, unknown>, token = publisher.token) => callMcp(tool, input, { token });
const create = (...packages: Record<string, unknown>[]) => call("create_media_buy", order(...packages));
const update = (mediaBuyId: unknown, packages: Record<string, unknown>[]) => call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: mediaBuyId, packages });
const reading = { transact: withTenant, now: () => new Date(), log, resolve: resolveByDns };
const lists = () => asSystem(publisher, ({ db, tenantId }) => db.select().from(inventoryLists).where(eq(inventoryLists.tenantId, tenantId)));
const read = async (id: unknown) => asObject(asList((await call("get_media_buys", { media_buy_ids: [id] })).body.media_buys)[0]);
const events = (name: string) => asSystem(publisher, ({ db, tenantId }) => db.select().from(outbox).where(and(eq(outbox.tenantId, tenantId), sql`${outbox.name} = ${name}`)));
const desiredOf = (id: unknown) => asSystem(publisher, async (ctx) => {
  const [row] = await ctx.db.select({ id: fulfilments.id }).from(fulfilments).where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, fromWireId("mediaBuy", String(id)) ?? "")));
  return loadDesiredOrder(ctx, row?.id ?? "");
});

/** What the background does with each list that waits, and with the packages that keep to it. */
async function work(): Promise<void> {
  for (const { id } of await lists()) {
    await readInventoryList(reading, { tenantId: publisher.tenantId, listId: id });
    await recheckPackages(reading, { tenantId: publisher.tenantId, listId: id });
  }
}

/** As if the list were no longer valid. */
const expire = () => asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set({ validUntil: addMs(new Date(), -1) }).where(eq(inventoryLists.tenantId, tenantId)));

/** The list has been read, as by get_products. */
async function know(list = ref()): Promise<void> {
  await call("get_products", { buying_mode: "wholesale", property_list: list });
  await work();
}

/** What an empty ad server would be told of an order. */
const planOf = async (id: unknown) => planOrder(() => adServerDeclaration("google_ad_manager"), await desiredOf(id), { objects: [] }, new Date());
const heldOf = async (id: unknown) => asList((await read(id)).packages).map((row) => (row.ext === undefined ? undefined : asObject(asObject(row.ext).held).reason));
const again = async () => {
  await expire();
  await refreshListsInUse(reading);
  await work();
};

describe("a property list in the targeting of a package", () => {
  test("goes on being read with its token when a look around names it with another one", async () => {
    await know();
    const id = (await create(targeted("news"))).body.media_buy_id;
    const { body } = await call("get_products", { buying_mode: "wholesale", property_list: ref({ auth_token: "mistyped" }) });
    expect(body).toMatchObject({ property_list_applied: false, incomplete: [{ description: expect.stringContaining("name it as they do") as string }] });
    await again();
    expect(agent.asked.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
    expect(await heldOf(id)).toEqual([undefined]);
  });

  test("that nobody has read yet is taken: the package is nowhere until it is read, its buyer and history say so; its token is nowhere but sealed", async () => {
    const request = order(targeted("news"));
    const first = await call("create_media_buy", request);
    const shown = { property_list: { agent_url: agent.url, list_id: "premium" } };
    const held = { held: { field: "targeting_overlay.property_list", reason: "unread", message: expect.stringContaining("being read") as string } };
    expect(asList(first.body.packages)[0]).toMatchObject({ targeting_overlay: shown, paused: false, ext: held });
    const id = first.body.media_buy_id;
    expect(asList((await read(id)).packages)[0]).toMatchObject({ targeting_overlay: shown, ext: held });
    expect(agent.asked).toHaveLength(0);
    expect(await events("greenlight/inventory-list.requested")).toHaveLength(1);
    expect((await desiredOf(id)).lines).toMatchObject([{ isHeld: true, targeting: {} }]);
    expect(await planOf(id)).toEqual({ outcome: "operations", operations: [] });

    await work();
    expect(agent.asked[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const after = await read(id);
    expect(after).toMatchObject({ revision: 2 });
    expect(asList(after.packages)[0]).not.toHaveProperty("ext");
    expect((await desiredOf(id)).lines).toMatchObject([{ isHeld: false, targeting: {} }]);
    expect(await planOf(id)).toMatchObject({ operations: [{ kind: "create-advertiser" }, { kind: "create-order" }, { kind: "create-line-items" }, { kind: "approve-order" }] });
    const [entry] = asList(asObject(asList((await call("get_media_buys", { media_buy_ids: [id], include_history: 5 })).body.media_buys)[0]).history);
    expect(entry).toMatchObject({ action: "package_resumed", revision: 2 });
    expect((await call("create_media_buy", request)).body).toMatchObject({ replayed: true, media_buy_id: id });

    const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
    const tables = await admin<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`;
    for (const { name } of tables) expect([name, (await admin.unsafe(`select count(*)::int as n from "${name}" t where t::text like '%${TOKEN}%'`))[0]?.n]).toEqual([name, 0]);
    await admin.end();
  });

  test("that is read in the moment of the order holds nothing back: the reading waits for the order", async () => {
    await call("get_products", { buying_mode: "wholesale", property_list: ref() });
    let isLocked = false;
    let isStored = false;
    const ordering = asBuyer(publisher, async (ctx) => {
      expect(await useList(ctx, publisher.session, "property", ref(), "property_list", true)).toMatchObject({ entries: null });
      isLocked = true;
      await waitFor("the reading to have had its chance", () => isStored);
    }, new Date());
    await waitFor("the order to name its list", () => isLocked);
    const working = work();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(agent.asked).toHaveLength(0);
    isStored = true;
    await Promise.all([ordering, working]);
    expect(agent.asked).toHaveLength(1);
    const [bought] = await Promise.all([create(targeted("news", { property_list: ref({ list_id: "second" }) })), work()]);
    await work();
    expect(await heldOf(bought.body.media_buy_id)).toEqual([undefined]);
  });

  test("that leaves out something else when it is read again says so", async () => {
    const id = (await create(targeted("both"))).body.media_buy_id;
    const said = async () => asObject(asObject(asList((await read(id)).packages)[0]?.ext).held).message;
    agent.react(() => listOf(["news.example"]));
    await work();
    expect(await said()).toContain("leaves out sport.example");
    const before = (await events("greenlight/fulfilment.changed")).length;
    agent.react(() => listOf(["sport.example"]));
    await again();
    expect(await said()).toContain("leaves out news.example");
    // Held before and after: the ad server has nothing to do.
    expect(await events("greenlight/fulfilment.changed")).toHaveLength(before);
  });

  test("that some orders cannot be judged by is tried again for those that can, however broken another is", async () => {
    const first = await create(targeted("news"));
    const second = await create(targeted("news"));
    const [broken, busy] = [first, second].map(({ body }) => fromWireId("mediaBuy", String(body.media_buy_id)) ?? "").sort();
    const [list] = await lists();
    await readInventoryList(reading, { tenantId: publisher.tenantId, listId: list?.id ?? "" });
    const failing = (failures: Error[]) => {
      const left = [...failures];
      let calls = 0;
      // The first transaction finds the orders; each of the others is one of theirs, in the order of their ids.
      const transact: typeof withTenant = (...of) => ((calls += 1) === 1 ? withTenant(...of) : Promise.reject(left.shift() ?? new Error("one more than there are")));
      return recheckPackages({ ...reading, transact }, { tenantId: publisher.tenantId, listId: list?.id ?? "" });
    };
    expect(broken).not.toBe(busy);
    await expect(failing([new Error("Invariant broken: a row lies"), new Error("too busy")])).rejects.toThrow("too busy");
    await expect(failing([new Error("Invariant broken: a row lies"), new Error("Invariant broken: another")])).rejects.toThrow("a row lies");
    await work();
    expect([await heldOf(first.body.media_buy_id), await heldOf(second.body.media_buy_id)]).toEqual([[undefined], [undefined]]);
  });

  test.each([
    ["holds none of the product's properties", ["elsewhere.example"], "no_match"],
    ["holds some of them only", ["news.example"], "partial_match"],
  ])("that turns out later and %s leaves the package still, and starts no flight", async (_what, domains, reason) => {
    const { body } = await create({ ...targeted("both"), creatives: [imageCreative("banner")] });
    agent.react(() => listOf(domains));
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([reason]);
    expect(await planOf(body.media_buy_id)).toEqual({ outcome: "operations", operations: [] });
    const id = fromWireId("mediaBuy", String(body.media_buy_id)) ?? "";
    await asSystem(publisher, ({ db, tenantId }) => db.update(fulfilments).set({ state: "in_sync" }).where(eq(fulfilments.tenantId, tenantId)));
    await asSystem(publisher, async ({ db, tenantId }) => db.update(mediaBuys).set({ status: "pending_start" }).where(eq(mediaBuys.tenantId, tenantId)));
    const later = (hold: boolean) => asSystem(publisher, async (ctx) => {
      if (!hold) await ctx.db.update(mediaPackages).set({ hold: null }).where(eq(mediaPackages.tenantId, ctx.tenantId));
      return settleStatus({ ...ctx, now: addMs(new Date(), 3 * DAY_MS) }, id);
    });
    expect(await later(true)).toBeNull();
    expect(await later(false)).toBe("active");
  });

  test.each([
    ["refuses", () => ({ status: 403 }) as const, 1, "refused the credentials"],
    ["is silent", () => "silence" as const, 4, "could not be asked"],
  ])("whose agent %s holds the package, and says why; an order that names it then is held too", async (_what, reaction, attempts, message) => {
    agent.react(reaction);
    const { body } = await create(targeted("news"));
    for (let n = 0; n < attempts; n += 1) await work();
    const held = { reason: "unreadable", message: expect.stringContaining(message) as string };
    expect(asList((await read(body.media_buy_id)).packages)[0]).toMatchObject({ ext: { held } });
    expect(asList((await create(targeted("news"))).body.packages)[0]).toMatchObject({ ext: { held } });
    agent.react(() => listOf(["news.example"]));
    await asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set({ updatedAt: addMs(new Date(), -2 * HOUR_MS) }).where(eq(inventoryLists.tenantId, tenantId)));
    expect(await refreshListsInUse(reading)).toBe(1);
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([undefined]);
  });

  test.each([
    ["holds none of the product's properties", "both", ["elsewhere.example"], "PRODUCT_UNAVAILABLE", "property_list_no_match"],
    ["is empty", "news", [], "PRODUCT_UNAVAILABLE", "property_list_no_match"],
    ["holds some of them only", "both", ["news.example"], "UNSUPPORTED_FEATURE", "property_list_partial_match"],
  ])("that is known and %s refuses the order, by name; one that is no longer valid is asked for again first", async (_what, product, domains, code, reason) => {
    agent.react(() => listOf(domains));
    await know();
    const packages = [{ product_id: "news", pricing_option_id: "cpm_fixed", budget: 1_000 }, targeted(product)];
    const refused = await create(...packages);
    expect([errorCode(refused), asObject(refused.body.adcp_error).field, asObject(asObject(refused.body.adcp_error).details).reason]).toEqual([code, "packages[1].targeting_overlay.property_list", reason]);
    expect(JSON.stringify(refused.body)).not.toContain(TOKEN);
    await expire();
    agent.react(() => listOf(["news.example", "sport.example"]));
    const { body } = await create(...packages);
    expect(asList(body.packages)[1]).toMatchObject({ ext: { held: { reason: reason.replace("property_list_", "") } } });
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([undefined, undefined]);
  });

  test("that holds all of them is taken, also where the product runs on all that the publisher has", async () => {
    agent.react(() => listOf(["news.example", "sport.example", `${publisher.slug}.example`]));
    await know();
    const { body } = await create(targeted("both"), targeted("everywhere", { property_list: ref(), geo_countries: ["US"] }));
    expect(asList(body.packages)).toMatchObject([{ product_id: "both" }, { product_id: "everywhere", targeting_overlay: { geo_countries: ["US"] } }]);
    expect(await heldOf(body.media_buy_id)).toEqual([undefined, undefined]);
  });

  test("is another buyer's own affair: who was not let in learns nothing from what another one may read", async () => {
    await know();
    const other = await createBuyer(publisher.tenantId, { name: "Other", isSandbox: true });
    agent.react(() => ({ status: 403 }));
    const { body } = await call("create_media_buy", order(targeted("news", { property_list: { agent_url: agent.url, list_id: "premium" } })), other.token);
    expect(asList(body.packages)[0]).toMatchObject({ ext: { held: { reason: "unread" } } });
    await work();
    const own = asObject(asList((await call("get_media_buys", { media_buy_ids: [body.media_buy_id] }, other.token)).body.media_buys)[0]);
    expect(asList(own.packages)[0]).toMatchObject({ ext: { held: { reason: "unreadable" } } });
  });

  test("is refused where it stands: products without collections, addresses that may not be called, two tokens for one list, too many lists", async () => {
    for (const [product, overlay, code, field] of [
      ["news", { collection_list: ref() }, "UNSUPPORTED_FEATURE", "collection_list"],
      ["news", { collection_list_exclude: ref() }, "UNSUPPORTED_FEATURE", "collection_list_exclude"],
      ["unnamed", { collection_list_exclude: ref() }, "UNSUPPORTED_FEATURE", "collection_list_exclude"],
      ["news", { property_list: ref({ agent_url: "ftp://lists.example/" }) }, "VALIDATION_ERROR", "property_list.agent_url"],
      ["shows", { collection_list: ref({ agent_url: "http://lists.example/" }) }, "VALIDATION_ERROR", "collection_list.agent_url"],
    ] as const) {
      const refused = await create(targeted(product, overlay));
      expect([errorCode(refused), asObject(refused.body.adcp_error).field]).toEqual([code, `packages[0].targeting_overlay.${field}`]);
    }
    expect(asObject((await create(targeted("news"), targeted("news", { property_list: ref({ auth_token: "another" }) }))).body.adcp_error).field).toBe("packages[1].targeting_overlay.property_list.auth_token");
    expect(asObject((await create(...Array.from({ length: 21 }, (_, n) => targeted("news", { property_list: ref({ list_id: `list-${n}` }) })))).body.adcp_error).field).toBe("packages[20].targeting_overlay.property_list");
    expect(await lists()).toHaveLength(0);
  });

  test("is replaced as a whole by a change, and taken away with the targeting; with an unread one the package stands still", async () => {
    await know();
    const { body: bought } = await create(targeted("news"));
    const packageId = asList(bought.packages)[0]?.package_id;
    const swap = [{ package_id: packageId, budget: 2_000, targeting_overlay: { property_list: ref({ list_id: "second" }) } }];
    const changed = { budget: 2_000, targeting_overlay: { property_list: { agent_url: agent.url, list_id: "second" } } };
    expect(asList((await update(bought.media_buy_id, swap)).body.affected_packages)[0]).toMatchObject({ ...changed, ext: { held: { reason: "unread" } } });
    expect(asList((await read(bought.media_buy_id)).packages)[0]).toMatchObject({ ...changed, ext: { held: { reason: "unread" } } });
    await work();
    expect(await heldOf(bought.media_buy_id)).toEqual([undefined]);
    const added = await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: bought.media_buy_id, new_packages: [targeted("both", { property_list: ref({ list_id: "second" }) })] });
    expect(asObject(added.body.adcp_error).field).toBe("new_packages[0].targeting_overlay.property_list");
    const joined = await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: bought.media_buy_id, new_packages: [targeted("both", { property_list: ref({ list_id: "third" }) })] });
    expect(asList(joined.body.affected_packages)[0]).toMatchObject({ ext: { held: { reason: "unread" } } });
    await update(bought.media_buy_id, [{ package_id: packageId, targeting_overlay: { geo_countries: ["US"] } }]);
    expect(asList((await read(bought.media_buy_id)).packages)[0]?.targeting_overlay).toEqual({ geo_countries: ["US"] });
    expect(await asSystem(publisher, ({ db, tenantId }) => db.$count(packageLists, eq(packageLists.tenantId, tenantId)))).toBe(1);
  });
});

describe("a collection list in the targeting of a package", () => {
  const shows = (overlay: Record<string, unknown>) => targeted("shows", overlay);

  test("is asked for by its own tool, and lets the package run when it names all of the product's collections, by their ids or the publisher's own", async () => {
    const lists = { collection_list: ref({ list_id: "shows" }), property_list: ref() };
    const { body } = await create(shows(lists));
    expect(asList(body.packages)[0]?.targeting_overlay).toEqual({ collection_list: { agent_url: agent.url, list_id: "shows" }, property_list: { agent_url: agent.url, list_id: "premium" } });
    const source = { selection_type: "publisher_collections", publisher_domain: "news.example", collection_ids: ["summit"] };
    agent.react(({ list_id: id }) => (id === "shows" ? collectionsOf([{ name: "TL", ids: { imdb_id: "tt9100001" } }], { base_collections: [source] }) : listOf(["news.example"])));
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([undefined]);
    expect(asList((await call("get_products", { buying_mode: "wholesale" })).body.products).find((product) => product.product_id === "shows")?.collections).toEqual([{ publisher_domain: "news.example", collection_ids: ["trail_life", "summit"] }]);
  });

  test.each([
    ["names other shows", [{ name: "Trail Life", ids: { imdb_id: "tt1" } }], "no_match", "PRODUCT_UNAVAILABLE"],
    ["names some of them", [{ name: "Other", ids: { imdb_id: "tt9100002" } }], "partial_match", "UNSUPPORTED_FEATURE"],
  ])("that %s holds the package, and refuses the next order", async (_what, collections, reason, code) => {
    const { body } = await create(shows({ collection_list: ref() }));
    agent.react(() => collectionsOf(collections));
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([reason]);
    const refused = await create(shows({ collection_list: ref() }));
    expect([errorCode(refused), asObject(asObject(refused.body.adcp_error).details).reason]).toEqual([code, `collection_list_${reason}`]);
  });

  test.each([
    ["an id", collectionsOf([{ name: "x", ids: { imdb_id: "tt9100002" } }]), "excluded"],
    ["a name alone", collectionsOf([{ name: " summit  STORIES" }]), "excluded"],
    ["the publisher's id, although filters may have left it out", collectionsOf([], { base_collections: [{ publisher_domain: "news.example", collection_ids: ["summit"] }], filters: { kinds: ["series"] } }), "excluded"],
    ["other shows", collectionsOf([{ name: "Bistro\u0000", ids: { imdb_id: "tt9200001", eidr_id: "\u0000" } }]), undefined],
    ["nothing", collectionsOf([]), undefined],
  ])("of what must not carry ads, that names %s", async (_what, answer, reason) => {
    const { body } = await create(shows({ collection_list_exclude: ref() }));
    expect(await heldOf(body.media_buy_id)).toEqual(["unread"]);
    agent.react(() => answer);
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual([reason]);
    const next = await create(shows({ collection_list_exclude: ref() }));
    expect(next.isError ? errorCode(next) : undefined).toBe(reason === undefined ? undefined : "PRODUCT_UNAVAILABLE");
  });

  test("and a property list beside it are both kept to: what one says counts before what another does not say yet", async () => {
    const { body } = await create(shows({ property_list: ref(), collection_list_exclude: ref({ list_id: "brand-safety" }) }));
    agent.react(({ list_id: id }) => (id === "premium" ? listOf(["elsewhere.example"]) : collectionsOf([])));
    for (const { id, kind } of await lists()) if (kind === "property") {
      await readInventoryList(reading, { tenantId: publisher.tenantId, listId: id });
      await recheckPackages(reading, { tenantId: publisher.tenantId, listId: id });
    }
    expect(await heldOf(body.media_buy_id)).toEqual(["no_match"]);
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual(["no_match"]);
    agent.react(({ list_id: id }) => (id === "premium" ? listOf(["news.example"]) : collectionsOf([])));
    await again();
    expect(await heldOf(body.media_buy_id)).toEqual([undefined]);
  });

  test("is another list than the property list of the same name", async () => {
    agent.react(() => listOf(["news.example"]));
    await know();
    const { body } = await create(shows({ collection_list: ref() }));
    expect(await heldOf(body.media_buy_id)).toEqual(["unread"]);
    expect((await lists()).map(({ kind }) => kind).sort()).toEqual(["collection", "property"]);
  });

  test("is declared where some product names collections", async () => {
    const features = async (token: string) => asObject(asObject((await call("get_adcp_capabilities", {}, token)).body.media_buy).features);
    expect(await features(publisher.token)).toMatchObject({ property_list_filtering: true, collection_list_targeting: true });
    const without = await createPublisher({ slug: `q-${Math.random().toString(36).slice(2, 10)}` });
    expect(await features(without.token)).toMatchObject({ collection_list_targeting: false });
    const { body } = await call("get_products", { buying_mode: "wholesale", filters: { required_features: { collection_list_targeting: true } } });
    expect(asList(body.products).map(({ product_id: id }) => id)).toEqual(["shows", "unnamed"]);
  });
});

describe("a list that changes", () => {
  test("stops the packages that it holds no longer, tells their buyer, and lets them go on when it holds them again; silence changes nothing", async () => {
    await know();
    const { body: bought } = await create({ ...targeted("news"), creatives: [imageCreative("banner")] }, { product_id: "news", pricing_option_id: "cpm_fixed", budget: 1_000 });
    const id = bought.media_buy_id;
    const state = async () => (await desiredOf(id)).lines.map(({ isHeld }) => isHeld);
    expect(await state()).toEqual([false, false]);
    const before = (await events("greenlight/fulfilment.changed")).length;
    agent.react(() => listOf(["news.example", "more.example"]));
    await again();
    expect(await read(id)).toMatchObject({ revision: 1 });

    agent.react(() => listOf(["more.example"]));
    await again();
    expect(await state()).toEqual([true, false]);
    const held = await read(id);
    expect(held).toMatchObject({ revision: 2, packages: [{ paused: false, ext: { held: { reason: "no_match" } } }, { paused: false }] });
    expect(asList(held.packages)[1]).not.toHaveProperty("ext");
    expect(await events("greenlight/fulfilment.changed")).toHaveLength(before + 1);
    const [entry] = asList(asObject(asList((await call("get_media_buys", { media_buy_ids: [id], include_history: 5 })).body.media_buys)[0]).history);
    expect(entry).toMatchObject({ action: "package_paused", revision: 2, summary: expect.stringContaining("stands still") as string });

    agent.react(() => "silence");
    await expire();
    await refreshListsInUse(reading);
    for (let attempt = 0; attempt < 4; attempt += 1) await work();
    expect(await state()).toEqual([true, false]);

    agent.react(() => listOf(["news.example"]));
    await asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set({ updatedAt: addMs(new Date(), -2 * HOUR_MS) }).where(eq(inventoryLists.tenantId, tenantId)));
    expect(await refreshListsInUse(reading)).toBe(1);
    await work();
    expect(await state()).toEqual([false, false]);
    expect(await read(id)).toMatchObject({ revision: 3 });
  });

  test("and is not to be read any more stops its packages too, but silence does not", async () => {
    await know();
    const { body } = await create(targeted("news"));
    agent.react(() => "silence");
    await expire();
    await refreshListsInUse(reading);
    for (let attempt = 0; attempt < 4; attempt += 1) await work();
    expect(await heldOf(body.media_buy_id)).toEqual([undefined]);
    agent.react(() => ({ error: { code: "LIST_NOT_FOUND", message: "No such list." } }));
    await asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set({ updatedAt: addMs(new Date(), -2 * HOUR_MS) }).where(eq(inventoryLists.tenantId, tenantId)));
    await refreshListsInUse(reading);
    await work();
    expect(await heldOf(body.media_buy_id)).toEqual(["unreadable"]);
  });

  test("marks an order that waits for its approval, and starts nothing", async () => {
    expect((await create(targeted("reviewed"))).body.status).toBe("submitted");
    const holds = () => asSystem(publisher, ({ db, tenantId }) => db.select({ hold: mediaPackages.hold }).from(mediaPackages).where(eq(mediaPackages.tenantId, tenantId)));
    expect(await holds()).toMatchObject([{ hold: { reason: "unread" } }]);
    await work();
    expect(await holds()).toEqual([{ hold: null }]);
    agent.react(() => listOf([]));
    await again();
    expect(await holds()).toMatchObject([{ hold: { reason: "no_match" } }]);
    expect(await events("greenlight/fulfilment.changed")).toHaveLength(0);
  });

  test("is not read again once nothing runs by it, and gives way to other lists then; before, it stays", async () => {
    await know();
    const { body: bought } = await create(targeted("news"));
    const [kept] = await lists();
    for (let n = 0; n < 102; n += 1) await call("get_products", { buying_mode: "wholesale", property_list: ref({ list_id: `list-${n}` }) });
    expect((await lists()).map(({ id }) => id)).toContain(kept?.id);
    await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: bought.media_buy_id, canceled: true });
    await expire();
    expect(await refreshListsInUse(reading)).toBe(0);
    for (let n = 0; n < 2; n += 1) await call("get_products", { buying_mode: "wholesale", property_list: ref({ list_id: `late-${n}` }) });
    const left = await lists();
    expect(left).toHaveLength(100);
    expect(left.map(({ id }) => id)).not.toContain(kept?.id);
  });
});

test("staff see of each list how reading it went, and whom it keeps still, in every state", async () => {
  const { body } = await create(targeted("reviewed"), targeted("shows", { property_list: ref(), collection_list_exclude: ref({ list_id: "brand-safety" }) }));
  expect(body.status).toBe("submitted");
  const shown = () => asActor(publisher, staff("viewer"), async (ctx) => {
    const [buy] = await ctx.db.select({ id: mediaBuys.id }).from(mediaBuys).where(eq(mediaBuys.tenantId, ctx.tenantId));
    return loadReview({ ...ctx, now: new Date() }, buy?.id ?? "");
  });
  const states = async () => (await shown()).lists.map(({ status, size }) => [status, size]);
  const first = await shown();
  expect(first.lists).toMatchObject([
    { kind: "collection", listId: "brand-safety", status: "first_reading", size: null, readAt: null, packages: [{ field: "collection_list_exclude" }] },
    { kind: "property", listId: "premium", agentUrl: agent.url, status: "first_reading", packages: [{ field: "property_list" }, { field: "property_list" }] },
  ]);
  expect(JSON.stringify(first.lists)).not.toContain("token");
  expect(first.checks.find(({ name }) => name === "targeting")).toMatchObject({ outcome: "warn", message: expect.stringContaining("being read") as string });
  const set = (values: Partial<typeof inventoryLists.$inferInsert>) => asSystem(publisher, ({ db, tenantId }) => db.update(inventoryLists).set(values).where(eq(inventoryLists.tenantId, tenantId)));
  agent.react(({ list_id: id }) => (id === "premium" ? listOf(["news.example", "more.example"]) : { error: { code: "LIST_NOT_FOUND", message: "No such list." } }));
  await work();
  expect(await states()).toEqual([["unreadable", null], ["read", 2]]);
  expect((await shown()).packages.map(({ hold }) => hold?.reason)).toEqual([undefined, "unreadable"]);
  await expire();
  expect(await states()).toEqual([["unreadable", null], ["due", 2]]);
  await refreshListsInUse(reading);
  expect(await states()).toEqual([["unreadable", null], ["rereading", 2]]);
  await set({ state: "failed", error: "The property list agent could not be asked." });
  expect(await states()).toEqual([["unreadable", null], ["unanswered", 2]]);
  await asSystem(publisher, ({ db, tenantId }) => db.update(mediaBuys).set({ status: "rejected" }).where(eq(mediaBuys.tenantId, tenantId)));
  expect(await states()).toEqual([["ended", null], ["ended", 2]]);
});

describe("staff who have a list read again", () => {
  const reread = (id: unknown, listId: string, role: "trafficker" | "viewer" = "trafficker", at = publisher) =>
    asActor(at, staff(role), (ctx) => rereadList({ ...ctx, now: new Date() }, { mediaBuyId: fromWireId("mediaBuy", String(id)) ?? String(id), listId }));
  const refused = (work: Promise<unknown>) => work.then(() => "done", (error: { code: string }) => error.code);

  test("need not wait for its hour; once, while it is being read, and not for an order that is over", async () => {
    agent.react(() => ({ status: 403 }));
    const { body } = await create(targeted("news"));
    const id = body.media_buy_id;
    await work();
    expect(await heldOf(id)).toEqual(["unreadable"]);
    const [list] = await lists();
    const before = (await events("greenlight/inventory-list.requested")).length;
    agent.react(() => listOf(["news.example"]));
    await reread(id, list?.id ?? "");
    expect(await events("greenlight/inventory-list.requested")).toHaveLength(before + 1);
    expect(await refused(reread(id, list?.id ?? ""))).toBe("CONFLICT");
    await work();
    expect(await heldOf(id)).toEqual([undefined]);
    await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: id, canceled: true });
    expect(await refused(reread(id, list?.id ?? ""))).toBe("CONFLICT");
  });

  test("are of this publisher, may, and name a list that the order keeps to", async () => {
    const { body } = await create(targeted("news"));
    await work();
    const [list] = await lists();
    const [id, listId] = [body.media_buy_id, list?.id ?? ""];
    expect(await refused(reread(id, listId, "viewer"))).toBe("PERMISSION_DENIED");
    const other = await createPublisher({ slug: `q-${Math.random().toString(36).slice(2, 10)}` });
    expect(await refused(reread(id, listId, "trafficker", other))).toBe("REFERENCE_NOT_FOUND");
    for (const [mediaBuyId, wanted] of [[id, newId()], [newId(), listId], ["nonsense", listId], [id, "nonsense"]] as const) expect(await refused(reread(mediaBuyId, wanted))).toBe("REFERENCE_NOT_FOUND");
    expect(await lists()).toMatchObject([{ state: "read" }]);
  });
});
