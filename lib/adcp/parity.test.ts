import { type Task } from "@a2a-js/sdk";
import { A2AClient } from "@a2a-js/sdk/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, imageCreative, newKey } from "@/test/fixtures/door";
import { openDoorServer } from "@/test/fixtures/door-server";
import { asSystem, DAY_MS, decide, homepage } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { mediaBuys } from "../media-buys/schema";
import { isVisibleTo, TOOLS } from "./registry";
import { isObject } from "./schemas";
import { type Tool } from "./tool";
import { toolSchema } from "./tool-schemas";

/** Every tool over MCP, A2A and REST, by the official clients where there is one: the same answers, the same errors. */
useTestDatabase();
let server: Awaited<ReturnType<typeof openDoorServer>>;
let publisher: PublisherFixture;
const clients: Client[] = [];

type Answer = { isError: boolean; body: Record<string, unknown> };
type Door = { name: string; call(tool: string, input: Record<string, unknown>): Promise<Answer> };
let doors: [Door, Door, Door];
let inputs: Record<string, () => Record<string, unknown>>;

const headersOf = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function openDoors(token: string): Promise<[Door, Door, Door]> {
  const mcp = new Client({ name: "parity", version: "1" });
  await mcp.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers: headersOf(token) } }));
  clients.push(mcp);
  // From here on this client checks each answer against the tool's output schema.
  await mcp.listTools();
  const a2a = await A2AClient.fromCardUrl(`${server.url}/.well-known/agent-card.json`, { fetchImpl: (input, init) => fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headersOf(token) } }) });
  return [
    { name: "MCP", async call(tool, input) {
      const { structuredContent, isError } = await mcp.callTool({ name: tool, arguments: input });
      return { isError: isError === true, body: asObject(structuredContent) };
    } },
    { name: "A2A", async call(tool, input) {
      const answer = asObject(await a2a.sendMessage({ message: { kind: "message", role: "user", messageId: newKey(), parts: [{ kind: "data", data: { skill: tool, input } }] } }));
      const { status, artifacts } = asObject(answer.result) as unknown as Task;
      return { isError: status.state === "failed", body: asObject(asObject(artifacts?.[0]?.parts.find(({ kind }) => kind === "data")).data) };
    } },
    { name: "REST", async call(tool, input) {
      const response = await fetch(`${server.url}/api/v1/${tool}`, { method: "POST", headers: { "content-type": "application/json", ...headersOf(token) }, body: JSON.stringify(input) });
      return { isError: !response.ok, body: asObject(await response.json()) };
    } },
  ];
}

/** One call of each door, which must agree on all but the time of answering and the address of a preview, which nobody shall guess. */
async function agreed(tool: string, inputOf: () => Record<string, unknown>): Promise<Answer> {
  const answers = [];
  for (const { call } of doors) answers.push(await call(tool, inputOf()));
  const [first, ...others] = answers;
  if (!first) throw new Error("no door");
  for (const [index, other] of others.entries()) expect([tool, doors[index + 1]?.name, comparable(other)]).toEqual([tool, doors[index + 1]?.name, comparable(first)]);
  return first;
}

