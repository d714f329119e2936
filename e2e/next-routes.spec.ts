import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@playwright/test";
import { dataDir, stackUrl } from "./support/addresses";
import { startNext } from "./support/next-start";

/** server.ts answers buyers before Next does; on a host that runs Next alone, Next's own routes must answer the same. */
const TOKEN = "demo-acme-outdoor-v1";
let next: Awaited<ReturnType<typeof startNext>>;

test.beforeAll(async () => {
  next = await startNext(dataDir(), stackUrl());
});
test.afterAll(() => next.stop());

type Sent = { method?: string; body?: unknown; token?: string | null; accept?: string };

async function ask(origin: string, path: string, { method = "GET", body, token = TOKEN, accept = "application/json, text/event-stream" }: Sent): Promise<{ status: number; type: string | null; challenge: string | null; text: string }> {
  const response = await fetch(`${origin}${path}`, {
    method, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { "content-type": "application/json", accept, "mcp-protocol-version": "2025-06-18", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
  });
  return { status: response.status, type: response.headers.get("content-type"), challenge: response.headers.get("www-authenticate"), text: await response.text() };
}

async function askThrice(path: string, sent: Sent) {
  return [await ask(stackUrl(), path, sent), await ask(next.url, path, sent), await ask(stackUrl(), path, sent)] as const;
}

const rpc = (method: string, params: unknown = {}) => ({ method: "POST", body: { jsonrpc: "2.0", id: 1, method, params } });
const message = { kind: "message", role: "user", messageId: "m-1", contextId: "c-1", parts: [{ kind: "data", data: { skill: "list_creative_formats", input: {} } }] };

const CALLS: [string, string, Sent][] = [
  ["MCP tools/list", "/mcp", rpc("tools/list")],
  ["MCP tools/call", "/mcp", rpc("tools/call", { name: "get_products", arguments: { brief: "homepage", context: { trace: "n" } } })],
  ["MCP as an event", "/mcp", { ...rpc("ping"), accept: "text/event-stream" }],
  ["MCP without a token", "/mcp", { ...rpc("tools/call", { name: "list_accounts" }), token: null }],
  ["MCP by GET", "/mcp", {}],
  ["REST by GET", "/api/v1/products?brief=homepage", {}],
  ["REST by POST", "/api/v1/get_products", { method: "POST", body: { brief: "homepage" } }],
  ["REST that is unknown", "/api/v1/launch_rocket", { method: "POST", body: {} }],
  ["OpenAPI", "/api/v1/openapi.json", { token: null }],
  ["A2A without a token", "/a2a", { ...rpc("tasks/get", { id: "task_x" }), token: null }],
  ["A2A for an unknown task", "/a2a", rpc("tasks/get", { id: "task_x" })],
  ["the agent card", "/.well-known/agent-card.json", { token: null }],
  ["the agent card below the door", "/a2a/.well-known/agent.json", { token: null }],
  ["the signing keys", "/.well-known/jwks.json", { token: null }],
  ["protected-resource metadata", "/.well-known/oauth-protected-resource", { token: null }],
];

for (const [name, path, sent] of CALLS) {
  test(`Next's route answers as server.ts does: ${name}`, async () => {
    let [before, answer, after] = await askThrice(path, sent);
    // What is answered may itself change, as figures do: Next is held to what server.ts says both before and after.
    for (let tries = 1; tries < 20 && !isDeepStrictEqual(before, after); tries += 1) [before, answer, after] = await askThrice(path, sent);
    expect(answer).toEqual(before);
    expect(answer.text).not.toBe("");
  });
}

test("A2A calls and streams through Next's route", async () => {
  const called = await ask(next.url, "/a2a", rpc("message/send", { message }));
  expect(JSON.parse(called.text)).toMatchObject({ result: { kind: "task", contextId: "c-1", status: { state: "completed" } } });
  const streamed = await ask(next.url, "/a2a", rpc("message/stream", { message }));
  expect([streamed.status, streamed.type]).toEqual([200, "text/event-stream; charset=utf-8"]);
  expect(streamed.text.match(/^data: /gm)).toHaveLength(3);
});

test("what is no buyer's path stays Next's", async () => {
  expect((await ask(next.url, "/.well-known/elsewhere", { token: null })).status).toBe(404);
});
