import { signRequest } from "@adcp/sdk/signing/client";
import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callMcp, callRest, DOOR_URL, errorCode, send } from "@/test/fixtures/door";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";

import { KIT_KEYS } from "../buyers/kit-keys";
import { buyerSigningKeys } from "../buyers/schema";
import { withTenant } from "../db/client";
import { newId } from "../ids";

useTestDatabase();
beforeAll(() => {
  process.env.DEMO = "0";
});

test("tokens of the demo open nothing outside it, even when a row for one exists", async () => {
  const publisher = await createPublisher({ token: "demo-acme-outdoor-v1" });
  const real = await createBuyer(publisher.tenantId);
  for (const call of [callMcp, callRest]) {
    const answer = await call("list_accounts", {}, { token: publisher.token });
    expect([answer.status, errorCode(answer)]).toEqual([401, "AUTH_REQUIRED"]);
    expect((await call("list_accounts", {}, { token: real.token })).status).toBe(200);
  }
});

test("nor do the compliance kit's keys, whose private halves everybody knows", async () => {
  const { tenantId, principal } = await createPublisher();
  const [kit] = KIT_KEYS;
  if (!kit) throw new Error("There is no kit key.");
  await withTenant(tenantId, (tx) => tx.insert(buyerSigningKeys).values({ tenantId, id: newId(), principalId: principal.id, kid: kit.kid, publicJwk: { ...kit } }));
  const privateKey = { kty: kit.kty, crv: kit.crv, kid: kit.kid, x: kit.x, d: "A_rC9vrZ2D1xJWLBXGdRW7CYLAh_f83Gqv8nhly7N2M" };
  const call = async () => {
    const { headers } = signRequest({ method: "POST", url: `${DOOR_URL}/api/v1/list_accounts`, headers: { "content-type": "application/json" }, body: "{}" }, { keyid: kit.kid, alg: "ed25519", privateKey }, {});
    const response = await send("/api/v1/list_accounts", { method: "POST", body: "{}" }, { headers });
    return [response.status, response.headers.get("www-authenticate")];
  };
  expect(await call()).toEqual([401, 'Signature error="request_signature_key_unknown"']);
});
