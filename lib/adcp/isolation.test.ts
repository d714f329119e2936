import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest, type DoorAnswer, newKey } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { type IdField, idFieldsOf } from "@/test/fixtures/schema-ids";
import { type Buyer, createBigPublisher, furnishBuyer } from "@/test/fixtures/tool-inputs";
import { fieldName, withValue } from "@/test/fixtures/value-paths";
import { TOOLS } from "./registry";
import { type Tool } from "./tool";

/**
 * Every tool, every field of its request that holds an id, with another buyer's and with another publisher's: the answer is that to an id
 * that nobody has. Made from the registry and the schemas: a new tool, and a new field, is covered at once.
 */
useTestDatabase();

/** Ids of things that belong to one buyer. */
const OWNED = ["account_id", "media_buy_id", "package_id", "creative_id", "audience_id", "task_id", "proposal_id", "product_id", "pricing_option_id"] as const;
type Owned = (typeof OWNED)[number];

/** Ids of what belongs to nobody here: formats and previews are everybody's, the others come from the buyer or from third parties and are only kept. */
const NOBODYS = new Set([
  "id", "catalog_id", "asset_group_id", "list_id", "vat_id", "tax_id", "placement_id", "external_id", "concept_id", "rights_id", "template_id", "variant_id", "plan_id", "event_source_id",
  "store_id", "catchment_id", "io_id", "signature_id",
]);

let me: Buyer;
let owners: { whose: string; ids: Record<Owned, string> }[];

beforeAll(async () => {
  const [publisher, elsewhere] = [await createBigPublisher(), await createBigPublisher()];
  me = await furnishBuyer(publisher, "me");
  owners = [];
  for (const [whose, place, mark] of [["another buyer's", publisher, "they"], ["another publisher's", elsewhere, "else"]] as const) {
    const owner = await furnishBuyer(place, mark);
    const call = async (tool: string, input: Record<string, unknown>) => (await callRest(tool, input, { token: owner.token })).body;
    const seeded = { product_id: `seeded-${mark}`, fixture: { pricing_options: [{ pricing_option_id: `price-${mark}`, fixed_price: 5 }] } };
    expect(await call("comply_test_controller", { scenario: "seed_product", params: seeded })).toMatchObject({ success: true });
    const [proposal] = asList((await call("get_products", { buying_mode: "brief", brief: "Display for outdoor gear, 10000 USD" })).proposals);
    owners.push({ whose, ids: { ...owner.ids, product_id: seeded.product_id, pricing_option_id: `price-${mark}`, proposal_id: String(proposal?.proposal_id) } });
  }
}, 60_000);

/** A valid request in which this field counts. */
function baseFor({ name }: Tool, { path }: IdField): Record<string, unknown> {
  const input = me.inputOf(name);
  const [first] = path;
  if (name === "get_products" && first === "refine") return { buying_mode: "refine", refine: [path.at(-1) === "product_id" ? { scope: "product", product_id: "homepage_display", action: "include" } : { scope: "proposal", proposal_id: "x", action: "include" }] };
  if (name === "create_media_buy" && first === "proposal_id") return { idempotency_key: newKey(), account: input.account, brand: input.brand, start_time: days(2, new Date()), end_time: days(32, new Date()), proposal_id: "x", total_budget: { amount: 5_000, currency: "USD" } };
  if (first === "new_packages") return { idempotency_key: newKey(), account: input.account, media_buy_id: input.media_buy_id, new_packages: asObject(me.inputOf("create_media_buy")).packages };
  return input;
}

/** An id of the same form that nobody has. */
const unknownLike = (id: string) => `${id.slice(0, -4)}${id.endsWith("0000") ? "1111" : "0000"}`;

