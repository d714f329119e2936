import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, callMcp, callRest, type DoorAnswer, imageCreative, newKey, readObject, send } from "@/test/fixtures/door";
import { type Buyer, createBigPublisher, furnishBuyer } from "@/test/fixtures/tool-inputs";
import { type AppError } from "../errors";
import { listOf, type Position, readPage, toPage } from "./cursor";
import { TOOLS } from "./registry";
import { toolSchema } from "./tool-schemas";

useTestDatabase();

describe("a cursor", () => {
  const [tenantId, otherTenantId] = ["11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"];
  const mine = { tenantId, session: { principalId: "33333333-3333-7333-8333-333333333333" } };
  const list = listOf(mine, "tasks_list");
  const cursorAt = (position: Position, request = {}) => String(toPage([1, 2], readPage({ ...request, pagination: { max_results: 1 } }, list), () => position).pagination.cursor);
  const refusal = (cursor: string, of = list, request = {}): unknown => {
    try {
      return { after: readPage({ ...request, pagination: { cursor } }, of).after };
    } catch (error) {
      const { code, userMessage, suggestion, field } = error as AppError;
      return { code, userMessage, suggestion, field };
    }
  };
  const garbage = () => refusal("garbage");

  test("continues the list that it came from, and is as good as none on any other, or another's", () => {
    const cursor = cursorAt([1, "Größe"]);
    expect(refusal(cursor)).toEqual({ after: [1, "Größe"] });
    expect(garbage()).toMatchObject({ code: "INVALID_REQUEST", field: "pagination.cursor" });
    const foreign = [
      listOf(mine, "list_tasks"), listOf({ ...mine, tenantId: otherTenantId }, list.tool),
      listOf({ ...mine, session: { principalId: "44444444-4444-7444-8444-444444444444" } }, list.tool), listOf({ tenantId, session: null }, list.tool),
    ];
    for (const other of foreign) expect(refusal(cursor, other)).toEqual(garbage());
  });

  test("belongs to what was asked, however it was written, and not to how it is shown", () => {
    const cursor = cursorAt([1], { filters: { statuses: ["active"], tags: ["a"] }, context: { trace: 1 } });
    expect(refusal(cursor, list, { filters: { tags: ["a"], statuses: ["active"] }, include_history: true, fields: ["name"] })).toEqual({ after: [1] });
    for (const other of [{}, { filters: { statuses: ["active"] } }, { filters: { statuses: ["active"], tags: ["a"] }, sort: { field: "name" } }]) expect(refusal(cursor, list, other)).toEqual(garbage());
  });

  test("that was altered is as good as none", () => {
    const cursor = cursorAt([1]);
    const [content = "", signature = ""] = cursor.split(".");
    for (const altered of ["", ".", content, `${content}.`, `.${signature}`, `${content.slice(0, -1)}.${signature}`, `${cursor}A`, `${content}A.${signature}`, `${cursor}.`, `${cursor}.A`, `A.${cursor}`, `${content}..${signature}`]) {
      expect([altered, refusal(altered)]).toEqual([altered, garbage()]);
    }
  });

  test("is as long whatever it holds", () => {
    expect(new Set([[1], [1_799_999_999_999, mine.session.principalId], ["A longer name of a creative", mine.session.principalId]].map((position) => cursorAt(position).length))).toEqual(new Set([151]));
    expect(refusal(cursorAt(["n".repeat(400), 1]))).toEqual({ after: ["n".repeat(400), 1] });
  });
});

