import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, readObject, send } from "@/test/fixtures/door";
import { createPublisher, mapHost, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { publisherPartners } from "../properties/schema";
import { loadSigningKey } from "../webhooks/signing-keys";
import { compileSchema } from "./schemas";

const database = useTestDatabase();
let first: PublisherFixture;
let second: PublisherFixture;
beforeAll(async () => {
  first = await createPublisher();
  second = await createPublisher();
  await mapHost(database.adminUrl, second.tenantId, "sales.second.example");
});

const read = async (path: string, host?: string) => readObject(await send(path, { method: "GET" }, { host }));

test("adagents.json fits its schema and names, at each host, that publisher's properties and this agent's addresses there", async () => {
  await loadSigningKey(new Date());
  const validate = compileSchema("adagents");
  for (const [host, publisher, origin] of [[undefined, first, "http://127.0.0.1:3000"], ["sales.second.example", second, "http://sales.second.example"]] as const) {
    const document = await read("/.well-known/adagents.json", host);
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect(asList(document.properties).map(({ publisher_domain }) => publisher_domain)).toEqual([`${publisher.slug}.example`]);
    const agents = asList(document.authorized_agents);
    expect(agents.map(({ url }) => url)).toEqual([origin, `${origin}/mcp`, `${origin}/a2a`]);
    for (const agent of agents) expect([agent.properties, asList(agent.signing_keys).length]).toEqual([document.properties, 1]);
  }
});

test("a publisher that has named no property yet has no adagents.json", async () => {
  const { tenantId } = await createPublisher();
  await mapHost(database.adminUrl, tenantId, "sales.third.example");
  await withTenant(tenantId, (tx) => tx.update(publisherPartners).set({ archivedAt: new Date() }));
  expect((await send("/.well-known/adagents.json", { method: "GET" }, { host: "sales.third.example" })).status).toBe(404);
});

test("the protected resource is the host that was asked, with the permissions a token can have and no authorization server", async () => {
  const metadata = await read("/.well-known/oauth-protected-resource", "sales.second.example");
  expect(metadata).toMatchObject({ resource: "http://sales.second.example", bearer_methods_supported: ["header"], scopes_supported: expect.arrayContaining(["orders:write", "products:read"]), jwks_uri: "http://sales.second.example/.well-known/jwks.json" });
  expect(metadata).not.toHaveProperty("authorization_servers");
});

test("the key set says what each key is for, and holds no private half", async () => {
  const { keyid } = await loadSigningKey(new Date());
  const [key] = asList((await read("/.well-known/jwks.json")).keys);
  expect(asObject(key)).toMatchObject({ kid: keyid, kty: "OKP", crv: "Ed25519", use: "sig", key_ops: ["verify"], adcp_use: "webhook-signing" });
  expect(key).not.toHaveProperty("d");
});
