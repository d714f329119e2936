import { once } from "node:events";
import { request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, imageCreative, newKey } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createBoundedServer } from "../http/bounded-server";
import { sendFetchResponse, toFetchRequest } from "../http/node-adapter";
import { handleBuyerRequest } from "./http";

/** What somebody with bad intentions sends to the buyer's door, over real sockets: bytes that no client library would send. */
const database = useTestDatabase();
const PATIENCE = { headersTimeout: 400, requestTimeout: 800, keepAliveTimeout: 1_000, connectionsCheckingInterval: 50 };
let publisher: PublisherFixture;
let other: { token: string };
let admin: postgres.Sql;
let server: Server;
/** The same to those who take their time: for everybody else this is too little where the machine is busy. */
let impatient: Server;
let port: number;
const logged: string[] = [];

beforeAll(async () => {
  Object.assign(process.env, { BUYER_WRITES_PER_SECOND: "1000000", LOG_LEVEL: "debug" });
  publisher = await createPublisher();
  other = await createBuyer(publisher.tenantId, { name: "Other" });
  admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => logged.push(String(chunk)) > 0);
  // As server.ts answers buyers.
  const answer: Parameters<typeof createBoundedServer>[0] = async (request, response) => {
    const reply = await handleBuyerRequest(await toFetchRequest(request, "http://127.0.0.1:3000"));
    await sendFetchResponse(response, reply ?? new Response(null, { status: 404 }));
  };
  server = createBoundedServer(answer);
  impatient = createBoundedServer(answer, PATIENCE);
  for (const each of [server, impatient]) await once(each.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  vi.restoreAllMocks();
  for (const each of [server, impatient]) {
    each.closeAllConnections();
    each.close();
  }
  await admin.end();
});

type Answer = { status: number; text: string; headers: Record<string, unknown> };

/** Everything as given: no header is added but the token, the type and what framing needs. */
function send(path: string, body: string | Buffer, headers: Record<string, string> = {}, method = "POST"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port, path, method, agent: false, headers: { authorization: `Bearer ${publisher.token}`, "content-type": "application/json", ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), headers: response.headers }));
    });
    call.on("error", reject);
    call.end(body);
  });
}

const rest = (tool: string, input: unknown, headers: Record<string, string> = {}) => send(`/api/v1/${tool}`, typeof input === "string" ? input : JSON.stringify(input), headers);
const codeOf = ({ text }: Answer) => String(asObject(asObject(JSON.parse(text)).adcp_error).code);

/** What calls leave behind whatever they say. */
const LEFT_BY_EVERY_CALL = ["buyer_calls", "rate_buckets", "principal_tokens", "proposals", "creative_previews"];

async function stored(): Promise<unknown> {
  const tables = await admin<{ name: string }[]>`select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`;
  const parts = tables.filter(({ name }) => !LEFT_BY_EVERY_CALL.includes(name)).map(({ name }) => `select '${name}' as name, count(*) as rows, coalesce(sum(hashtext(t::text)::bigint), 0) as sum from "${name}" t`);
  return [...(await admin.unsafe(parts.join(" union all ")))].map(({ name, rows, sum }) => `${name}: ${rows}, ${sum}`);
}

/** Nothing was stored by it, and the door still answers. */
async function harmless<T>(attack: () => Promise<T>): Promise<T> {
  const before = await stored();
  const result = await attack();
  expect(await stored()).toEqual(before);
  expect((await rest("get_adcp_capabilities", {})).status).toBe(200);
  return result;
}

const order = (more: Record<string, unknown> = {}, item: Record<string, unknown> = {}) => ({
  idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: { domain: "acmeoutdoor.example" }, start_time: days(2, new Date()), end_time: days(32, new Date()),
  packages: [{ product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 1_000, ...item }], ...more,
});
/** The order with `budget` written as given, which JSON.stringify would not write. */
const orderWith = (budget: string) => JSON.stringify(order({}, { budget: "@@" })).replace('"@@"', budget);

