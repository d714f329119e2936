import { AgentClient } from "@adcp/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderRequest } from "@/test/buyer";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { openDoorServer } from "@/test/fixtures/door-server";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";

/** The door over real HTTP, as server.ts opens it, spoken to by the official client. */
useTestDatabase();
let publisher: PublisherFixture;
let server: Awaited<ReturnType<typeof openDoorServer>>;
let url: string;

beforeAll(async () => {
  server = await openDoorServer();
  ({ url } = server);
  publisher = await createPublisher();
});
afterAll(() => server.close());

const connect = (token: string) => new AgentClient({ id: "greenlight", name: "Greenlight", agent_uri: `${url}/mcp`, protocol: "mcp", auth_token: token });

describe("the official client", () => {
  test("discovers, opens an account, uploads and lists", async () => {
    const client = connect(publisher.token);
    const capabilities = await client.getAdcpCapabilities({});
    expect(capabilities.error).toBeUndefined();
    expect(capabilities.data).toMatchObject({ supported_protocols: ["media_buy"], adcp: { major_versions: [3], idempotency: { supported: true, replay_ttl_seconds: 86_400 } } });
    const products = await client.getProducts({ buying_mode: "brief", brief: "display on the homepage" });
    expect(asList(asObject(products.data).products)[0]).toMatchObject({ product_id: "homepage_display", pricing_options: [{ fixed_price: 12.5 }] });
    const accounts = await client.syncAccounts({ idempotency_key: newKey(), accounts: [{ ...BRAND_ACCOUNT, billing: "operator" }] });
    expect(asList(asObject(accounts.data).accounts)[0]).toMatchObject({ action: "created", status: "active", sandbox: true });
    const formats = await client.listCreativeFormats({});
    expect(asList(asObject(formats.data).formats).length).toBeGreaterThanOrEqual(10);
    const synced = await client.executeTask("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("c1")] });
    expect([synced.success, asList(asObject(synced.data).creatives)[0]?.action]).toEqual([true, "created"]);
    const listed = await client.listCreatives({});
    expect(asList(asObject(listed.data).creatives).map(({ creative_id: id }) => id)).toEqual(["c1"]);
  });

  test("reads our errors as typed ones", async () => {
    const client = connect(publisher.token);
    const wrong = await client.executeTask("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("c2", { assets: { image: { asset_type: "image", url: "https://a.example/i.png", width: 1, height: 1 } } })] });
    expect([wrong.success, wrong.adcpError?.code, wrong.adcpError?.recovery]).toEqual([false, "VALIDATION_ERROR", "correctable"]);
    await expect(connect("wrong-token").listCreatives({})).rejects.toThrow(/[Aa]uthenti|401|unauthorized/i);
  });

  test("a body that is too large is refused over HTTP too", async () => {
    const response = await fetch(`${url}/api/v1/get_products`, { method: "POST", body: JSON.stringify({ brief: "x".repeat(2_000_000) }) });
    expect([response.status, asObject(asObject(await response.json()).adcp_error).code]).toEqual([413, "INVALID_REQUEST"]);
  });
});

describe("tasks", () => {
  test("the buyer that ordered can follow its task, under both names; to anybody else it does not exist", async () => {
    const reviewed = await createPublisher({ isReviewRequired: true });
    const order = { ...orderRequest(newKey(), [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]), account: BRAND_ACCOUNT, context: { trace: "t-1" } };
    const submitted = await callMcp("create_media_buy", order, { token: reviewed.token });
    expect(submitted.body).toMatchObject({ status: "submitted", task_id: expect.stringMatching(/^task_[0-9a-z]{26}$/), context: { trace: "t-1" } });
    const taskId = String(submitted.body.task_id);
    for (const name of ["tasks_get", "tasks/get"]) {
      for (const call of [callMcp, callRest]) {
        const { body } = await call(name, { task_id: taskId, context: { poll: 1 } }, { token: reviewed.token });
        expect(body).toMatchObject({ task_id: taskId, task_type: "create_media_buy", protocol: "media-buy", status: "submitted", has_webhook: false, context: { poll: 1 } });
      }
    }
    const neighbour = await createBuyer(reviewed.tenantId);
    for (const call of [callMcp, callRest]) {
      const answers = [];
      for (const token of [neighbour.token, publisher.token]) for (const id of [taskId, `${taskId.slice(0, -3)}zzz`, "task_x", "mb_0"]) answers.push(await call("tasks_get", { task_id: id }, { token }));
      expect(answers.map(errorCode)).toEqual(answers.map(() => "REFERENCE_NOT_FOUND"));
      expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
      expect(JSON.stringify(answers[0]?.body)).not.toContain(taskId);
    }
  });
});
