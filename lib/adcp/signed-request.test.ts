import { generateKeyPairSync, randomBytes } from "node:crypto";
import { signRequest, type SignerKey } from "@adcp/sdk/signing/client";
import { and, eq, sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { useTestDatabase } from "@/test/db";
import { asObject, BRAND_ACCOUNT, callMcp, DOOR_URL, newKey, readObject, send } from "@/test/fixtures/door";
import { createBuyer, createPublisher, mapHost, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff } from "@/test/staff";
import { registerSigningKeys, revokeSigningKey } from "../buyers/key-service";
import { KIT_KEYS } from "../buyers/kit-keys";
import { loadPrincipal } from "../buyers/queries";
import { buyerSigningKeys, principals } from "../buyers/schema";
import { archivePrincipal } from "../buyers/service";
import { withTenant, withWorkerRole } from "../db/client";
import { expireSignatureNonces } from "../housekeeping";
import { newId } from "../ids";

const database = useTestDatabase();

type Signer = { key: SignerKey; publicJwk: Record<string, unknown> };

function makeSigner(kid = `key-${newId()}`, curve: "Ed25519" | "P-256" = "Ed25519"): Signer {
  const pair = curve === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = z.looseObject({ kty: z.string() }).parse(pair.privateKey.export({ format: "jwk" }));
  return {
    key: { keyid: kid, alg: curve === "Ed25519" ? "ed25519" : "ecdsa-p256-sha256", privateKey: { ...jwk, kid } },
    publicJwk: { ...pair.publicKey.export({ format: "jwk" }), kid, alg: curve === "Ed25519" ? "EdDSA" : "ES256", adcp_use: "request-signing" },
  };
}

let publisher: PublisherFixture;
let other: PublisherFixture;
let signer: Signer;
let buyer: Awaited<ReturnType<typeof createBuyer>>;

beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  await mapHost(database.adminUrl, publisher.tenantId, "sales.publisher.example");
});
beforeEach(async () => {
  ({ buyer, signer } = await makeSigningBuyer());
});

async function makeSigningBuyer(isSandbox = true) {
  const made = await createBuyer(publisher.tenantId, { name: `Agency ${newId()}`, isSandbox });
  const madeSigner = makeSigner();
  await register(publisher.tenantId, made.principal.id, madeSigner);
  return { buyer: made, signer: madeSigner };
}

const register = (tenantId: string, principalId: string, { publicJwk }: Signer) => asStaff(tenantId, "admin", (ctx) => registerSigningKeys(ctx, { principalId, keys: JSON.stringify(publicJwk) }));

type SignOptions = { by?: Signer; url?: string; host?: string; token?: string; nonce?: string; coverDigest?: boolean; now?: number; windowSeconds?: number; change?: (headers: Record<string, string>) => Record<string, string>; sentBody?: string };

/** A tool over MCP or REST in a signed request. */
async function callSigned(tool: string, input: Record<string, unknown>, { by = signer, url = `${DOOR_URL}/mcp`, host, token, nonce, coverDigest = true, now, windowSeconds, change = (headers) => headers, sentBody }: SignOptions = {}) {
  const path = new URL(url).pathname;
  const body = path === "/mcp" ? JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: input } }) : JSON.stringify(input);
  const { headers } = signRequest({ method: "POST", url, headers: { "content-type": "application/json" }, body }, by.key, { coverContentDigest: coverDigest, nonce, windowSeconds, ...(now === undefined ? {} : { now: () => now }) });
  const response = await send(path, { method: "POST", body: sentBody ?? body }, { token, host: host ?? new URL(url).host, headers: change(headers) });
  return { status: response.status, challenge: response.headers.get("www-authenticate"), body: await readObject(response) };
}

const refusal = async (call: ReturnType<typeof callSigned>) => {
  const { status, challenge } = await call;
  return [status, challenge];
};
const refused = (code: string) => [401, `Signature error="${code}"`];
const accounts = (options: SignOptions = {}) => callSigned("list_accounts", {}, options);
const outcome = ({ body }: { body: Record<string, unknown> }) => asObject(asObject(body.result).structuredContent);

