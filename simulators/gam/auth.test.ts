import { createPublicKey, createSign, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectOf, objectsOf, textOf } from "./json";
import { startGamSimulator, type Simulator } from "./server";
import { admin, authHeader, NETWORK, readAnswer, type Answer } from "./test-client";

const SCOPE = "https://www.googleapis.com/auth/admanager";
let simulator: Simulator;

beforeAll(async () => {
  simulator = await startGamSimulator({ inMemory: true });
});
afterAll(() => simulator.close());

async function getNetwork(authorization: string | undefined, network = NETWORK): Promise<Answer> {
  return readAnswer(await fetch(`${simulator.url}/v1/networks/${network}`, authorization === undefined ? {} : { headers: { authorization } }));
}

function sign(claims: object, header: object = { alg: "RS256", typ: "JWT" }): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode(header)}.${encode(claims)}`;
  const signature = createSign("RSA-SHA256").update(signed).sign(simulator.serviceAccountKey(NETWORK).private_key).toString("base64url");
  return `Bearer ${signed}.${signature}`;
}

function claims(changes: object = {}): object {
  const issuer = simulator.serviceAccountKey(NETWORK).client_email;
  const now = Math.floor(Date.now() / 1000);
  return { iss: issuer, sub: issuer, scope: SCOPE, iat: now, exp: now + 3600, ...changes };
}

describe("authentication", () => {
  test("a self-signed service-account token reads its network", async () => {
    const answer = await getNetwork(await authHeader(simulator.serviceAccountKey(NETWORK)));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      name: `networks/${NETWORK}`, networkCode: NETWORK, displayName: "Demo Publisher (simulated)", currencyCode: "USD", timeZone: "America/New_York",
    });
  });

  test("the error envelope carries status, request id and correlation header", async () => {
    const answer = await getNetwork(undefined);
    expect(answer.status).toBe(401);
    const error = objectOf(answer.body, "error") ?? {};
    expect(error).toMatchObject({ code: 401, status: "UNAUTHENTICATED" });
    const info = objectsOf(error, "details").find((detail) => textOf(detail, "@type")?.endsWith("google.rpc.RequestInfo"));
    expect(info?.["requestId"]).toBe(answer.headers.get("x-goog-correlation-id"));
  });

  test.each([
    ["no token", () => undefined],
    ["not a JWT", () => "Bearer ya29.abc"],
    ["an expired token", () => sign(claims({ iat: 1_700_000_000, exp: 1_700_003_600 }))],
    ["a token that lives too long", () => sign(claims({ exp: Math.floor(Date.now() / 1000) + 7200 }))],
    ["a token from the future", () => sign(claims({ iat: Math.floor(Date.now() / 1000) + 600 }))],
    ["an unknown issuer", () => sign(claims({ iss: "nobody@example.com" }))],
    ["an unknown key id", () => sign(claims(), { alg: "RS256", kid: "0000" })],
    ["another algorithm", () => sign(claims(), { alg: "none" })],
    ["another audience", () => sign(claims({ aud: "https://storage.googleapis.com/" }))],
    ["a subject that is not the issuer", () => sign(claims({ sub: "someone@example.com" }))],
    ["a tampered payload", () => {
      const [head, , signature] = sign(claims()).split(".");
      return `${head}.${Buffer.from(JSON.stringify(claims({ exp: 9_999_999_999 }))).toString("base64url")}.${signature}`;
    }],
  ])("refuses %s with 401", async (_what, authorization) => {
    expect((await getNetwork(authorization())).status).toBe(401);
  });

  test("accepts the API's own audience beside the scope", async () => {
    expect((await getNetwork(sign(claims({ aud: "https://admanager.googleapis.com/" })))).status).toBe(200);
  });

  test("a wrong scope is 403, and the read-only scope cannot write", async () => {
    expect((await getNetwork(sign(claims({ scope: "https://www.googleapis.com/auth/drive" })))).status).toBe(403);
    const readOnly = sign(claims({ scope: `${SCOPE}.readonly` }));
    expect((await getNetwork(readOnly)).status).toBe(200);
    const write = await fetch(`${simulator.url}/v1/networks/${NETWORK}/orders:batchArchive`, { method: "POST", headers: { authorization: readOnly }, body: "{}" });
    expect(write.status).toBe(403);
  });

  test("another account's network is 403, as is one that does not exist", async () => {
    const authorization = await authHeader(simulator.serviceAccountKey(NETWORK));
    for (const network of ["21700000002", "99999999999"]) {
      const answer = await getNetwork(authorization, network);
      expect(answer.status).toBe(403);
      expect(objectOf(answer.body, "error")?.["status"]).toBe("PERMISSION_DENIED");
    }
  });

  test("the list of networks holds what the account may use", async () => {
    const authorization = await authHeader(simulator.serviceAccountKey("21700000003"));
    const answer = await readAnswer(await fetch(`${simulator.url}/v1/networks`, { headers: { authorization } }));
    expect(objectsOf(answer.body, "networks").map((network) => [network["networkCode"], network["currencyCode"]])).toEqual([["21700000003", "EUR"]]);
  });

  test("a registered account works for its networks, acts as their user, and is 401 once revoked", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const email = "second@sim.example";
    await admin(simulator.url, "POST", "/service-accounts", {
      email, publicKey: createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(), keyId: "k1", networks: [NETWORK, "21700000002"],
    });
    const authorization = await authHeader({ client_email: email, private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), private_key_id: "k1" });
    expect((await getNetwork(authorization, "21700000002")).status).toBe(200);
    expect((await getNetwork(authorization, "21700000003")).status).toBe(403);
    const me = await readAnswer(await fetch(`${simulator.url}/v1/networks/${NETWORK}/users/me`, { headers: { authorization } }));
    expect(me.body).toMatchObject({ email, serviceAccount: true, active: true });

    await admin(simulator.url, "DELETE", `/service-accounts/${email}`);
    expect((await getNetwork(authorization, "21700000002")).status).toBe(401);
  });
});
