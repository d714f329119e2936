import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, imageCreative, newKey, send } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { type Field, idFieldsOf, type Samples, withField } from "@/test/fixtures/schema-fields";
import { type Buyer, createBigPublisher, furnishBuyer, OWNED_IDS, type OwnedId } from "@/test/fixtures/tool-inputs";
import { changedTables, growth, openStoredState, type Stored, type StoredState } from "@/test/fixtures/stored-state";
import { fieldName } from "@/test/fixtures/value-paths";
import { fromWireId, type IdKind } from "../ids";
import { isVisibleTo, TOOLS } from "./registry";
import { READ_PATHS } from "./rest-reads";
import { type Tool } from "./tool";
import { toolValidator } from "./tool-schemas";

/**
 * Every tool, every field of its request that holds an id, with another buyer's and with another publisher's, over every transport, for
 * sandbox and live buyers: the answer is, byte for byte, that to an id that nobody has, and as much is stored. Made from the registry and
 * the schemas: a new field fails here until it is said what it names.
 */
const database = useTestDatabase();

/** Ids of what is nobody's here (formats are everybody's, the others come from the buyer or from third parties): one that another buyer sent before, and one that nobody did. */
const NOBODYS: Record<string, readonly [string, string]> = {
  ...Object.fromEntries(
    ["id", "catalog_id", "asset_group_id", "list_id", "tax_id", "placement_id", "external_id", "concept_id", "rights_id", "template_id", "plan_id", "event_source_id", "store_id", "catchment_id", "io_id", "signature_id", "brand_id"]
      .map((name) => [name, [`${name}_sent_by_others`, `${name}_sent_by_nobody`] as const]),
  ),
  vat_id: ["DE111111111", "DE222222222"],
};

/** Fields that name what is owned under another name than its id. */
const ALSO: Record<string, OwnedId> = { variant_id: "creative_id", assigned_to_packages: "package_id" };

/** Fields whose value makes no difference to anybody, their owner included: with the reason. */
const UNREAD: Record<string, string> = {};

/** What the rules behind the schema take, for parts of a request that are made up around a field. */
const SAMPLES: Samples = {
  account: { brand: { domain: "acmeoutdoor.example" } }, accounts: { brand: { domain: "acmeoutdoor.example" }, billing: "operator" }, creatives: imageCreative("c"),
};

type Owner = { whose: string; buyer: Buyer; mark: string; uuids: string[] };
type World = { name: string; isSandbox: boolean; me: Buyer; owners: Owner[] };
let worlds: World[] = [];
let state: StoredState;

const KINDS: Partial<Record<OwnedId, IdKind>> = { account_id: "account", media_buy_id: "mediaBuy", package_id: "package", task_id: "task" };

beforeAll(async () => {
  process.env.BUYER_WRITES_PER_SECOND = "1000000";
  worlds = [];
  for (const isSandbox of [true, false]) {
    const marks = ["mine", "theirs"].map((mark) => `${mark}-${isSandbox ? "sandbox" : "live"}`);
    const publisher = await createBigPublisher({ isLive: !isSandbox, marks });
    const elsewhere = await createBigPublisher({ isLive: !isSandbox, marks: ["elsewhere"] });
    const [mine = "", theirs = ""] = marks;
    const me = await furnishBuyer(publisher, mine, { isSandbox });
    const owners = [];
    for (const [whose, place, mark] of [["another buyer's", publisher, theirs], ["another publisher's", elsewhere, "elsewhere"]] as const) {
      const buyer = await furnishBuyer(place, mark, { isSandbox });
      const own = OWNED_IDS.flatMap((name) => (KINDS[name] ? (fromWireId(KINDS[name], buyer.ids[name]) ?? []) : []));
      owners.push({ whose, buyer, mark, uuids: [buyer.principalId, ...own, ...(place === publisher ? [] : [place.tenantId])] });
    }
    if (owners[0]) await sendNobodys(owners[0].buyer, isSandbox);
    worlds.push({ name: isSandbox ? "a sandbox buyer" : "a live buyer", isSandbox, me, owners });
  }
  state = await openStoredState(database.adminUrl);
  await keep();
}, 600_000);
afterAll(() => state.close());

