import { type AgentCard, type Message, type Task } from "@a2a-js/sdk";
import { A2AClient } from "@a2a-js/sdk/client";
import { AgentClient } from "@adcp/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eq } from "drizzle-orm";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, newKey } from "@/test/fixtures/door";
import { openDoorServer } from "@/test/fixtures/door-server";
import { asSystem, DAY_MS, decide, homepage } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { workflowSteps } from "../approvals/schema";
import { auditLog } from "../audit/schema";
import { fromWireId } from "../ids";
import { mediaBuys, tasks } from "../media-buys/schema";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { TOOLS } from "./registry";

useTestDatabase();
let server: Awaited<ReturnType<typeof openDoorServer>>;
let publisher: PublisherFixture;

beforeAll(async () => {
  server = await openDoorServer();
  publisher = await createPublisher({ isReviewRequired: true });
});
afterAll(() => server.close());

const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const order = (overrides: Record<string, unknown> = {}) => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: at(2), end_time: at(32), packages: [homepage()], context: { trace: "t-1" }, ...overrides });
const say = (...parts: Message["parts"]): Message => ({ kind: "message", role: "user", messageId: newKey(), parts });
const ask = (skill: string, input: Record<string, unknown> = {}): Message => say({ kind: "data", data: { skill, input } });

function connect(token?: string): Promise<A2AClient> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return A2AClient.fromCardUrl(`${server.url}/.well-known/agent-card.json`, { fetchImpl: (input, init) => fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...authorization } }) });
}