describe("a signed request", () => {
  test("needs no token: its key is the buyer, over MCP and REST, with and without the body's digest", async () => {
    for (const coverDigest of [true, false]) for (const url of [`${DOOR_URL}/mcp`, `${DOOR_URL}/api/v1/list_accounts`]) expect((await accounts({ coverDigest, url })).status).toBe(200);
    const opened = await callSigned("sync_accounts", { idempotency_key: newKey(), accounts: [{ ...BRAND_ACCOUNT, billing: "operator" }] });
    expect(opened.status).toBe(200);
    expect((await callMcp("list_accounts", {}, { token: buyer.token })).body.accounts).toEqual(outcome(await accounts()).accounts);
  });

  test("may be signed by a P-256 key, and identifies the caller of initialize and tools/list as well", async () => {
    const by = makeSigner(undefined, "P-256");
    await register(publisher.tenantId, buyer.principal.id, by);
    expect((await accounts({ by })).status).toBe(200);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const { headers } = signRequest({ method: "POST", url: `${DOOR_URL}/mcp`, headers: { "content-type": "application/json" }, body }, by.key, {});
    expect((await send("/mcp", { method: "POST", body }, { headers })).status).toBe(200);
    expect((await send("/mcp", { method: "POST", body }, { headers })).status).toBe(401);
  });

  test("works over A2A, once; webhook credentials beside a call are refused unsigned there as well", async () => {
    const message = (extra: Record<string, unknown> = {}) => JSON.stringify({
      jsonrpc: "2.0", id: 1, method: "message/send", params: { message: { kind: "message", messageId: newId(), role: "user", parts: [{ kind: "data", data: { skill: "list_accounts", input: {} } }] }, ...extra },
    });
    const body = message();
    const { headers } = signRequest({ method: "POST", url: `${DOOR_URL}/a2a`, headers: { "content-type": "application/json" }, body }, signer.key, { coverContentDigest: true });
    const first = await send("/a2a", { method: "POST", body }, { headers });
    expect([first.status, asObject(asObject((await readObject(first)).result).status).state]).toEqual([200, "completed"]);
    const again = await send("/a2a", { method: "POST", body }, { headers });
    expect([again.status, again.headers.get("www-authenticate")]).toEqual(refused("request_signature_replayed"));
    const receiver = { pushNotificationConfig: { url: "https://buyer.example/hook", authentication: { schemes: ["Bearer"], credentials: "a-secret-of-more-than-32-characters" } } };
    const unsigned = await send("/a2a", { method: "POST", body: message({ configuration: receiver }) }, { token: buyer.token });
    expect([unsigned.status, unsigned.headers.get("www-authenticate")]).toEqual(refused("request_signature_required"));
  });

  test("may be a read by address: the query is signed with it", async () => {
    const read = (signedUrl: string, sentPath: string) => send(sentPath, { method: "GET" }, { headers: signRequest({ method: "GET", url: signedUrl, headers: {} }, signer.key, {}).headers });
    expect((await read(`${DOOR_URL}/api/v1/accounts?max_results=1`, "/api/v1/accounts?max_results=1")).status).toBe(200);
    const changed = await read(`${DOOR_URL}/api/v1/accounts?max_results=1`, "/api/v1/accounts?max_results=2");
    expect([changed.status, changed.headers.get("www-authenticate")]).toEqual(refused("request_signature_invalid"));
  });

  test("with a token must be the same buyer's, and is bound by the token's permissions", async () => {
    expect((await accounts({ token: buyer.token })).status).toBe(200);
    const rival = await createBuyer(publisher.tenantId, { name: "Rival" });
    expect(await refusal(accounts({ token: rival.token }))).toEqual(refused("request_signature_key_unknown"));
    expect(await refusal(accounts({ token: other.token }))).toEqual(refused("request_signature_key_unknown"));
    const { status, challenge } = await accounts({ token: "gl_nobody" });
    expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
  });

  test("is accepted once, also by a process that has not seen it, and at one address only", async () => {
    const nonce = randomBytes(16).toString("base64url");
    const now = Math.floor(Date.now() / 1_000);
    expect((await accounts({ nonce, now })).status).toBe(200);
    expect(await refusal(accounts({ nonce, now }))).toEqual(refused("request_signature_replayed"));
    expect(await refusal(accounts({ nonce, now: now - 5, coverDigest: false }))).toEqual(refused("request_signature_replayed"));
    expect((await callSigned("list_accounts", {}, { nonce, url: `${DOOR_URL}/api/v1/list_accounts` })).status).toBe(200);
  });

  test("sent twenty times at once runs once", async () => {
    const nonce = randomBytes(16).toString("base64url");
    const now = Math.floor(Date.now() / 1_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refusal(accounts({ nonce, now }))));
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1);
    expect(answers.filter(([status]) => status !== 200)).toEqual(Array.from({ length: 19 }, () => refused("request_signature_replayed")));
  });

  test("of a sandbox key is refused beyond 100 within a minute; other keys are not", async () => {
    const { buyer: noisy, signer: by } = await makeSigningBuyer();
    const [key] = (await asStaff(publisher.tenantId, "viewer", (ctx) => loadPrincipal(ctx, noisy.principal.id))).keys;
    const fill = (age: string) => withWorkerRole((tx) => tx.execute(sql`insert into signature_nonces (key_id, nonce_hash, created_at, expires_at) select ${key?.id}, sha256(convert_to(${age} || n, 'UTF8')), now() - ${age}::interval, now() + interval '5 minutes' from generate_series(1, 99) n`));
    await fill("61 seconds");
    await fill("10 seconds");
    expect((await accounts({ by })).status).toBe(200);
    expect(await refusal(accounts({ by }))).toEqual(refused("request_signature_rate_abuse"));
    expect((await accounts()).status).toBe(200);
    const live = await makeSigningBuyer(false);
    expect((await accounts({ by: live.signer })).status).toBe(200);
  });
});