function ownedName({ name }: Field): OwnedId | undefined {
  const singular = name.replace(/s$/, "");
  return ALSO[name] ?? OWNED_IDS.find((owned) => owned === singular);
}

const nobodysName = ({ name }: Field) => name.replace(/s$/, "");

/** An id of the same form that nobody has. */
function unknownLike(id: string): string {
  return id.endsWith(".example") ? "nobody.example" : `${id.slice(0, -4)}${id.endsWith("0000") ? "1111" : "0000"}`;
}

/** Requests in which this field counts, which `withField` then puts it into. */
function basesFor(tool: Tool, field: Field, me: Buyer): Record<string, unknown>[] {
  const input = me.inputOf(tool.name);
  const { account } = input;
  const place = fieldName(field.path);
  switch (tool.name) {
    case "get_products":
      return place === "refine[0].product_id" ? [{ buying_mode: "refine", refine: [{ scope: "product", product_id: "homepage_display", action: "include" }] }]
        : place === "refine[0].proposal_id" ? [{ buying_mode: "refine", refine: [{ scope: "proposal", proposal_id: "x", action: "include" }] }] : [input];
    case "create_media_buy":
      return place === "proposal_id" ? [{ idempotency_key: newKey(), account, brand: input.brand, start_time: days(2, new Date()), end_time: days(32, new Date()), proposal_id: "x", total_budget: { amount: 5_000, currency: "USD" } }] : [input];
    case "update_media_buy":
      if (place.startsWith("new_packages")) return [{ idempotency_key: newKey(), account, media_buy_id: me.ids.media_buy_id, new_packages: asObject(me.inputOf("create_media_buy")).packages }];
      return place === "media_buy_id" ? [input, { ...bare(input), paused: true }, { ...bare(input), revision: 1 }, { ...bare(input), end_time: days(40, new Date()) }] : [input];
    case "sync_creatives":
      return place.startsWith("assignments") ? [input, { ...input, validation_mode: "lenient" }, { ...input, dry_run: true }] : [input];
    case "sync_audiences":
      return place === "audiences[0].audience_id" ? [input, { idempotency_key: newKey(), account, audiences: [{ audience_id: "x", delete: true }] }] : [input];
    case "list_creatives":
      return [{ account, filters: { statuses: ["approved", "archived"] } }, { account, include_assignments: true, filters: {} }];
    case "preview_creative":
      return place === "variant_id" ? [{ request_type: "variant", variant_id: "x" }] : place === "creative_id" ? [{ request_type: "variant", variant_id: me.ids.creative_id }] : [input];
    case "get_media_buys":
      return [input, { ...input, include_history: 10, include_snapshot: true }, { ...input, status_filter: ["active", "pending_start"] }];
    case "comply_test_controller":
      return [input, { scenario: "seed_creative", params: { creative_id: `seeded-${newKey()}`, fixture: { format_id: imageCreative("x").format_id } } }];
    default:
      return [input];
  }
}

const bare = (input: Record<string, unknown>) => ({ idempotency_key: newKey(), account: input.account, media_buy_id: input.media_buy_id });

type Probe = { what: string; base: Record<string, unknown> };

/** Each base with the buyer's own account named, and where that may be left out, without. */
function probesFor(tool: Tool, field: Field, me: Buyer): Probe[] {
  return basesFor(tool, field, me).flatMap((base, index): Probe[] => {
    const { account, ...without } = base;
    const what = index === 0 ? "" : ` (${index})`;
    if (account === undefined || field.path[0] === "account") return [{ what, base }];
    const isOptional = toolValidator(tool, "request")({ ...tool.defaults, ...without });
    return [{ what: `${what}, own account named`, base }, ...(isOptional ? [{ what: `${what}, no account named`, base: without }] : [])];
  });
}