describe("who calls", () => {
  test("two tokens that differ are nobody's; the same one twice is its buyer's", async () => {
    const two = await harmless(() => rest("list_accounts", {}, { "x-adcp-auth": other.token }));
    expect([two.status, codeOf(two)]).toEqual([401, "AUTH_REQUIRED"]);
    expect((await rest("list_accounts", {}, { "x-adcp-auth": publisher.token })).status).toBe(200);
    expect((await rest("list_accounts", {}, { authorization: "", "x-adcp-auth": publisher.token })).status).toBe(401);
  });

  test("no address in any answer comes from the caller's Host or X-Forwarded headers", async () => {
    const forged = { host: "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", forwarded: "host=evil.example", "x-original-host": "evil.example" };
    const answers = [
      ...(await Promise.all(["get_adcp_capabilities", "get_products", "list_creative_formats", "list_accounts", "list_authorized_properties"].map((tool) => rest(tool, {}, forged)))),
      await rest("preview_creative", { request_type: "single", creative_manifest: imageCreative("p") }, forged),
      ...(await Promise.all(["/.well-known/agent-card.json", "/.well-known/agent.json", "/.well-known/adagents.json", "/.well-known/jwks.json", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/api/v1/openapi.json", "/mcp", "/a2a"].map((path) => send(path, "", forged, "GET")))),
      await rest("list_accounts", {}, { ...forged, authorization: "Bearer nobody" }),
      await send("/mcp", "{}", { ...forged, authorization: "Bearer nobody" }),
    ];
    for (const { text, headers } of answers) expect(`${text} ${JSON.stringify(headers)}`).not.toContain("evil.example");
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(6);
  });
});

describe("JSON that readers disagree about", () => {
  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])("the key %s is data like any other, and reaches nothing", async (key) => {
    await harmless(async () => {
      const poison = `"${key}":{"isSandbox":true,"polluted":"yes","type":"object"}`;
      for (const tool of ["get_products", "list_accounts", "get_media_buys", "list_creatives"]) {
        const { status } = await rest(tool, `{${poison},"filters":{${poison}},"account":{${poison}},"context":{${poison}}}`);
        expect([200, 400, 403, 404, 422]).toContain(status);
      }
      const called = await send("/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${key}","arguments":{${poison}}}}`);
      expect(asObject(asObject(JSON.parse(called.text)).error).code).toBe(-32_601);
      expect((await rest(key, {})).status).toBe(404);
      expect((await rest("update_media_buy", `{${poison},"idempotency_key":"${newKey()}","media_buy_id":"mb_x","account":{"account_id":"${key}"}}`)).status).toBeGreaterThanOrEqual(400);
    });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("assets and targeting under such keys are refused or kept as data", async () => {
    const sent = JSON.stringify({ idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("proto")] }).replace('"assets":{', '"assets":{"__proto__":{"asset_type":"image","url":"https://a.example/x.png"},');
    const answer = await rest("sync_creatives", sent);
    expect([200, 400, 422]).toContain(answer.status);
    expect((await rest("list_creatives", {})).status).toBe(200);
  });

  test("of a key that comes twice the last one counts, for the idempotency key's hash too", async () => {
    const key = newKey();
    const twice = (first: number, last: number) => JSON.stringify({ ...order(), idempotency_key: key, start_time: "2030-01-01T00:00:00Z", end_time: "2030-02-01T00:00:00Z" }).replace('"budget":1000', `"budget":${first},"budget":${last}`);
    const made = await rest("create_media_buy", twice(1, 1_000));
    expect(asList(asObject(JSON.parse(made.text)).packages)[0]?.budget).toBe(1_000);
    const again = asObject(JSON.parse((await rest("create_media_buy", twice(1_000, 1_000))).text));
    expect(again).toMatchObject({ replayed: true, media_buy_id: asObject(JSON.parse(made.text)).media_buy_id });
    expect(codeOf(await rest("create_media_buy", twice(1_000, 999)))).toBe("IDEMPOTENCY_CONFLICT");
  });

  test.each(["1e400", "-1e400", "-0", "0", "-0.0", "9007199254740993", "1e300", "1e-9", "0.0000001", "1e18", '"1000"', "NaN", "Infinity", "0x10", "01000", "[1000]", "null"])("%s is no budget", async (budget) => {
    const answer = await harmless(() => rest("create_media_buy", orderWith(budget)));
    expect([400, 422]).toContain(answer.status);
    expect(codeOf(answer)).toMatch(/^(INVALID_REQUEST|VALIDATION_ERROR|BUDGET_TOO_LOW|BUDGET_EXCEEDED|BUDGET_TOO_HIGH)$/);
  });

  test.each(["1e400", "9007199254740993", "-0", "-1", "1e300", "1.5"])("%s as goal, cap, weight or version is refused or harmless", async (number) => {
    await harmless(async () => {
      for (const item of [{ impressions: "@@" }, { bid_price: "@@" }, { targeting_overlay: { frequency_cap: { max_impressions: "@@", per: "devices", window: { interval: 1, unit: "days" } } } }]) {
        const dry = JSON.stringify(order({ packages: [{ product_id: "unknown", pricing_option_id: "cpm_usd_fixed", budget: 1_000, ...item }] })).replace('"@@"', number);
        expect((await rest("create_media_buy", dry)).status).toBeGreaterThanOrEqual(400);
      }
      for (const input of [`{"pagination":{"max_results":${number}}}`, `{"filters":{"min_exposures":${number}}}`, `{"time_budget":{"interval":${number},"unit":"seconds"}}`]) {
        for (const tool of ["get_products", "list_creatives", "get_media_buys"]) expect([200, 400, 422]).toContain((await rest(tool, input)).status);
      }
      expect((await rest("update_media_buy", `{"idempotency_key":"${newKey()}","account":{"brand":{"domain":"acmeoutdoor.example"}},"media_buy_id":"mb_00000000000000000000000000","revision":${number},"paused":true}`)).status).toBeGreaterThanOrEqual(400);
    });
  });

  test("nesting of 10,000 levels ends in a typed error on every transport", async () => {
    await harmless(async () => {
      for (const deep of ["[".repeat(10_000) + "]".repeat(10_000), '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000), "[".repeat(10_000)]) {
        const answer = await rest("get_products", `{"context":${deep}}`);
        expect([answer.status, codeOf(answer)]).toEqual([400, "INVALID_REQUEST"]);
        for (const path of ["/mcp", "/a2a"]) expect((await send(path, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${deep}}`)).status).toBe(400);
      }
    });
  });
});