describe("a broken signature", () => {
  test.each<[string, string, SignOptions]>([
    ["half of the headers", "request_signature_header_malformed", { change: ({ Signature: _signature, ...rest }) => rest }],
    ["the other half", "request_signature_header_malformed", { change: ({ "Signature-Input": _input, ...rest }) => rest }],
    ["headers beyond all measure", "request_signature_header_malformed", { change: (headers) => ({ ...headers, "Signature-Input": `${headers["Signature-Input"]}, sig2=("${"x".repeat(5_000)}")` }) }],
    ["a nonce that can be guessed", "request_signature_header_malformed", { nonce: "YWJj" }],
    ["a window that is over", "request_signature_window_invalid", { now: Math.floor(Date.now() / 1_000) - 600, windowSeconds: 300 }],
    ["a body that was changed", "request_signature_digest_mismatch", { sentBody: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_products", arguments: {} } }) }],
    ["an address that is not ours", "request_signature_invalid", { url: "https://seller.evil.example/mcp", host: "127.0.0.1:3000" }],
    ["an address that is not ours, and its host", "request_signature_invalid", { url: "https://seller.evil.example/mcp" }],
    ["another tool's address", "request_signature_invalid", { url: `${DOOR_URL}/api/v1/list_accounts?limit=1`, change: (headers) => headers }],
  ])("%s is refused, and no token makes up for it", async (_what, code, options) => {
    const target = options.url?.includes("?") ? { ...options, url: `${DOOR_URL}/api/v1/list_accounts`, change: () => signRequest({ method: "POST", url: options.url ?? "", headers: { "content-type": "application/json" }, body: "{}" }, signer.key, {}).headers } : options;
    expect(await refusal(accounts(target))).toEqual(refused(code));
    expect(await refusal(accounts({ ...target, token: buyer.token }))).toEqual(refused(code));
  });

  test("by somebody else under a known key id is refused before its nonce is noted", async () => {
    const thief = makeSigner(signer.key.keyid);
    const nonce = randomBytes(16).toString("base64url");
    expect(await refusal(accounts({ by: thief, nonce }))).toEqual(refused("request_signature_invalid"));
    expect((await accounts({ nonce })).status).toBe(200);
  });

  test("by a key of the other kind under a known key id is refused as such", async () => {
    expect(await refusal(accounts({ by: makeSigner(signer.key.keyid, "P-256") }))).toEqual(refused("request_signature_key_purpose_invalid"));
  });

  test("unknown, archived and revoked keys: only a revoked one is told apart, with a token too", async () => {
    expect(await refusal(accounts({ by: makeSigner() }))).toEqual(refused("request_signature_key_unknown"));
    const gone = await makeSigningBuyer();
    await asStaff(publisher.tenantId, "admin", (ctx) => archivePrincipal(ctx, { id: gone.buyer.principal.id }));
    expect(await refusal(accounts({ by: gone.signer }))).toEqual(refused("request_signature_key_unknown"));
    const [key] = (await asStaff(publisher.tenantId, "viewer", (ctx) => loadPrincipal(ctx, buyer.principal.id))).keys;
    await asStaff(publisher.tenantId, "admin", (ctx) => revokeSigningKey(ctx, { keyId: key?.id ?? "" }));
    expect(await refusal(accounts())).toEqual(refused("request_signature_key_revoked"));
    expect(await refusal(accounts({ token: buyer.token }))).toEqual(refused("request_signature_key_revoked"));
    expect((await callMcp("list_accounts", {}, { token: buyer.token })).status).toBe(200);
  });
});

describe("hosts and publishers", () => {
  const mapped = { url: "http://sales.publisher.example/mcp" };

  test("at a mapped host the signature is for that host, and the key that publisher's", async () => {
    expect((await accounts(mapped)).status).toBe(200);
    expect(await refusal(accounts({ url: `${DOOR_URL}/mcp`, host: "sales.publisher.example" }))).toEqual(refused("request_signature_invalid"));
    const foreign = makeSigner();
    await register(other.tenantId, other.principal.id, foreign);
    expect(await refusal(accounts({ ...mapped, by: foreign }))).toEqual(refused("request_signature_key_unknown"));
    expect((await accounts({ by: foreign })).status).toBe(200);
  });

  test("a key id that two publishers know means whoever's key signed; the same key at both, whoever's token or host says", async () => {
    const taken = makeSigner(signer.key.keyid);
    await register(other.tenantId, other.principal.id, taken);
    expect(outcome(await accounts())).toEqual((await callMcp("list_accounts", {}, { token: buyer.token })).body);
    expect((await accounts({ by: taken })).status).toBe(200);
    const shared = makeSigner();
    const twin = await createBuyer(other.tenantId, { name: `Agency ${newId()}` });
    await register(publisher.tenantId, buyer.principal.id, shared);
    await register(other.tenantId, twin.principal.id, shared);
    expect(await refusal(accounts({ by: shared }))).toEqual(refused("request_signature_key_unknown"));
    expect((await accounts({ by: shared, ...mapped })).status).toBe(200);
    expect((await accounts({ by: shared, token: twin.token })).status).toBe(200);
  });

  test("keys whose private half is public belong to the demo", async () => {
    const kit = KIT_KEYS[0];
    await withTenant(publisher.tenantId, (tx) => tx.insert(buyerSigningKeys).values({ tenantId: publisher.tenantId, id: newId(), principalId: buyer.principal.id, kid: kit?.kid ?? "", publicJwk: { ...kit } }));
    const by: Signer = { key: { keyid: kit?.kid ?? "", alg: "ed25519", privateKey: { kty: "OKP", crv: "Ed25519", kid: kit?.kid ?? "", x: kit?.x, d: "A_rC9vrZ2D1xJWLBXGdRW7CYLAh_f83Gqv8nhly7N2M" } }, publicJwk: {} };
    expect((await accounts({ by })).status).toBe(200);
  });
});

describe("where a signature is demanded", () => {
  const order = (extra: Record<string, unknown> = {}) => ({ idempotency_key: newKey(), accounts: [{ ...BRAND_ACCOUNT, billing: "operator" }], ...extra });
  const credentials = { push_notification_config: { url: "https://buyer.example/hook", authentication: { schemes: ["HMAC-SHA256"], credentials: "a-shared-secret-of-32-characters!" } } };

  test("a buyer whom the publisher asked to sign changes nothing without; it may still read", async () => {
    await withTenant(publisher.tenantId, (tx) => tx.update(principals).set({ isSigningRequired: true }).where(and(eq(principals.tenantId, publisher.tenantId), eq(principals.id, buyer.principal.id))));
    const unsigned = await callMcp("sync_accounts", order(), { token: buyer.token });
    expect([unsigned.status, unsigned.headers.get("www-authenticate")]).toEqual(refused("request_signature_required"));
    expect((await callMcp("list_accounts", {}, { token: buyer.token })).status).toBe(200);
    expect((await callSigned("sync_accounts", order(), { token: buyer.token })).status).toBe(200);
    const { body } = await callMcp("get_adcp_capabilities", {}, { token: buyer.token });
    expect(asObject(body.request_signing)).toMatchObject({ supported: true, required_for: expect.arrayContaining(["create_media_buy", "update_media_buy", "sync_creatives"]) });
    expect(asObject((await callMcp("get_adcp_capabilities", {})).body.request_signing).required_for).toEqual([]);
  });

  test("webhook credentials of a buyer with a key come in signed requests only; a buyer without one may send them", async () => {
    const unsigned = await callMcp("sync_accounts", order(credentials), { token: buyer.token });
    expect([unsigned.status, unsigned.headers.get("www-authenticate")]).toEqual(refused("request_signature_required"));
    expect((await callSigned("sync_accounts", order(credentials))).status).toBe(200);
    const plain = await createBuyer(publisher.tenantId, { name: `Agency ${newId()}` });
    expect((await callMcp("sync_accounts", order(credentials), { token: plain.token })).status).toBe(200);
  });

  test("whoever presents nothing, or a token that is not valid, learns of both ways in", async () => {
    for (const token of [undefined, "gl_nobody"]) {
      const { status, headers } = await callMcp("create_media_buy", {}, { token });
      expect([status, headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^Bearer realm="[^"]+".*, Signature error="request_signature_required"$/)]);
    }
  });
});

test("nonces are forgotten when nobody could present them again", async () => {
  await expireSignatureNonces();
  await accounts();
  const countAll = async () => (await withWorkerRole((tx) => tx.execute<{ n: number }>(sql`select count(*)::int as n from signature_nonces`)))[0]?.n ?? 0;
  const before = await countAll();
  await expireSignatureNonces();
  expect(await countAll()).toBe(before);
  await withWorkerRole((tx) => tx.execute(sql`update signature_nonces set expires_at = now() - interval '1 second'`));
  expect(await expireSignatureNonces()).toBe(before);
  expect(await countAll()).toBe(0);
});