type Answer = { status: number; text: string; isError: boolean };
type Door = { name: string; call(token: string, tool: string, input: Record<string, unknown>): Promise<Answer> };

async function post(path: string, body: unknown, token: string): Promise<{ status: number; text: string }> {
  const response = await send(path, { method: "POST", body: JSON.stringify(body) }, { token, headers: { "mcp-protocol-version": "2025-06-18", accept: "application/json" } });
  return { status: response.status, text: await response.text() };
}

const REST: Door = {
  name: "REST",
  async call(token, tool, input) {
    const answer = await post(`/api/v1/${tool}`, input, token);
    return { ...answer, isError: answer.status !== 200 };
  },
};

const DOORS: Door[] = [
  REST,
  { name: "MCP", async call(token, tool, input) {
    const answer = await post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: input } }, token);
    return { ...answer, isError: answer.text.includes('"isError":true') };
  } },
  { name: "A2A", async call(token, tool, input) {
    const answer = await post("/a2a", { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { kind: "message", role: "user", messageId: "m", contextId: "c", parts: [{ kind: "data", data: { skill: tool, input } }] } } }, token);
    return { ...answer, isError: answer.text.includes('"state":"failed"') };
  } },
];

/** All that may differ between two answers that say the same: the id that was sent, the time, and the names of what was just made. */
function masked({ status, text, isError }: Answer, id: string): string {
  const common = `${status} ${text}`.replaceAll(id, "<id>").replaceAll(/"\d{4}-\d\d-\d\dT[^"]+?"/g, '"<time>"').replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, "<made>");
  return isError ? common : common.replaceAll(/\b(mb|pkg|task|acc|aud|cr|prop)_[0-9a-z]{26}\b/g, "<$1>").replaceAll(/\/previews\/[\w-]+/g, "/previews/<made>");
}

type Case = { world: World; tool: Tool; field: Field };
type Told = { where: string; answer: Answer; masked: string; grown: string };

const isStoring = (tool: Tool, { isError }: Answer) => !isError && (!tool.annotations.readOnlyHint || tool.name === "preview_creative");
/** What is offered is stored with the first answer, and found again with the next that say the same. */
const OFFERS = "proposals";
const LIST_READINGS = ["inventory_lists", "outbox"];

let kept: Stored;
const watched = () => worlds.flatMap(({ owners }) => owners.flatMap(({ uuids }) => uuids));

/** Notes what a call stored, and puts everything back: each call finds the same. */
async function settle(problems: string[], where: string): Promise<string> {
  const after = await state.read(watched());
  const changed = changedTables(kept, after);
  const touched = changed.filter((name) => after.get(name)?.watched !== kept.get(name)?.watched);
  if (touched.length > 0) problems.push(`${where}: changed what is not the caller's: ${touched.join(", ")}`);
  const grown = growth(kept, after);
  await state.restore(changed);
  return grown;
}

/** The calls of one case with this id: the first over these doors, further ones over REST; what belongs to nobody is tried once. */
async function callAll({ world: { me }, tool, field }: Case, id: string, doors: Door[], problems: string[]): Promise<Told[]> {
  const told: Told[] = [];
  for (const [index, probe] of probesFor(tool, field, me).entries()) {
    if (index > 0 && ownedName(field) === undefined) break;
    const placed = withField(tool, probe.base, field, field.isList ? [id] : id, SAMPLES);
    if (!placed) throw new Error(`${tool.name}: no request that fits the schema has ${fieldName(field.path)} = ${id}: say in basesFor or SAMPLES what goes around it.`);
    for (const door of index === 0 ? doors : [REST]) {
      const where = `${fieldName(field.path)}${probe.what} over ${door.name}`;
      const answer = await door.call(me.token, tool.name, { ...placed, ...(placed.idempotency_key === undefined ? {} : { idempotency_key: newKey() }), context: { probe: 1 } });
      told.push({ where, answer, masked: masked(answer, id), grown: isStoring(tool, answer) ? await settle(problems, where) : "" });
    }
  }
  // Refusals and other reads store nothing: looked at once.
  const changed = changedTables(kept, await state.read());
  // What get_products may write: the buyer's own offers, and the buyer's own wish to have a list read.
  const unexpected = changed.filter((name) => tool.name !== "get_products" || !(name === OFFERS || (field.path[0] === "property_list" && LIST_READINGS.includes(name))));
  if (unexpected.length > 0) problems.push(`${fieldName(field.path)}: refused or read, and changed ${unexpected.join(", ")}`);
  await state.restore(changed);
  return told;
}