describe("every tool that lists in pages", () => {
  /** What every buyer of a publisher sees alike has the same pages for all of them. */
  const SHARED = ["get_products", "list_creative_formats"];
  const WIDE: Record<string, (orders: string[]) => Record<string, unknown>> = {
    get_products: () => ({ buying_mode: "wholesale" }), get_media_buys: () => ({ status_filter: ["pending_start", "pending_creatives", "active"] }), get_creative_delivery: (orders) => ({ media_buy_ids: orders }),
  };
  /** The same with another filter that leaves two pages. */
  const NARROW: Record<string, Record<string, unknown>> = {
    get_products: { buying_mode: "wholesale", filters: { channels: ["display"] } }, list_creative_formats: { max_width: 9_999 }, list_accounts: { status: "active" },
    list_creatives: { filters: { name_contains: "Banner" } }, get_media_buys: { status_filter: ["pending_start"] }, get_creative_delivery: { start_date: "2026-01-01" },
    tasks_list: { filters: { statuses: ["submitted"] } }, list_tasks: { filters: { statuses: ["submitted"] } },
  };
  const paged = TOOLS.filter((tool) => "pagination" in asObject(toolSchema(tool, "request").properties)).map(({ name }) => name);
  const doors: Record<string, (tool: string, input: unknown, caller: { token: string }) => Promise<DoorAnswer>> = { MCP: callMcp, REST: callRest, A2A: callA2a };
  type Whose = "me" | "they" | "elsewhere";
  let buyers: Record<Whose, Buyer>;
  const orders: Record<Whose, string[]> = { me: [], they: [], elsewhere: [] };
  const wide = (tool: string, whose: Whose = "me") => WIDE[tool]?.(orders[whose]) ?? {};

  beforeAll(async () => {
    const [publisher, other] = [await createBigPublisher(), await createBigPublisher()];
    buyers = { me: await furnishBuyer(publisher, "me"), they: await furnishBuyer(publisher, "they"), elsewhere: await furnishBuyer(other, "elsewhere") };
    // Two of everything.
    for (const [whose, buyer] of Object.entries(buyers)) {
      const [order, accounts] = [buyer.inputOf("create_media_buy"), buyer.inputOf("sync_accounts")];
      const again = async (tool: string, input: Record<string, unknown>) => {
        const { body, isError } = await callRest(tool, { ...input, idempotency_key: newKey() }, buyer);
        expect([isError, body.errors]).toEqual([false, undefined]);
        return body;
      };
      await again("sync_accounts", { ...accounts, accounts: [{ brand: { domain: "second.example" }, operator: "second.example", billing: "operator" }] });
      await again("sync_creatives", { account: order.account, creatives: [imageCreative("second")] });
      orders[whose as Whose] = [buyer.ids.media_buy_id, String((await again("create_media_buy", order)).media_buy_id)];
      await again("create_media_buy", { ...order, packages: [{ product_id: "reviewed", pricing_option_id: "cpm_fixed", budget: 1_000 }] });
    }
  });

  async function callA2a(tool: string, input: unknown, caller: { token: string }): Promise<DoorAnswer> {
    const message = { kind: "message", role: "user", messageId: newKey(), parts: [{ kind: "data", data: { skill: tool, input } }] };
    const response = await send("/a2a", { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params: { message } }) }, caller);
    const { status, artifacts } = asObject((await readObject(response)).result);
    const [artifact] = artifacts as { parts: { data?: Record<string, unknown> }[] }[];
    return { status: response.status, headers: response.headers, isError: asObject(status).state === "failed", body: artifact?.parts.findLast(({ data }) => data !== undefined)?.data ?? {} };
  }

  const cursorOf = async (tool: string, whose: Whose, filter: Record<string, unknown> = {}) => {
    const { body } = await callRest(tool, { ...wide(tool, whose), ...filter, pagination: { max_results: 1 } }, buyers[whose]);
    const { cursor } = asObject(body.pagination ?? {});
    if (typeof cursor !== "string") throw new Error(`${tool} has no second page for ${whose}: ${JSON.stringify(body).slice(0, 800)}`);
    return cursor;
  };

  test("is looked at here", () => {
    expect(paged.toSorted()).toEqual(Object.keys(NARROW).toSorted());
  });

  test.each(Object.keys(NARROW))("%s takes its own cursors alone, and answers any other as garbage, at every door", async (tool) => {
    const cursor = await cursorOf(tool, "me");
    const foreign: Record<string, string> = {
      "of another publisher": await cursorOf(tool, "elsewhere"),
      "of another tool": await cursorOf(tool === "list_accounts" ? "list_creatives" : "list_accounts", "me"),
      "of another filter": await cursorOf(tool, "me", NARROW[tool]),
      altered: `${cursor.startsWith("A") ? "B" : "A"}${cursor.slice(1)}`,
      ...(SHARED.includes(tool) ? {} : { "of another buyer": await cursorOf(tool, "they") }),
    };
    for (const [door, call] of Object.entries(doors)) {
      const ask = async (given: string) => call(tool, { ...wide(tool), pagination: { max_results: 1, cursor: given } }, buyers.me);
      const next = await ask(cursor);
      expect([door, next.isError, asObject(next.body.pagination).has_more]).toEqual([door, false, expect.any(Boolean)]);
      const garbage = await ask("garbage");
      expect(garbage).toMatchObject({ isError: true, body: { adcp_error: { code: "INVALID_REQUEST", field: "pagination.cursor" } } });
      for (const [what, other] of Object.entries(foreign)) {
        const answer = await ask(other);
        expect([door, what, answer.status, answer.body]).toEqual([door, what, garbage.status, garbage.body]);
      }
    }
  });

  test("get_products' cursor works for everybody who shares its answer, whatever else they say", async () => {
    const account = buyers.they.inputOf("get_products").account;
    const first = await callRest("get_products", { ...wide("get_products"), pagination: { max_results: 1 } }, buyers.me);
    const shared = await callRest("get_products", { ...wide("get_products"), account, brand: { domain: "acmeoutdoor.example" }, pagination: { max_results: 1 } }, buyers.they);
    const cursor = asObject(shared.body.pagination).cursor;
    expect(asObject(first.body.pagination).cursor).toBe(cursor);
    expect((await callRest("get_products", { ...wide("get_products"), account, pagination: { max_results: 1, cursor } }, buyers.they)).isError).toBe(false);
  });
});