const comparable = (answer: Answer): unknown => JSON.parse(JSON.stringify(answer).replaceAll(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"<time>"').replaceAll(/\/previews\/[\w-]+/g, "/previews/<secret>"));
const visible = TOOLS.filter((tool) => isVisibleTo(tool, { tokenId: "", tenantId: "", principalId: "", principalName: "", isSandbox: true, scopes: [] }));
const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

beforeAll(async () => {
  server = await openDoorServer();
  publisher = await createPublisher({ isSandbox: true });
  doors = await openDoors(publisher.token);
  const [, , rest] = doors;
  const order = () => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: at(2), end_time: at(32), packages: [homepage({ creatives: [imageCreative("b-1")] })] });
  const placed = await rest.call("create_media_buy", order());
  const mediaBuyId = String(placed.body.media_buy_id);
  // A task needs a product that somebody reviews.
  const reviewed = await createPublisher({ isReviewRequired: true, isSandbox: true });
  const [, , other] = await openDoors(reviewed.token);
  const submitted = await other.call("create_media_buy", order());
  const [waiting] = await asSystem(reviewed, ({ db }) => db.select({ id: mediaBuys.id }).from(mediaBuys));
  await decide(reviewed, waiting?.id ?? "", "approve", { now: new Date() });
  taskOf = { token: reviewed.token, id: String(submitted.body.task_id) };
  inputs = {
    sync_accounts: () => ({ idempotency_key: newKey(), accounts: [{ brand: { domain: "parity.example" }, operator: "op.example", billing: "operator" }] }),
    sync_governance: () => ({ idempotency_key: newKey(), accounts: [{ account: BRAND_ACCOUNT, governance_agents: [{ url: "https://governance.example/mcp", authentication: { schemes: ["Bearer"], credentials: "x".repeat(40) } }] }] }),
    sync_creatives: () => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("c-1")] }),
    sync_audiences: () => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, audiences: [{ audience_id: "a1", add: [{ external_id: "u-1", hashed_email: "a".repeat(64) }] }] }),
    preview_creative: () => ({ request_type: "single", creative_manifest: { format_id: asObject(imageCreative("c-1").format_id), assets: imageCreative("c-1").assets } }),
    create_media_buy: order,
    update_media_buy: () => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: mediaBuyId, end_time: at(40) }),
    get_media_buys: () => ({ media_buy_ids: [mediaBuyId] }),
    get_media_buy_delivery: () => ({ media_buy_ids: [mediaBuyId] }),
    get_creative_delivery: () => ({ media_buy_ids: [mediaBuyId] }),
    provide_performance_feedback: () => ({ idempotency_key: newKey(), media_buy_id: mediaBuyId, performance_index: 1.1, measurement_period: { start: "2026-01-01T00:00:00Z", end: "2026-01-31T00:00:00Z" } }),
    comply_test_controller: () => ({ scenario: "list_scenarios" }),
  };
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.close();
});

let taskOf: { token: string; id: string };
const inputOf = (tool: Tool): Record<string, unknown> => {
  const made = inputs[tool.name];
  if (made) return made();
  const required = toolSchema(tool, "request").required;
  if (Array.isArray(required) && required.some((field: string) => !Object.hasOwn(tool.defaults ?? {}, field))) throw new Error(`${tool.name} needs an input of its own in this test.`);
  return {};
};