async function problemsOf(one: Case, owner: Owner, [foreignId, unknownId]: readonly [string, string], doors: Door[]): Promise<string[]> {
  const problems: string[] = [];
  const foreign = await callAll(one, foreignId, doors, problems);
  const unknown = await callAll(one, unknownId, doors, problems);
  for (const [index, { where, answer, masked: text, grown }] of foreign.entries()) {
    const other = unknown[index];
    if (text !== other?.masked) problems.push(`${where}: ${text} ≠ ${other?.masked}`);
    if (grown !== other?.grown) problems.push(`${where}: stored ${grown} ≠ ${other?.grown}`);
    if (answer.isError && answer.text.includes(foreignId)) problems.push(`${where}: the error repeats the id`);
    if (answer.text.replaceAll(foreignId, "").includes(owner.mark)) problems.push(`${where}: tells of what is not the caller's: ${answer.text}`);
  }
  return problems.map((text) => `${one.world.name}, ${owner.whose} ${text}`);
}

/** Whether the field's own id makes a difference: otherwise nothing was proven with the others. */
async function isRead(one: Case, ownId: string, unknownId: string): Promise<boolean> {
  const [own, unknown] = [await callAll(one, ownId, [REST], []), await callAll(one, unknownId, [REST], [])];
  return own.some(({ masked: text, grown }, index) => text !== unknown[index]?.masked || grown !== unknown[index]?.grown);
}

/** A sandbox buyer's accounts come into being by being named: no name of one is unknown. */
const isAlwaysKnown = (world: World, field: Field) => world.isSandbox && field.name === "operator";

async function probeAll(tool: Tool, fields: Field[]): Promise<string[]> {
  const problems: string[] = [];
  for (const world of worlds.filter(({ isSandbox }) => visibleTo(isSandbox).includes(tool))) {
    for (const field of fields) {
      const one = { world, tool, field };
      const name = ownedName(field);
      if (name !== undefined) {
        for (const [index, owner] of world.owners.entries()) problems.push(...(await problemsOf(one, owner, [owner.buyer.ids[name], unknownLike(owner.buyer.ids[name])], index === 0 ? DOORS : [REST])));
        const place = `${tool.name} ${fieldName(field.path)}`;
        if (!(place in UNREAD) && !isAlwaysKnown(world, field) && !(await isRead(one, world.me.ids[name], unknownLike(world.me.ids[name])))) problems.push(`${world.name}: ${place} is as good with the buyer's own id as with an unknown one: nothing was proven`);
      } else {
        for (const owner of world.owners.slice(0, 1)) problems.push(...(await problemsOf(one, owner, NOBODYS[nobodysName(field)] ?? ["", ""], [REST])));
      }
    }
  }
  return problems;
}

/** Every id of nobody's, sent once by this buyer wherever it can be. */
async function sendNobodys(me: Buyer, isSandbox: boolean): Promise<void> {
  for (const tool of visibleTo(isSandbox)) {
    for (const field of idFieldsOf(tool)) {
      const [sent] = NOBODYS[nobodysName(field)] ?? [];
      if (sent === undefined || ownedName(field) !== undefined) continue;
      const [base = {}] = basesFor(tool, field, me);
      await REST.call(me.token, tool.name, { ...withField(tool, base, field, field.isList ? [sent] : sent, SAMPLES), ...(base.idempotency_key === undefined ? {} : { idempotency_key: newKey() }) });
    }
  }
}