/** What two answers that succeed have in common: their fields. The values tell of the buyer's own state, which each call moves on. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formOf);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, formOf(item)])) : typeof value;
}

function compare(what: string, [foreign, foreignId]: readonly [DoorAnswer, string], [unknown]: readonly [DoorAnswer, string]): string[] {
  const texts = [foreign, unknown].map(({ status, body }) => `${status} ${JSON.stringify(body)}`);
  if (foreign.isError || unknown.isError) return [...(texts[0] === texts[1] ? [] : [`${what}: ${texts.join(" ≠ ")}`]), ...(texts[0]?.includes(foreignId) ? [`${what}: the error repeats the id`] : [])];
  const [a, b] = [foreign, unknown].map(({ body }) => JSON.stringify(formOf(body)));
  return a === b ? [] : [`${what}: ${a} ≠ ${b}`];
}

/** Where the buyer gives something of their own this name, rather than refer to it. */
const isNaming = ({ path }: IdField) => (path.at(-1) === "creative_id" && path.at(-3) === "creatives") || path.at(-3) === "audiences";

const outcomes = new Map<string, Set<string>>();

function note(name: string, { isError, body }: DoorAnswer): void {
  const outcome = isError ? String(asObject(body.adcp_error).code) : "accepted";
  outcomes.set(name, (outcomes.get(name) ?? new Set()).add(outcome));
}

describe("ids of others", () => {
  test("every field that holds an id is known here", () => {
    const unknown = TOOLS.flatMap((tool) => idFieldsOf(tool).filter(({ name }) => !NOBODYS.has(name) && !OWNED.some((owned) => owned === name)).map(({ path }) => `${tool.name} ${fieldName(path)}`));
    expect(unknown).toEqual([]);
  });

  async function probeAll(tool: Tool, fields: IdField[]): Promise<string[]> {
    const problems: string[] = [];
    for (const field of fields) {
      const name = OWNED.find((owned) => owned === field.name);
      if (name === undefined) continue;
      for (const { whose, ids } of owners) {
        for (const call of [callMcp, callRest]) {
          const probe = async (id: string) => [await call(tool.name, withValue(withValue(baseFor(tool, field), field.path, field.isList ? [id] : id), ["context"], { probe: 1 }), { token: me.token }), id] as const;
          const [foreign, unknown] = [await probe(ids[name]), await probe(unknownLike(ids[name]))];
          note(name, foreign[0]);
          problems.push(...compare(`${whose} ${fieldName(field.path)}`, foreign, unknown));
        }
      }
    }
    return problems;
  }

  const cases = TOOLS.map((tool) => [tool.name, tool] as const);
  test.each(cases)("%s answers them as it answers unknown ones", async (_name, tool) => expect(await probeAll(tool, idFieldsOf(tool).filter((field) => !isNaming(field)))).toEqual([]));

  test("the test controller moves nobody else's", async () => {
    const scenarios: [string, Owned, Record<string, unknown>][] = [
      ["force_creative_status", "creative_id", { status: "rejected" }], ["force_account_status", "account_id", { status: "suspended" }], ["force_media_buy_status", "media_buy_id", { status: "canceled" }],
      ["force_task_completion", "task_id", { result: { errors: [{ code: "X", message: "x" }] } }], ["simulate_delivery", "media_buy_id", { impressions: 1 }], ["simulate_budget_spend", "media_buy_id", { spend_percentage: 1 }],
      ["simulate_budget_spend", "account_id", { spend_percentage: 1 }], ["seed_pricing_option", "product_id", { pricing_option_id: "x", fixture: { fixed_price: 1 } }],
    ];
    for (const [scenario, name, params] of scenarios) {
      for (const { whose, ids } of owners) {
        const probe = (id: string) => callRest("comply_test_controller", { scenario, params: { ...params, [name]: id } }, { token: me.token });
        const [foreign, unknown] = [await probe(ids[name]), await probe(unknownLike(ids[name]))];
        expect([scenario, whose, foreign.body]).toEqual([scenario, whose, unknown.body]);
        expect(foreign.body).toMatchObject({ success: false, error: "NOT_FOUND" });
      }
    }
  });

  test.each(cases.filter(([, tool]) => idFieldsOf(tool).some(isNaming)))("%s lets a buyer use the names that others use", async (_name, tool) => expect(await probeAll(tool, idFieldsOf(tool).filter(isNaming))).toEqual([]));

  test("each kind of id reached the rules behind the schema", () => {
    for (const name of OWNED) expect([name, [...(outcomes.get(name) ?? [])].some((outcome) => outcome !== "INVALID_REQUEST")]).toEqual([name, true]);
  });
});