async function rpc(method: string, params: unknown, token: string | undefined = publisher.token): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/a2a`, { method: "POST", headers: { "content-type": "application/json", ...(token === "" ? {} : { authorization: `Bearer ${token}` }) }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  return { status: response.status, headers: response.headers, body: asObject(await response.json()) };
}

async function send(message: Message, token = publisher.token, configuration?: Record<string, unknown>): Promise<Task> {
  const { body } = await rpc("message/send", { message, ...(configuration ? { configuration } : {}) }, token);
  return taskOf(body);
}

function taskOf({ result }: Record<string, unknown>): Task {
  return asObject(result) as unknown as Task;
}

const dataOf = (task: Task): Record<string, unknown> => asObject(asObject(task.artifacts?.[0]?.parts.find(({ kind }) => kind === "data")).data);
const submit = (overrides: Record<string, unknown> = {}, configuration?: Record<string, unknown>) => send(ask("create_media_buy", order(overrides)), publisher.token, configuration);
const errorOf = ({ body }: { body: Record<string, unknown> }) => asObject(body.error);

async function buyOf(taskId: string): Promise<string> {
  const [row] = await asSystem(publisher, ({ db }) => db.select({ id: tasks.mediaBuyId }).from(tasks).where(eq(tasks.id, fromWireId("task", taskId) ?? "")));
  return row?.id ?? "";
}

describe("the agent card", () => {
  test("names skills, security, streaming and AdCP, at each of its addresses", async () => {
    for (const path of ["/.well-known/agent-card.json", "/.well-known/agent.json", "/a2a/.well-known/agent-card.json", "/a2a/.well-known/agent.json"]) {
      const card = (await (await fetch(`${server.url}${path}`)).json()) as AgentCard;
      expect(card).toMatchObject({
        protocolVersion: "0.3.0", url: `${server.url}/a2a`, preferredTransport: "JSONRPC", capabilities: { streaming: true, pushNotifications: true, extensions: [{ uri: "https://adcontextprotocol.org/extensions/adcp", params: { adcp_version: "3.0.6", protocols_supported: ["media_buy"] } }] },
        securitySchemes: { bearer: { type: "http", scheme: "bearer" }, header: { type: "apiKey", in: "header", name: "x-adcp-auth" } },
      });
      expect(card.skills.map(({ id }) => id)).toEqual(TOOLS.filter((tool) => tool.isVisible?.(null) ?? true).map(({ name }) => name));
    }
    expect((await fetch(`${server.url}/.well-known/agent-card.json`, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect((await fetch(`${server.url}/a2a`)).status).toBe(405);
  });
});

describe("message/send", () => {
  test("calls a skill with `input`, with `parameters`, or as JSON text, and keeps the conversation", async () => {
    const client = await connect(publisher.token);
    for (const message of [ask("get_products", { context: { a: 1 } }), say({ kind: "data", data: { skill: "get_products", parameters: { context: { a: 1 } } } }), say({ kind: "text", text: JSON.stringify({ skill: "get_products", input: { context: { a: 1 } } }) })]) {
      const answer = await client.sendMessage({ message: { ...message, contextId: "conversation-1" } });
      if (!("result" in answer) || answer.result.kind !== "task") throw new Error(JSON.stringify(answer));
      expect(answer.result).toMatchObject({ contextId: "conversation-1", status: { state: "completed" } });
      expect(dataOf(answer.result)).toMatchObject({ status: "completed", context: { a: 1 }, products: [{ product_id: "homepage_display" }, {}] });
    }
  });

  test("what fails is a failed task with the typed error; what is malformed is refused in JSON-RPC's words", async () => {
    const failed = await send(ask("create_media_buy", order({ packages: [homepage({ product_id: "nothing" })] })));
    expect(failed.status).toMatchObject({ state: "failed", message: { parts: [{ kind: "text", text: "There is no product with this id." }] } });
    expect(dataOf(failed)).toMatchObject({ adcp_error: { code: "PRODUCT_NOT_FOUND", field: "packages[0].product_id" }, errors: [{ code: "PRODUCT_NOT_FOUND" }], context: { trace: "t-1" } });
    const cases: [unknown, number][] = [
      [{ message: ask("launch_rocket") }, -32_601], [{ message: say({ kind: "data", data: { skill: "" } }) }, -32_602], [{ message: { ...ask("get_products"), parts: [] } }, -32_602], [{}, -32_602],
      [{ message: say(...ask("get_products").parts, ...ask("get_products").parts) }, -32_602], [{ message: { ...ask("get_products"), taskId: "task_nothing" } }, -32_001],
    ];
    for (const method of ["message/send", "message/stream"]) for (const [params, code] of cases) expect([method, JSON.stringify(params), errorOf(await rpc(method, params)).code]).toEqual([method, JSON.stringify(params), code]);
    expect(errorOf(await rpc("launch/rocket", {})).code).toBe(-32_601);
    const broken = await fetch(`${server.url}/a2a`, { method: "POST", body: "{" });
    expect([broken.status, asObject(asObject(await broken.json()).error).code]).toEqual([400, -32_700]);
    const batch = await fetch(`${server.url}/a2a`, { method: "POST", body: "[]" });
    expect(asObject(asObject(await batch.json()).error).code).toBe(-32_600);
  });

  test("words are answered with how to call", async () => {
    const { body } = await rpc("message/send", { message: say({ kind: "text", text: "What can I buy from you?" }) });
    const message = asObject(body.result);
    expect(message).toMatchObject({ kind: "message", role: "agent" });
    expect(String(asList(message.parts)[0]?.text)).toContain('"skill": "get_products"');
  });

  test("without a token only what is public; a wrong one is 401 for every method", async () => {
    const visitor = taskOf((await rpc("message/send", { message: ask("get_products") }, "")).body);
    expect(JSON.stringify(dataOf(visitor))).not.toContain("12.5");
    for (const [method, params] of [["message/send", { message: ask("list_accounts", { context: { trace: "x" } }) }], ["message/stream", { message: ask("list_accounts") }], ["tasks/get", { id: "task_x" }], ["tasks/cancel", { id: "task_x" }], ["tasks/resubscribe", { id: "task_x" }], ["tasks/pushNotificationConfig/list", { id: "task_x" }]] as const) {
      const missing = await rpc(method, params, "");
      expect([method, missing.status, asObject(asObject(errorOf(missing).data).adcp_error).code]).toEqual([method, 401, "AUTH_REQUIRED"]);
      expect(missing.headers.get("www-authenticate")).toContain(`realm="${server.url}/a2a"`);
      const wrong = await rpc(method, params, "wrong-token");
      expect([method, wrong.status]).toEqual([method, 401]);
      expect(wrong.headers.get("www-authenticate")).toContain('error="invalid_token"');
    }
  });

  test("an order for review completes the call, and its task lives on under the id in the metadata", async () => {
    const call = await send({ ...ask("create_media_buy", order()), contextId: "conversation-2" });
    const taskId = String(dataOf(call).task_id);
    expect(call).toMatchObject({ id: taskId, contextId: "conversation-2", status: { state: "completed" }, artifacts: [{ metadata: { adcp_task_id: taskId } }] });
    expect(dataOf(call)).toMatchObject({ status: "submitted", context: { trace: "t-1" } });
    const client = await connect(publisher.token);
    const waiting = await client.getTask({ id: taskId, historyLength: 5 });
    expect(waiting).toMatchObject({ result: { id: taskId, contextId: "conversation-2", status: { state: "submitted" }, history: [{ role: "user", parts: [{ data: { skill: "create_media_buy", input: { packages: [{ product_id: "homepage_display" }] } } }] }] } });
    expect(asObject(asObject(waiting).result)).not.toHaveProperty("artifacts");
    await decide(publisher, await buyOf(taskId), "approve", { now: new Date() });
    const done = (await client.getTask({ id: taskId })) as { result: Task };
    expect(done.result.status.state).toBe("completed");
    expect(dataOf(done.result)).toMatchObject({ media_buy_id: expect.stringMatching(/^mb_/), revision: 1, context: { trace: "t-1" } });
    // The next message may name the task it is about.
    expect(await send({ ...ask("tasks_get", { task_id: taskId }), taskId })).toMatchObject({ contextId: "conversation-2" });
  });
});

describe("message/stream", () => {
  test("tells the call's steps as events and ends", async () => {
    const client = await connect(publisher.token);
    const events = [];
    for await (const event of client.sendMessageStream({ message: ask("create_media_buy", order()) })) events.push(event);
    expect(events).toMatchObject([{ kind: "task", status: { state: "working" } }, { kind: "artifact-update", artifact: { parts: [{ data: { status: "submitted" } }] } }, { kind: "status-update", final: true, status: { state: "completed" } }]);
  });
});

describe("tasks/resubscribe", () => {
  test("follows an order to its decision", async () => {
    const call = await submit();
    const client = await connect(publisher.token);
    const events: unknown[] = [];
    for await (const event of client.resubscribeTask({ id: call.id })) {
      events.push(event);
      if (events.length === 1) await decide(publisher, await buyOf(call.id), "reject", { now: new Date(), reason: "Not this category" });
    }
    expect(events).toMatchObject([{ kind: "task", status: { state: "submitted" } }, { kind: "artifact-update", artifact: { name: "error", parts: [{ data: { adcp_error: { code: "ORDER_REJECTED", message: "Not this category" } } }] } }, { kind: "status-update", final: true, status: { state: "rejected" } }]);
  });
});

describe("tasks/cancel", () => {
  test("withdraws an order that waits: status, staff's queue, task, webhook and audit in one", async () => {
    const call = await submit({}, { pushNotificationConfig: { url: "https://buyer.example/a2a" } });
    const client = await connect(publisher.token);
    expect(await client.cancelTask({ id: call.id })).toMatchObject({ result: { id: call.id, status: { state: "canceled" } } });
    const mediaBuyId = await buyOf(call.id);
    const stored = await asSystem(publisher, async ({ db }) => ({
      buy: await db.select({ status: mediaBuys.status, by: mediaBuys.canceledBy, confirmedAt: mediaBuys.confirmedAt }).from(mediaBuys).where(eq(mediaBuys.id, mediaBuyId)),
      steps: await db.select({ state: workflowSteps.state, decision: workflowSteps.decision, by: workflowSteps.decidedByLabel }).from(workflowSteps).where(eq(workflowSteps.mediaBuyId, mediaBuyId)),
      audit: await db.select({ action: auditLog.action }).from(auditLog).where(eq(auditLog.mediaBuyId, mediaBuyId)),
      sent: await db.select({ body: webhookDeliveries.body }).from(webhookDeliveries).where(eq(webhookDeliveries.mediaBuyId, mediaBuyId)),
    }));
    expect(stored).toMatchObject({
      buy: [{ status: "canceled", by: "buyer", confirmedAt: null }], steps: [{ state: "rejected", decision: "withdraw", by: publisher.principal.name }], sent: [{ body: { kind: "task", status: { state: "canceled" } } }],
    });
    expect(stored.audit.map(({ action }) => action)).toContain("media_buy.withdrawn");
    expect((await callMcp("get_media_buys", { status_filter: ["canceled"] }, { token: publisher.token })).body.media_buys).toEqual([]);
    expect(errorOf(await rpc("tasks/cancel", { id: call.id })).code).toBe(-32_002);
    await expect(decide(publisher, mediaBuyId, "approve", { now: new Date() })).rejects.toThrow("Nothing waits");
  });

  test("an order that was decided cannot be withdrawn; of a decision and a withdrawal at once, one holds", async () => {
    const approved = await submit();
    await decide(publisher, await buyOf(approved.id), "approve", { now: new Date() });
    const refused = errorOf(await rpc("tasks/cancel", { id: approved.id }));
    expect([refused.code, asObject(asObject(refused.data).adcp_error).code]).toEqual([-32_002, "NOT_CANCELLABLE"]);
    const raced = await submit();
    const [decision, withdrawal] = await Promise.allSettled([decide(publisher, await buyOf(raced.id), "approve", { now: new Date() }), rpc("tasks/cancel", { id: raced.id })]);
    const isApproved = decision.status === "fulfilled";
    const isWithdrawn = withdrawal.status === "fulfilled" && withdrawal.value.body.error === undefined;
    expect([isApproved, isWithdrawn].filter(Boolean)).toHaveLength(1);
    expect(asObject(asObject((await rpc("tasks/get", { id: raced.id })).body.result).status).state).toBe(isApproved ? "completed" : "canceled");
  });
});

describe("push notification configurations", () => {
  test("are set, replaced, read without their secrets, listed and deleted", async () => {
    const { id } = await submit();
    const client = await connect(publisher.token);
    const config = { id: "mine", url: "https://buyer.example/a2a", token: "t".repeat(20), authentication: { schemes: ["bearer"], credentials: "s".repeat(40) } };
    expect(await client.setTaskPushNotificationConfig({ taskId: id, pushNotificationConfig: config })).toMatchObject({ result: { taskId: id, pushNotificationConfig: { id: "mine", url: config.url } } });
    await client.setTaskPushNotificationConfig({ taskId: id, pushNotificationConfig: { ...config, url: "https://buyer.example/other" } });
    await client.setTaskPushNotificationConfig({ taskId: id, pushNotificationConfig: { url: "https://buyer.example/second" } });
    const known = await client.listTaskPushNotificationConfig({ id });
    expect(known).toMatchObject({ result: [{ pushNotificationConfig: { id: "mine", url: "https://buyer.example/other", authentication: { schemes: ["Bearer"] } } }, { pushNotificationConfig: { id, url: "https://buyer.example/second" } }] });
    expect(JSON.stringify(known)).not.toMatch(/tttt|ssss/);
    expect((await rpc("tasks/pushNotificationConfig/get", { id, pushNotificationConfigId: "mine" })).body).toMatchObject({ result: { pushNotificationConfig: { url: "https://buyer.example/other" } } });
    await client.deleteTaskPushNotificationConfig({ id, pushNotificationConfigId: "mine" });
    expect(errorOf(await rpc("tasks/pushNotificationConfig/get", { id, pushNotificationConfigId: "mine" })).code).toBe(-32_001);
    expect(errorOf(await rpc("tasks/pushNotificationConfig/delete", { id, pushNotificationConfigId: "mine" })).code).toBe(-32_001);
    await decide(publisher, await buyOf(id), "approve", { now: new Date() });
    const sent = await asSystem(publisher, ({ db }) => db.select({ body: webhookDeliveries.body, url: pushNotificationConfigs.url }).from(webhookDeliveries).innerJoin(pushNotificationConfigs, eq(pushNotificationConfigs.id, webhookDeliveries.configId)).where(eq(webhookDeliveries.taskId, fromWireId("task", id) ?? "")));
    expect(sent).toMatchObject([{ url: "https://buyer.example/second", body: { kind: "task", id, status: { state: "completed" }, artifacts: [{ name: "result" }], metadata: { task_type: "create_media_buy" } } }]);
  });

  test("an address that may not be called is refused, before the order is placed", async () => {
    const { id } = await submit();
    for (const url of ["http://10.0.0.1/hook", "https://169.254.169.254/", "ftp://buyer.example"]) {
      expect(errorOf(await rpc("tasks/pushNotificationConfig/set", { taskId: id, pushNotificationConfig: { url } })).code).toBe(-32_602);
      const key = newKey();
      expect(errorOf(await rpc("message/send", { message: ask("create_media_buy", order({ idempotency_key: key })), configuration: { pushNotificationConfig: { url } } })).code).toBe(-32_602);
      expect(dataOf(await send(ask("create_media_buy", order({ idempotency_key: key })))).replayed).toBeUndefined();
    }
  });
});

test("another buyer's task and an unknown one answer byte for byte alike, by every method", async () => {
  const { id } = await submit();
  const neighbour = await createBuyer(publisher.tenantId);
  const elsewhere = await createPublisher();
  for (const { token } of [neighbour, elsewhere]) {
    for (const [method, params] of [["tasks/get", (task: string) => ({ id: task })], ["tasks/cancel", (task: string) => ({ id: task })], ["tasks/resubscribe", (task: string) => ({ id: task })], ["tasks/pushNotificationConfig/set", (task: string) => ({ taskId: task, pushNotificationConfig: { id: "x", url: "https://buyer.example" } })], ["tasks/pushNotificationConfig/get", (task: string) => ({ id: task })], ["tasks/pushNotificationConfig/list", (task: string) => ({ id: task })], ["tasks/pushNotificationConfig/delete", (task: string) => ({ id: task, pushNotificationConfigId: "x" })], ["message/send", (task: string) => ({ message: { ...ask("get_products"), messageId: "m", taskId: task } })]] as const) {
      const answers = [];
      for (const task of [id, "task_00000000000000000000000000", "nonsense"]) answers.push(JSON.stringify((await rpc(method, params(task), token)).body));
      expect([method, new Set(answers).size]).toEqual([method, 1]);
      expect(answers[0]).toContain("-32001");
      expect(answers[0]).not.toContain(id);
    }
  }
  expect(asObject(asObject((await rpc("tasks/get", { id })).body.result).status).state).toBe("submitted");
});

test("AdCP's official client works over A2A as over MCP", async () => {
  const client = new AgentClient({ id: "greenlight", name: "Greenlight", agent_uri: server.url, protocol: "a2a", auth_token: publisher.token });
  const capabilities = await client.getAdcpCapabilities({});
  expect([capabilities.success, asObject(capabilities.data).supported_protocols]).toEqual([true, ["media_buy"]]);
  const products = await client.getProducts({ buying_mode: "brief", brief: "display on the homepage" });
  expect(asList(asObject(products.data).products)[0]).toMatchObject({ product_id: "homepage_display" });
  const { context: _context, ...request } = order();
  const submitted = await client.executeTask("create_media_buy", request);
  expect(submitted.status).toBe("submitted");
  const wrong = await client.executeTask("create_media_buy", { ...request, idempotency_key: newKey(), packages: [homepage({ product_id: "nothing" })] });
  // This client reads no artifact of a failed task, though its own server's failures look the same: the typed error stays in the raw answer.
  expect([wrong.success, wrong.status]).toEqual([false, "failed"]);
  expect(asObject(wrong.data).result).toMatchObject({ status: { state: "failed" }, artifacts: [{ parts: [{ data: { adcp_error: { code: "PRODUCT_NOT_FOUND" } } }] }] });
});

test("what became of an order is not taken for what became of the call", async () => {
  const open = await createPublisher({ slug: "unreviewed" });
  const client = new AgentClient({ id: "greenlight", name: "Greenlight", agent_uri: server.url, protocol: "a2a", auth_token: open.token });
  const { context: _context, ...request } = order();
  const placed = await client.executeTask("create_media_buy", request);
  const canceled = await client.executeTask("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: asObject(placed.data).media_buy_id, canceled: true });
  expect([canceled.success, canceled.status, asObject(canceled.data).status]).toEqual([true, "completed", "canceled"]);
});
