import { beforeAll, describe, expect, test } from "vitest";
import { withTenant } from "@/lib/db/client";
import { principalTokens } from "@/lib/buyers/schema";
import { and, eq } from "drizzle-orm";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, DOOR_URL, errorCode, imageCreative, newKey, readObject, rpc, send } from "@/test/fixtures/door";
import { createBuyer, createPublisher, mapHost, type PublisherFixture } from "@/test/fixtures/publisher";
import { MAX_BODY_BYTES } from "../http/node-adapter";
import { TOOLS, visibleTools } from "./registry";
import { toolSchema } from "./tool-schemas";

const database = useTestDatabase();
let first: PublisherFixture;
let second: PublisherFixture;

beforeAll(async () => {
  first = await createPublisher({ slug: "first", token: "demo-acme-outdoor-v1" });
  second = await createPublisher({ slug: "second" });
  await mapHost(database.adminUrl, second.tenantId, "second.example");
});

/** What a `#/a/b` reference points at. */
function resolvePointer(document: unknown, reference: string): unknown {
  if (!reference.startsWith("#/")) return undefined;
  return reference.slice(2).split("/").reduce<unknown>((value, key) => (typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined), document);
}

describe("MCP", () => {
  test("initialize, ping and tools/list need no session and no order", async () => {
    const ping = await rpc("ping", {});
    expect([ping.status, ping.body]).toEqual([200, { jsonrpc: "2.0", id: 1, result: {} }]);
    const old = asObject((await rpc("initialize", { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "t", version: "1" } })).body.result);
    expect(old).toMatchObject({ protocolVersion: "2025-03-26", serverInfo: { name: "greenlight" }, capabilities: { tools: {} } });
    const unknown = asObject((await rpc("initialize", { protocolVersion: "1999-01-01" })).body.result);
    expect(unknown.protocolVersion).toBe("2025-11-25");
    const tools = asList(asObject((await rpc("tools/list", {})).body.result).tools);
    expect(tools.map(({ name }) => name)).toEqual(visibleTools(null).map(({ name }) => name));
    for (const tool of tools) expect(asObject(tool.inputSchema).type).toBe("object");
    const create = tools.find(({ name }) => name === "create_media_buy");
    expect(asObject(create?.inputSchema).required).toEqual(expect.arrayContaining(["idempotency_key", "account", "start_time", "end_time"]));
    for (const { inputSchema } of tools) for (const reference of new Set(JSON.stringify(inputSchema).match(/"\$ref":"[^"]+"/g))) expect(resolvePointer(inputSchema, reference.slice(8, -1)), reference).toBeDefined();
  });

  test("a client of AdCP's earlier ways: plain JSON Accept, no initialize, no version header", async () => {
    const response = await send("/mcp", { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: "a", method: "tools/call", params: { name: "get_adcp_capabilities" } }) }, { headers: { accept: "application/json" } });
    expect(response.headers.get("content-type")).toBe("application/json");
    const result = asObject((await readObject(response)).result);
    const texts = asList(result.content).map(({ text }) => String(text));
    // Such a client may not know structuredContent, so the text has it all.
    expect(JSON.parse(texts[1] ?? "")).toEqual(result.structuredContent);
  });

  test("a client that reads streams only gets its answer as an event; one that takes both gets JSON", async () => {
    const ask = (accept: string, message: unknown) => send("/mcp", { method: "POST", body: JSON.stringify(message) }, { headers: { accept } });
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    const streamed = await ask("text/event-stream", ping);
    expect([streamed.status, streamed.headers.get("content-type"), await streamed.text()]).toEqual([200, "text/event-stream; charset=utf-8", 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n']);
    for (const accept of ["application/json, text/event-stream", "*/*", "text/event-stream, */*;q=0.1"]) expect((await ask(accept, ping)).headers.get("content-type")).toBe("application/json");
    const called = await ask("text/event-stream", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_products", arguments: { brief: "line\nbreak" } } });
    const [, data = ""] = (await called.text()).split("data: ");
    expect(asObject(asObject(JSON.parse(data)).result).isError).toBe(false);
    expect((await ask("text/event-stream", { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } })).status).toBe(202);
  });

  test("tools/list gives output schemas to clients that read structured content, each whole", async () => {
    const listed = async (version: string) => asList(asObject((await rpc("tools/list", {}, { headers: { "mcp-protocol-version": version } })).body.result).tools);
    for (const { name, outputSchema } of await listed("2025-06-18")) {
      expect([name, asObject(outputSchema).type]).toEqual([name, "object"]);
      for (const reference of new Set(JSON.stringify(outputSchema).match(/"\$ref":"[^"]+"/g))) expect(resolvePointer(outputSchema, reference.slice(8, -1)), reference).toBeDefined();
    }
    for (const tool of await listed("2025-03-26")) expect(tool).not.toHaveProperty("outputSchema");
  });

  test("a client that reads structuredContent gets the text as a summary only", async () => {
    const { body } = await rpc("tools/call", { name: "get_products", arguments: {} }, { headers: { "mcp-protocol-version": "2025-06-18" } });
    expect(asList(asObject(body.result).content)).toHaveLength(1);
  });

  test("notifications and answers are accepted without a word", async () => {
    for (const message of [{ jsonrpc: "2.0", method: "notifications/initialized" }, { jsonrpc: "2.0", id: 7, result: {} }]) {
      const response = await send("/mcp", { method: "POST", body: JSON.stringify(message) });
      expect([response.status, await response.text()]).toEqual([202, ""]);
    }
  });

  test("there is no stream and no session to delete", async () => {
    for (const method of ["GET", "DELETE", "PUT"]) {
      const response = await send("/mcp", { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  test("malformed messages", async () => {
    const broken = await send("/mcp", { method: "POST", body: '{"jsonrpc": "2.0", ' });
    expect([broken.status, asObject((await readObject(broken)).error).code]).toEqual([400, -32_700]);
    for (const body of ["[]", '"x"', '{"id":1}', '{"jsonrpc":"2.0","id":null,"method":"ping"}', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]']) {
      const response = await send("/mcp", { method: "POST", body });
      expect([body, response.status, asObject((await readObject(response)).error).code]).toEqual([body, 400, -32_600]);
    }
    expect(asObject((await rpc("resources/list", {})).body.error).code).toBe(-32_601);
    expect(asObject((await rpc("tools/call", { name: "launch_rocket", arguments: {} })).body.error).code).toBe(-32_601);
    expect(asObject((await rpc("tools/call", { name: "get_products", arguments: [] })).body.error).code).toBe(-32_602);
    const version = await send("/mcp", { method: "POST", body: "{}" }, { headers: { "mcp-protocol-version": "1999-01-01" } });
    expect(version.status).toBe(400);
  });

  test("a body that is too large or too deep is refused before it is read as a request", async () => {
    const large = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: { x: "y".repeat(MAX_BODY_BYTES) } });
    const announced: Record<string, string>[] = [{}, { "content-length": String(large.length) }];
    for (const headers of announced) {
      const response = await send("/mcp", { method: "POST", body: large }, { headers });
      expect(response.status).toBe(413);
      expect(asObject(asObject(asObject((await readObject(response)).error).data).adcp_error).code).toBe("INVALID_REQUEST");
    }
    const deep = await send("/mcp", { method: "POST", body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}` });
    expect(deep.status).toBe(400);
  });

  test("a body full of mistakes is refused without ado", async () => {
    const startedAt = performance.now();
    const wrong = await callRest("get_products", { buying_mode: "refine", refine: Array.from({ length: 40_000 }, () => ({})) });
    expect(asList(asObject(wrong.body.adcp_error).issues)[0]).toMatchObject({ pointer: "/refine/0" });
    expect(errorCode(await callMcp("sync_creatives", { creatives: Array.from({ length: 40_000 }, () => ({})) }, { token: first.token }))).toBe("INVALID_REQUEST");
    expect((await callRest("get_products", { fields: Array.from({ length: 150_000 }, () => 1) })).status).toBe(400);
    const tags = Array.from({ length: 70_000 }, () => "t");
    expect(errorCode(await callRest("list_creatives", { filters: { tags } }, { token: first.token }))).toBe("INVALID_REQUEST");
    expect((await callRest("get_products", { brief: "video ".repeat(8_000) })).isError).toBe(false);
    expect(asObject((await callRest("get_products", { brief: "video ".repeat(100_000) })).body.adcp_error)).toMatchObject({ code: "INVALID_REQUEST", field: "brief" });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });

  test("web pages need a token; agents may name any origin with one", async () => {
    const foreign = { headers: { origin: "http://evil.example" } };
    expect((await rpc("ping", {}, foreign)).status).toBe(403);
    expect((await rpc("ping", {}, { headers: { origin: "http://evil.example:3000" }, host: "evil.example:3000" })).status).toBe(403);
    expect((await rpc("ping", {}, { headers: { origin: DOOR_URL } })).status).toBe(200);
    expect((await rpc("ping", {}, { ...foreign, token: first.token })).status).toBe(200);
    expect((await callRest("get_products", {}, foreign)).status).toBe(403);
  });
});

describe("REST", () => {
  test("malformed JSON, unknown addresses, wrong methods", async () => {
    const broken = await send("/api/v1/get_products", { method: "POST", body: "{" });
    expect([broken.status, asObject((await readObject(broken)).adcp_error).code]).toEqual([400, "INVALID_REQUEST"]);
    expect((await callRest("launch_rocket", {})).status).toBe(404);
    expect((await send("/api/v1/%", { method: "GET" })).status).toBe(404);
    const wrong = await send("/api/v1/sync_accounts", { method: "GET" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await send("/api/v1/products", { method: "DELETE" })).status).toBe(405);
    const large = await send("/api/v1/get_products", { method: "POST", body: JSON.stringify({ brief: "y".repeat(MAX_BODY_BYTES) }) });
    expect([large.status, asObject((await readObject(large)).adcp_error).code]).toEqual([413, "INVALID_REQUEST"]);
    expect((await callRest("get_products", [])).status).toBe(400);
  });

  test("reads by GET, with the schema's types", async () => {
    const caller = { token: first.token };
    const products = await readObject(await send("/api/v1/products?brief=homepage&max_results=1&preferred_delivery_types=guaranteed", { method: "GET" }, caller));
    expect([asList(products.products).length, asObject(products.pagination).has_more]).toEqual([1, true]);
    const filtered = await readObject(await send(`/api/v1/products?filters=${encodeURIComponent('{"delivery_type":"non_guaranteed"}')}`, { method: "GET" }, caller));
    expect(asList(filtered.products).map(({ product_id }) => product_id)).toEqual(["run_of_site"]);
    for (const path of ["capabilities", "creative-formats", "properties", "accounts", "creatives", "media-buys", "tasks", "list_accounts"]) expect((await send(`/api/v1/${path}`, { method: "GET" }, caller)).status, path).toBe(200);
    expect((await send("/api/v1/accounts?max_results=many", { method: "GET" }, caller)).status).toBe(400);
    expect((await send("/api/v1/tasks/task_nothing", { method: "GET" }, caller)).status).toBe(404);
    expect((await send("/api/v1/accounts", { method: "GET" })).status).toBe(401);
  });

  test("the OpenAPI document describes every tool with the protocol's schemas", async () => {
    const document = await readObject(await send("/api/v1/openapi.json", { method: "GET" }));
    expect(document.openapi).toBe("3.1.0");
    const paths = asObject(document.paths);
    for (const tool of visibleTools(null)) expect(Object.keys(asObject(paths[`/${tool.name}`]))).toContain("post");
    const schemas = asObject(asObject(document.components).schemas);
    expect(Object.keys(schemas)).toContain("core.error");
    const references = new Set(JSON.stringify(document).match(/"\$ref":"[^"]+"/g));
    expect(references.size).toBeGreaterThan(100);
    for (const reference of references) expect(resolvePointer(document, reference.slice(8, -1)), reference).toBeDefined();
  });
});

describe("who may call", () => {
  test("without a token: capabilities, formats, properties and price-less products", async () => {
    for (const tool of visibleTools(null)) {
      const answer = await callMcp(tool.name, { context: { trace: "x" } });
      if (tool.access === "public") expect([tool.name, answer.status, answer.isError]).toEqual([tool.name, 200, false]);
      else {
        expect([tool.name, answer.status, errorCode(answer)]).toEqual([tool.name, 401, "AUTH_REQUIRED"]);
        expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="http:\/\/127\.0\.0\.1:3000\/mcp"/);
        expect(answer.body.context).toEqual({ trace: "x" });
      }
    }
    const { body } = await callMcp("get_products", {});
    for (const product of asList(body.products)) for (const option of asList(product.pricing_options)) expect(Object.keys(option).sort()).toEqual(["currency", "pricing_model", "pricing_option_id"]);
    expect(JSON.stringify(body)).not.toMatch(/12\.5|price"/);
  });

  test("a token in either header", async () => {
    expect((await callMcp("list_accounts", {}, { token: first.token })).status).toBe(200);
    expect((await callMcp("list_accounts", {}, { headers: { "x-adcp-auth": first.token } })).status).toBe(200);
    expect((await callRest("list_accounts", {}, { headers: { "x-adcp-auth": first.token } })).status).toBe(200);
  });

  test("a wrong, revoked or expired token is 401 at every message, on both doors", async () => {
    const { token, session } = await createBuyer(first.tenantId);
    expect((await callMcp("list_accounts", {}, { token })).status).toBe(200);
    const own = and(eq(principalTokens.tenantId, first.tenantId), eq(principalTokens.id, session.tokenId));
    await withTenant(first.tenantId, (tx) => tx.update(principalTokens).set({ revokedAt: new Date() }).where(own));
    const expired = await createBuyer(first.tenantId);
    await withTenant(first.tenantId, (tx) => tx.update(principalTokens).set({ expiresAt: new Date(0) }).where(and(eq(principalTokens.tenantId, first.tenantId), eq(principalTokens.id, expired.session.tokenId))));
    const answers = [];
    for (const wrong of [token, expired.token, "invalid-0123456789", "x".repeat(5_000), "two words"]) {
      for (const answer of [await callMcp("get_products", {}, { token: wrong }), await callRest("get_products", {}, { token: wrong })]) {
        expect([answer.status, errorCode(answer)]).toEqual([401, "AUTH_REQUIRED"]);
        expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
        answers.push(JSON.stringify(answer.body));
      }
      expect((await rpc("initialize", {}, { token: wrong })).status).toBe(401);
      expect((await rpc("tools/call", { name: "launch_rocket" }, { token: wrong })).status).toBe(401);
    }
    expect(new Set(answers).size).toBe(1);
    expect((await send("/mcp", { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }) }, { headers: { authorization: "Basic Zm9v" } })).status).toBe(401);
  });

  test("a mapped host decides the publisher, and refuses another's token", async () => {
    const host = "second.example:8443";
    const visitor = await callMcp("get_adcp_capabilities", {}, { host });
    expect(asObject(asObject(visitor.body.media_buy).portfolio).publisher_domains).toEqual(["second.example"]);
    expect((await callMcp("list_accounts", {}, { host, token: second.token })).status).toBe(200);
    expect((await callMcp("list_accounts", {}, { host, token: first.token })).status).toBe(401);
    expect((await callMcp("list_accounts", {}, { token: second.token })).status).toBe(200);
    const formats = await callMcp("list_creative_formats", {}, { host: "SECOND.example:8443" });
    expect(asObject(asList(formats.body.formats)[0]?.format_id).agent_url).toBe("http://second.example:8443");
    const elsewhere = await callMcp("list_creative_formats", {}, { host: "anything.example" });
    expect(asObject(asList(elsewhere.body.formats)[0]?.format_id).agent_url).toBe(DOOR_URL);
    expect(asObject(asObject((await callMcp("get_adcp_capabilities", {})).body.media_buy).portfolio).publisher_domains).toEqual(["first.example"]);
  });
});

describe("what every tool does, on both doors alike", () => {
  const caller = () => ({ token: first.token });

  test("versions", async () => {
    for (const call of [callMcp, callRest]) {
      const answer = await call("get_products", { adcp_major_version: 99, buying_mode: "brief", context: { a: 1 } }, caller());
      expect(errorCode(answer)).toBe("VERSION_UNSUPPORTED");
      expect(asObject(answer.body.adcp_error)).toMatchObject({ recovery: "correctable", details: { supported_major_versions: [3] } });
      expect(answer.body.context).toEqual({ a: 1 });
      expect((await call("get_products", { adcp_major_version: 3 }, caller())).isError).toBe(false);
    }
  });

  test("characters that Postgres cannot hold are the buyer's mistake, not ours", async () => {
    const inputs: [string, Record<string, unknown>][] = [
      ["list_creatives", { filters: { name_contains: "a\u0000" } }],
      ["list_authorized_properties", { context: { "k\ud800": 1 } }],
      ["sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("c", { name: "\u0000" })] }],
    ];
    for (const [tool, input] of inputs) for (const call of [callMcp, callRest]) expect([tool, errorCode(await call(tool, input, caller()))]).toEqual([tool, "INVALID_REQUEST"]);
    expect((await send("/api/v1/get_products?brief=%00", { method: "GET" }, caller())).status).toBe(400);
    expect((await callRest("list_creatives", { filters: { name_contains: "\\u0000 \ud83d\ude00" } }, caller())).isError).toBe(false);
  });

  test("reads with only a context succeed for a known buyer", async () => {
    const context = { correlation_id: "c-1", nested: { list: [1, null, "ü"], empty: {} } };
    for (const tool of TOOLS.filter((tool) => tool.kind === "read" && toolSchema(tool, "request").required === undefined && toolSchema(tool, "request").anyOf === undefined)) {
      const answers = [await callMcp(tool.name, { context }, caller()), await callRest(tool.name, { context }, caller())];
      for (const answer of answers) {
        expect([tool.name, answer.status, answer.isError]).toEqual([tool.name, 200, false]);
        expect(answer.body.context).toEqual(context);
        expect(answer.body.status).toBe("completed");
      }
      expect(answers[0]?.body).toEqual(answers[1]?.body);
    }
  });

  test("requests that do not fit their schema: every mistake by name, the context echoed, nothing else", async () => {
    for (const tool of TOOLS) {
      const input = { context: { id: tool.name }, pagination: { max_results: 1_000 }, idempotency_key: "short", media_buy_ids: 7, task_id: 7, accounts: 7, creatives: 7, packages: [{ budget: -5 }], protocols: 7, publisher_domains: 7 };
      const [mcp, rest] = [await callMcp(tool.name, input, caller()), await callRest(tool.name, input, caller())];
      expect([tool.name, errorCode(mcp), rest.status]).toEqual([tool.name, "INVALID_REQUEST", 400]);
      expect(mcp.status).toBe(200);
      expect(mcp.body).toEqual(rest.body);
      expect(mcp.body.context).toEqual({ id: tool.name });
      const error = asObject(mcp.body.adcp_error);
      const [issue] = asList(error.issues);
      expect(issue).toMatchObject({ pointer: expect.stringMatching(/^\//), message: expect.any(String), keyword: expect.any(String) });
      expect(error).toMatchObject({ recovery: "correctable", field: expect.any(String), suggestion: expect.any(String) });
    }
    const union = await callMcp("sync_creatives", { idempotency_key: newKey(), account: { brand: { domain: "a.example" } }, creatives: [imageCreative("c", { assets: { image: { asset_type: "image", url: "https://a.example/x.png" } } })] }, caller());
    expect(asList(asObject(union.body.adcp_error).issues).map(({ pointer }) => pointer).sort()).toEqual(["/account/operator", "/creatives/0/assets/image/height", "/creatives/0/assets/image/width"]);
  });

  test("changes without a key, or with one of another form, are refused", async () => {
    for (const tool of TOOLS.filter(({ kind }) => kind === "mutation")) {
      const answer = await callMcp(tool.name, { account: BRAND_ACCOUNT, context: {} }, caller());
      expect([tool.name, errorCode(answer)]).toEqual([tool.name, "INVALID_REQUEST"]);
      expect(asList(asObject(answer.body.adcp_error).issues).map(({ pointer }) => pointer)).toContain("/idempotency_key");
    }
  });

  test("unknown and foreign ids answer byte for byte alike, and repeat no id", async () => {
    const other = await createBuyer(first.tenantId);
    const opened = await callMcp("sync_accounts", { idempotency_key: newKey(), accounts: [{ ...BRAND_ACCOUNT, billing: "operator" }] }, { token: other.token });
    const foreign = String(asList(opened.body.accounts)[0]?.account_id);
    const unknown = `${foreign.slice(0, -4)}0000`;
    const probes: [string, (id: string) => Record<string, unknown>][] = [
      ["list_creatives", (id) => ({ account: { account_id: id } })],
      ["get_products", (id) => ({ account: { account_id: id } })],
      ["get_media_buys", (id) => ({ account: { account_id: id } })],
      ["sync_creatives", (id) => ({ idempotency_key: newKey(), account: { account_id: id }, creatives: [imageCreative("c")] })],
    ];
    for (const [tool, input] of probes) {
      for (const call of [callMcp, callRest]) {
        const answers = [];
        for (const id of [foreign, unknown, "acc_x", "nonsense"]) answers.push(await call(tool, input(id), caller()));
        expect([tool, errorCode(answers[0] ?? { status: 0, headers: new Headers(), isError: false, body: {} })]).toEqual([tool, "ACCOUNT_NOT_FOUND"]);
        expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
        expect(JSON.stringify(answers[0]?.body)).not.toContain("acc_");
      }
    }
  });
});

describe("discovery", () => {
  test("signing keys and protected-resource metadata", async () => {
    expect(await readObject(await send("/.well-known/jwks.json", { method: "GET" }))).toEqual({ keys: [] });
    const metadata = await readObject(await send("/.well-known/oauth-protected-resource", { method: "GET" }));
    expect(metadata).toMatchObject({ resource: DOOR_URL, bearer_methods_supported: ["header"] });
    // There is no authorization server, so the door itself claims none.
    await expect(send("/.well-known/oauth-protected-resource/mcp", { method: "GET" })).rejects.toThrow("not a buyer's path");
    expect((await send("/.well-known/jwks.json", { method: "POST" })).status).toBe(405);
    await expect(send("/.well-known/elsewhere", { method: "GET" })).rejects.toThrow("not a buyer's path");
  });
});