describe("ids", () => {
  test.each([["zero width", "homepage\u200b_display"], ["a word joiner", "\u2060homepage_display"], ["NFD", "cafe\u0301"], ["full width", "ｈomepage_display"], ["right to left", "\u202eyalpsid"], ["upper case", "HOMEPAGE_DISPLAY"], ["blank", " homepage_display "], ["10k", "x".repeat(10_000)], ["NUL", "homepage\u0000"]])("%s in an id finds nothing", async (_what, id) => {
    await harmless(async () => {
      expect((await rest("create_media_buy", order({}, { product_id: id }))).status).toBeGreaterThanOrEqual(400);
      expect((await rest("create_media_buy", order({}, { pricing_option_id: id }))).status).toBeGreaterThanOrEqual(400);
      expect((await rest("create_media_buy", order({ account: { account_id: id } }))).status).toBeGreaterThanOrEqual(400);
      expect((await rest("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: id, paused: true })).status).toBeGreaterThanOrEqual(400);
      expect((await rest("tasks_get", { task_id: id })).status).toBeGreaterThanOrEqual(400);
      for (const input of [{ media_buy_ids: [id] }, { filters: { media_buy_ids: [id] } }]) expect([200, 400]).toContain((await rest("get_media_buys", input)).status);
      expect([200, 400]).toContain((await rest("list_creatives", { filters: { creative_ids: [id] } })).status);
    });
  });

  test("the composed and the decomposed form of a creative's id are two ids, and neither takes the other's place", async () => {
    const sent = await rest("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("a", { creative_id: "caf\u00e9", name: "Composed" }), imageCreative("b", { creative_id: "cafe\u0301", name: "Decomposed" })] });
    const results = asList(asObject(JSON.parse(sent.text)).creatives);
    expect(results.map(({ action }) => action)).toEqual(["created", "created"]);
    const found = asList(asObject(JSON.parse((await rest("list_creatives", { account: BRAND_ACCOUNT, filters: { creative_ids: ["cafe\u0301"] } })).text)).creatives);
    expect(found.map(({ name }) => name)).toEqual(["Decomposed"]);
  });

  test.each([["in time", "k".repeat(300)], ["NUL", `key-${"0".repeat(16)}\u0000`], ["zero width", `key-\u200b${"0".repeat(16)}`]])("an idempotency key that is not one (%s)", async (_what, key) => {
    const answer = await harmless(() => rest("create_media_buy", order({ idempotency_key: key })));
    expect([answer.status, codeOf(answer)]).toEqual([400, "INVALID_REQUEST"]);
  });
});

describe("the body and its headers", () => {
  test.each(["gzip", "deflate", "br", "zstd", "compress", "gzip, gzip"])("a body in the coding %s is not unpacked, and the sender is told", async (coding) => {
    // 20 MB of zeros in 20 kB.
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    for (const path of ["/api/v1/get_products", "/mcp", "/a2a"]) {
      const answer = await harmless(() => send(path, bomb, { "content-encoding": coding }));
      expect([path, answer.status]).toEqual([path, 415]);
      expect(answer.text).toContain("content-encoding");
    }
    expect((await send("/api/v1/get_products", "{}", { "content-encoding": "identity" })).status).toBe(200);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/json; charset=utf-16", ""])("content type %s opens nothing", async (type) => {
    await harmless(async () => {
      expect([400, 415]).toContain((await rest("create_media_buy", "--x\r\nidempotency_key=1&account=2", { "content-type": type })).status);
      expect([400, 415]).toContain((await send("/mcp", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', { "content-type": type })).status);
      // A page of another site may send such a request unasked, but without a token.
      expect((await rest("get_products", "{}", { "content-type": type, authorization: "Bearer nobody", origin: "https://evil.example" })).status).toBe(401);
    });
  });

  test.each([["UTF-16", Buffer.from('{"brief":"x"}', "utf16le")], ["broken UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])], ["a byte order mark", Buffer.from('\ufeff{"brief":"x"}')], ["nothing", ""], ["a BOM alone", "\ufeff"], ["null", "null"]])("a body of %s", async (_what, body) => {
    const { status } = await harmless(() => send("/api/v1/get_products", body));
    expect([200, 400]).toContain(status);
  });

  test.each(["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd", "get_products/../create_media_buy", "get_products%00", "%", "%ff", "..;/admin", "media_buys/..%2f..%2fapp", "//evil.example/x", "get_products%2f", ".\\..\\x"])("the path %s leads nowhere but to a tool", async (path) => {
    await harmless(async () => {
      for (const method of ["GET", "POST", "DELETE"]) {
        const { status, text } = await send(`/api/v1/${path}`, method === "GET" ? "" : "{}", {}, method);
        expect([400, 404, 405]).toContain(status);
        expect(text).not.toMatch(/root:|node_modules|\.ts\b/);
      }
      for (const prefix of ["/previews/", "/.well-known/"]) expect([400, 404, 405]).toContain((await send(`${prefix}${path}`, "", {}, "GET")).status);
    });
  });

  test("who sends headers or a body slowly is told so and disconnected, and it is no error here", async () => {
    const linger = async (first: string): Promise<string> => {
      const socket = connect((impatient.address() as AddressInfo).port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk))).on("error", () => undefined);
      socket.write(first);
      const drip = setInterval(() => socket.write("x"), 100);
      await once(socket, "close");
      clearInterval(drip);
      return text;
    };
    logged.length = 0;
    const [headers, body] = await harmless(() => Promise.all([linger("POST /mcp HTTP/1.1\r\nHost: a\r\nX-Slow: "), linger("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")]));
    expect([headers, body].map((text) => text.split("\r\n")[0])).toEqual(["HTTP/1.1 408 Request Timeout", "HTTP/1.1 408 Request Timeout"]);
    expect(logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test("whoever hangs up in the middle of a body is no error here", async () => {
    logged.length = 0;
    await harmless(async () => {
      const socket = connect(port, "127.0.0.1");
      socket.write("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{");
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
      await once(socket, "close");
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    expect(logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test.each([["two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"], ["length and chunks", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], ["a negative length", "Content-Length: -1\r\n\r\n"], ["chunks of a strange size", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"], ["200 kB of headers", `X-A: ${"a".repeat(200_000)}\r\n\r\n`]])("a request with %s is refused before anybody reads it", async (_what, rest) => {
    await harmless(async () => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => (text += String(chunk))).on("error", () => undefined);
      socket.write(`POST /mcp HTTP/1.1\r\nHost: a\r\n${rest}`);
      await once(socket, "close");
      expect(text.split("\r\n")[0]).toMatch(/^HTTP\/1\.1 (400|408|413|431) /);
    });
  });
});

/** Where a buyer might want our own machines to call, in every spelling. Loopback itself exists in demo mode. */
const INWARD = [
  "https://10.0.0.1/", "https://192.168.0.10/x", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data/", "http://169.254.169.254/", "https://100.64.0.1/", "https://0.0.0.0/",
  "https://167772161/", "https://0x0a000001/", "https://012.0.0.1/", "https://10.1/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/",
  "https://intranet/", "https://db.localhost/", "https://user:secret@hooks.example/", "file:///etc/passwd", "gopher://hooks.example/", "javascript:alert(1)", "http://hooks.example/", "https://１０.０.０.１/", "https://10。0。0。1/",
];

test.each(INWARD)("a buyer cannot make us call %s", async (url) => {
  await harmless(async () => {
    const refused = [
      await rest("create_media_buy", order({ push_notification_config: { url } })),
      await rest("create_media_buy", order({ reporting_webhook: { url, authentication: { schemes: ["Bearer"], credentials: "x".repeat(32) }, reporting_frequency: "daily" } })),
      await rest("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("ssrf")], push_notification_config: { url } }),
      await rest("sync_accounts", { idempotency_key: newKey(), accounts: [{ ...BRAND_ACCOUNT, billing: "operator" }], push_notification_config: { url } }),
      await rest("get_products", { property_list: { agent_url: url, list_id: "l" } }),
      await rest("create_media_buy", order({}, { targeting_overlay: { property_list: { agent_url: url, list_id: "l" } } })),
    ];
    for (const [index, answer] of refused.entries()) {
      expect([index, answer.status >= 400 && answer.status < 500]).toEqual([index, true]);
      expect(answer.text).not.toContain("secret");
    }
    const message = { jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { kind: "message", messageId: "m", role: "user", parts: [{ kind: "data", data: { skill: "create_media_buy", input: order() } }] }, configuration: { pushNotificationConfig: { url } } } };
    expect(asObject(JSON.parse((await send("/a2a", JSON.stringify(message))).text))).toHaveProperty("error");
  });
  // Answered for each account by itself, so that the answer is kept for a replay, and nothing else.
  const synced = await rest("sync_governance", { idempotency_key: newKey(), accounts: [{ account: BRAND_ACCOUNT, governance_agents: [{ url, authentication: { schemes: ["Bearer"], credentials: "x".repeat(32) } }] }] });
  if (synced.status === 200) expect(asList(asObject(JSON.parse(synced.text)).accounts)[0]?.status).toBe("failed");
  expect(await admin`select 1 from governance_agents`).toHaveLength(0);
});

test("nothing that was presented stands in the log", () => {
  expect(logged.length).toBeGreaterThan(0);
  for (const secret of [publisher.token, other.token, "secret@hooks"]) expect(logged.join("")).not.toContain(secret);
});
