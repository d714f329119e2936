import { randomUUID } from "node:crypto";
import { signRequest } from "@adcp/sdk/signing/client";
import { expect, test } from "@playwright/test";
import { KIT_KEYS } from "@/lib/buyers/kit-keys";
import { callTool, orderRequest, type Reply } from "@/test/buyer";
import { startWebProcess } from "@/test/web-process";
import { dataDir, stackUrl } from "./support/addresses";

const TOKEN = "demo-acme-outdoor-v1";
/** Of the compliance kit; everybody knows it. */
const KIT_PRIVATE_KEY = "A_rC9vrZ2D1xJWLBXGdRW7CYLAh_f83Gqv8nhly7N2M";

let second: Awaited<ReturnType<typeof startWebProcess>>;
test.beforeAll(async () => {
  second = await startWebProcess(dataDir(), stackUrl());
});
test.afterAll(() => second.stop());

test("fifty identical orders at once over two web processes are one order with one answer", async () => {
  const account = { brand: { domain: `fifty-${randomUUID()}.example` }, operator: "pinnacle-agency.example", sandbox: true };
  const key = `fifty-${randomUUID()}`;
  const request = { ...orderRequest(key, [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 900 }]), account, brand: account.brand, context: { trace: "fifty" } };
  const urls = [stackUrl(), second.url];
  const send = (index: number): Promise<Reply> => callTool(urls[index % 2] ?? "", TOKEN, "create_media_buy", request);
  const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => send(index)));

  const answered = replies.filter(({ status }) => status === 200).map(({ body }) => body);
  const running = replies.filter(({ status }) => status !== 200).map(({ status, body }) => [status, (body.adcp_error as { code: string }).code]);
  expect(running).toEqual(running.map(() => [503, "SERVICE_UNAVAILABLE"]));
  expect(answered.filter(({ replayed }) => replayed !== true)).toHaveLength(1);
  const withoutMark = answered.map(({ replayed: _replayed, ...rest }) => JSON.stringify(rest));
  expect([...new Set(withoutMark)]).toHaveLength(1);
  expect(answered[0]).toMatchObject({ idempotency_key: key, context: { trace: "fifty" } });

  const { body } = await callTool(stackUrl(), TOKEN, "get_media_buys", { account, status_filter: ["pending_creatives", "pending_start", "active", "paused"] });
  expect((body.media_buys as { media_buy_id: string }[]).map(({ media_buy_id }) => media_buy_id)).toEqual([answered[0]?.media_buy_id]);
  for (const url of urls) {
    const again = await callTool(url, TOKEN, "create_media_buy", request);
    expect(JSON.stringify({ ...again.body, replayed: undefined })).toBe(withoutMark[0]);
  }
});

test("a signed request is accepted once, whichever process sees it", async () => {
  const [kit] = KIT_KEYS;
  if (!kit) throw new Error("There is no kit key.");
  const path = "/api/v1/list_accounts";
  const key = { keyid: kit.kid, alg: "ed25519" as const, privateKey: { kty: kit.kty, crv: kit.crv, kid: kit.kid, x: kit.x, d: KIT_PRIVATE_KEY } };
  const { headers } = signRequest({ method: "POST", url: `${stackUrl()}${path}`, headers: { "content-type": "application/json" }, body: "{}" }, key, { coverContentDigest: true });
  const replies = await Promise.all([stackUrl(), second.url, stackUrl(), second.url].map((url) => fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: "{}" })));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  expect(replies.filter(({ status }) => status === 401).map((reply) => reply.headers.get("www-authenticate"))).toEqual(Array.from({ length: 3 }, () => 'Signature error="request_signature_replayed"'));
});