const visibleTo = (isSandbox: boolean) => TOOLS.filter((tool) => isVisibleTo(tool, { tokenId: "", tenantId: "", principalId: "", principalName: "", isSandbox, scopes: [] }));

async function keep(): Promise<void> {
  await state.keep();
  kept = await state.read(watched());
}

describe("ids of others", () => {
  test("every field that holds an id is known here", () => {
    const unknown = TOOLS.flatMap((tool) => idFieldsOf(tool).filter((field) => ownedName(field) === undefined && !(nobodysName(field) in NOBODYS)).map(({ path }) => `${tool.name} ${fieldName(path)}`));
    expect(unknown).toEqual([]);
  });

  test.each(TOOLS.map((tool) => [tool.name, tool] as const))("%s answers them as it answers unknown ones", { timeout: 600_000 }, async (_name, tool) => expect(await probeAll(tool, idFieldsOf(tool))).toEqual([]));

  test("addresses of single things", async () => {
    for (const { me, owners } of worlds) {
      for (const { path, item } of READ_PATHS) {
        const name = item && OWNED_IDS.find((owned) => owned === item.parameter.replace(/s$/, ""));
        if (item) expect([path, name]).not.toEqual([path, undefined]);
        if (!name) continue;
        const get = async (id: string) => {
          const response = await send(`/api/v1/${path}/${id}`, { method: "GET" }, { token: me.token });
          return `${response.status} ${await response.text()}`;
        };
        for (const { buyer } of owners) expect([path, await get(buyer.ids[name])]).toEqual([path, await get(unknownLike(buyer.ids[name]))]);
        expect(await get(me.ids[name])).toContain(me.ids[name]);
      }
    }
  });

  // Its schema leaves open what is in `params`.
  const format = { format_id: imageCreative("x").format_id };
  const price = { pricing_options: [{ pricing_option_id: "p", fixed_price: 5 }] };
  test.each<[string, OwnedId, Record<string, unknown>]>([
    ["force_creative_status", "creative_id", { status: "rejected" }], ["force_account_status", "account_id", { status: "suspended" }], ["force_media_buy_status", "media_buy_id", { status: "canceled" }],
    ["force_task_completion", "task_id", { result: { errors: [{ code: "X", message: "x" }] } }], ["simulate_delivery", "media_buy_id", { impressions: 1 }], ["simulate_budget_spend", "media_buy_id", { spend_percentage: 1 }],
    ["simulate_budget_spend", "account_id", { spend_percentage: 1 }], ["seed_pricing_option", "product_id", { pricing_option_id: "x", fixture: { fixed_price: 1 } }],
    ["seed_product", "product_id", { fixture: price }], ["seed_creative", "creative_id", { fixture: format }], ["seed_media_buy", "media_buy_id", { fixture: { status: "active" } }], ["seed_plan", "media_buy_id", { fixture: {} }],
  ])("the test controller's %s with a %s", async (scenario, name, params) => {
    for (const { me, owners } of worlds.filter(({ isSandbox }) => isSandbox)) {
      for (const { whose, buyer, mark } of owners) {
        const parameter = scenario === "seed_plan" ? "plan_id" : name;
        const problems: string[] = [];
        const probe = async (id: string) => {
          const answer = await REST.call(me.token, "comply_test_controller", { scenario, params: { ...params, [parameter]: id } });
          return { text: masked(answer, id), grown: await settle(problems, scenario), isTelling: answer.text.replaceAll(id, "").includes(mark) };
        };
        expect([whose, await probe(buyer.ids[name])]).toEqual([whose, { ...(await probe(unknownLike(buyer.ids[name]))), isTelling: false }]);
        expect(problems).toEqual([]);
      }
    }
  });
});