describe("every tool, over MCP, A2A and REST", () => {
  const reads = visible.filter(({ kind, name }) => kind === "read" && !["tasks_get", "get_task_status"].includes(name));

  test.each(reads.map((tool) => [tool.name, tool] as const))("%s answers alike, and echoes the context", async (name, tool) => {
    const context = { correlation_id: "p-1", nested: { list: [1, null, "ü"], empty: {} } };
    const { isError, body } = await agreed(name, () => ({ ...inputOf(tool), context }));
    expect([name, isError, body.context]).toEqual([name, false, context]);
  });

  test("tasks answer alike, under each of their names", async () => {
    const before = doors;
    doors = await openDoors(taskOf.token);
    for (const name of ["tasks_get", "tasks/get", "get_task_status", "tasks_list", "tasks/list", "list_tasks"]) {
      const isList = name.includes("list");
      const { body } = await agreed(name, () => (isList ? { include_history: true } : { task_id: taskOf.id, include_history: true, include_result: true }));
      expect(isList ? asList(body.tasks)[0] : body).toMatchObject({ task_id: taskOf.id, status: "completed" });
    }
    doors = before;
  });

  const changes = visible.filter(({ kind }) => kind === "mutation");
  test.each(changes.flatMap((tool) => [0, 1, 2].map((first) => [tool.name, ["MCP", "A2A", "REST"][first], tool, first] as const)))("%s made over %s is replayed by the others with the same answer", async (name, _door, tool, first) => {
    const input = inputOf(tool);
    const made = await doors[first]?.call(name, { ...input, context: { door: "first" } });
    expect([name, made?.isError, made?.body.replayed, made?.body.context]).toEqual([name, false, undefined, { door: "first" }]);
    for (const door of doors) expect([door.name, (await door.call(name, { ...input, context: { door: door.name } })).body]).toEqual([door.name, { ...made?.body, replayed: true, context: { door: door.name } }]);
  });

  test.each(visible.map((tool) => [tool.name, tool] as const))("%s refuses alike: a release that is not served, an account that is not the buyer's, an input that does not fit", async (name, tool) => {
    const context = { trace: name };
    const refusals: [Record<string, unknown>, string][] = [[{ adcp_major_version: 99 }, "VERSION_UNSUPPORTED"]];
    if (hasField(tool, "account") && tool.name !== "comply_test_controller") refusals.push([{ account: { account_id: "acc_00000000000000000000000000" } }, "ACCOUNT_NOT_FOUND"]);
    const wrong = Object.entries(asObject(toolSchema(tool, "request").properties)).filter(([field]) => !["context", "ext", "adcp_major_version"].includes(field)).map(([field]) => [field, typeOf(tool, field) === "object" ? 7 : {}]);
    if (wrong.length > 0) refusals.push([Object.fromEntries(wrong), "INVALID_REQUEST"]);
    const valid = ["tasks_get", "get_task_status"].includes(name) ? { task_id: "task_x" } : inputOf(tool);
    for (const [change, code] of refusals) {
      const { isError, body } = await agreed(name, () => ({ ...valid, ...change, context }));
      expect([name, code, isError, asObject(body.adcp_error).code, asList(body.errors)[0]?.code, body.context]).toEqual([name, code, true, code, code, context]);
    }
  });

  test.each(visible.map((tool) => [tool.name, tool] as const))("%s without a token, or with a wrong one, is answered alike", async (name, tool) => {
    for (const headers of [{}, headersOf("wrong-token-of-nobody")]) {
      const mustFail = tool.access === "principal" || "authorization" in headers;
      const post = async (path: string, body: unknown) => {
        const response = await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json", accept: "application/json", ...headers }, body: JSON.stringify(body) });
        return { status: response.status, challenge: response.headers.get("www-authenticate")?.replace(/realm="[^"]+"/, "realm"), body: asObject(await response.json()) };
      };
      const input = { context: { trace: "x" } };
      const mcp = await post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } });
      const a2a = await post("/a2a", { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { kind: "message", role: "user", messageId: "m", parts: [{ kind: "data", data: { skill: name, input } }] } } });
      const rest = await post(`/api/v1/${name}`, input);
      if (tool.isVisible && !tool.isVisible(null)) continue;
      expect([name, mcp.status, a2a.status, rest.status]).toEqual([name, ...Array.from({ length: 3 }, () => (mustFail ? 401 : 200))]);
      if (!mustFail) continue;
      const errors = [asObject(asObject(mcp.body.error).data), asObject(asObject(a2a.body.error).data), rest.body].map(({ adcp_error: error, errors: list, status }) => ({ error, list, status }));
      for (const error of errors) expect([name, error]).toEqual([name, errors[0]]);
      expect([name, a2a.challenge, rest.challenge]).toEqual([name, mcp.challenge, mcp.challenge]);
    }
  });
});

test("a tool for some buyers is, to all others, as unknown as any other name, at each door", async () => {
  const live = await createPublisher({ isSandbox: false });
  const neighbour = await createBuyer(live.tenantId, { isSandbox: false });
  const hidden = TOOLS.filter((tool) => !isVisibleTo(tool, neighbour.session)).map(({ name }) => name);
  expect(hidden).toContain("comply_test_controller");
  for (const headers of [{}, headersOf(neighbour.token), headersOf("wrong-token-of-nobody")]) {
    const ask = async (path: string, body: unknown) => {
      const response = await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json", accept: "application/json", ...headers }, body: JSON.stringify(body) });
      return `${response.status} ${await response.text()}`;
    };
    const answersTo = async (name: string) => [
      await ask("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } }),
      await ask("/a2a", { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { kind: "message", role: "user", messageId: "m", parts: [{ kind: "data", data: { skill: name, input: {} } }] } } }),
      await ask(`/api/v1/${name}`, {}),
    ];
    for (const name of hidden) expect(await answersTo(name)).toEqual(await answersTo("launch_rocket"));
    if (!("authorization" in headers)) expect((await answersTo("launch_rocket"))[0]).toContain("-32601");
    // The protocol's own descriptions may mention it; as a tool it is nowhere.
    for (const path of ["/api/v1/openapi.json", "/.well-known/agent-card.json"]) expect(await (await fetch(`${server.url}${path}`, { headers })).text()).not.toMatch(/"\/?comply_test_controller[".]/);
    expect(await ask("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/list" })).not.toContain('"comply_test_controller"');
  }
});

function hasField(tool: Tool, field: string): boolean {
  return Object.hasOwn(asObject(toolSchema(tool, "request").properties), field);
}

function typeOf(tool: Tool, field: string): unknown {
  const schema = asObject(toolSchema(tool, "request").properties)[field];
  return isObject(schema) ? (schema.type ?? (schema.$ref === undefined ? undefined : "object")) : undefined;
}
