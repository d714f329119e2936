import { readFileSync } from "node:fs";
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { asSystem, DAY_MS, decide, homepage } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { HAS_SCHEMAS_3_1, loadSchemas31 } from "@/test/fixtures/schemas-3-1";
import { ERROR_TABLE } from "../errors";
import { fromWireId } from "../ids";
import { mediaBuys } from "../media-buys/schema";
import { webhookDeliveries } from "../webhooks/schema";
import { TOOLS } from "./registry";
import { compileSchema } from "./schemas";

useTestDatabase();
let publisher: PublisherFixture;
let reviewed: PublisherFixture;

beforeAll(async () => {
  publisher = await createPublisher();
  reviewed = await createPublisher({ isReviewRequired: true });
});

const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const order = (overrides: Record<string, unknown> = {}) => ({
  idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: at(2), end_time: at(32), packages: [homepage({ creatives: [imageCreative("b-1")] })], context: { trace: "v" }, ...overrides,
});
const call = (tool: string, input: Record<string, unknown>, { token } = publisher) => callRest(tool, input, { token });

describe("which release is served", () => {
  test("the highest that is not above what was asked for, and only whoever asks is told", async () => {
    for (const [asked, served] of [["3.0", "3.0"], ["3.1", "3.1"], ["3.1-beta.1", "3.1"], ["3.7", "3.1"]]) {
      const { body } = await call("get_adcp_capabilities", { adcp_version: asked });
      expect([asked, body.adcp_version]).toEqual([asked, served]);
    }
    const { body } = await call("get_adcp_capabilities", {});
    expect(body).not.toHaveProperty("adcp_version");
    expect(body.adcp).toMatchObject({ major_versions: [3], supported_versions: ["3.0", "3.1"] });
  });

  test("another major version is refused with what is supported, by every tool and door", async () => {
    for (const tool of TOOLS) {
      if (tool.isVisible && !tool.isVisible(publisher.session)) continue;
      for (const input of [{ adcp_version: "4.0" }, { adcp_version: "2.6" }, { adcp_major_version: 99 }, { adcp_major_version: 3, adcp_version: "4.1" }]) {
        for (const door of [callMcp, callRest]) {
          const answer = await door(tool.name, { ...input, context: { trace: "v" } }, { token: publisher.token });
          expect([tool.name, errorCode(answer)]).toEqual([tool.name, "VERSION_UNSUPPORTED"]);
          expect(answer.body).toMatchObject({ adcp_error: { details: { supported_versions: ["3.0", "3.1"], supported_majors: [3] } }, context: { trace: "v" } });
        }
      }
    }
    for (const version of ["three", "3", 3, "3.0.6"]) expect(errorCode(await call("get_products", { adcp_version: version }))).toBe("INVALID_REQUEST");
  });

  test("status is the media buy's in 3.0 and the task's in 3.1; a replay is told in the release that asks", async () => {
    const placed = await call("create_media_buy", order());
    expect(placed.body).toMatchObject({ status: "pending_start", media_buy_status: "pending_start", revision: 1, confirmed_at: expect.any(String) });
    const again = order({ adcp_version: "3.1" });
    const first = await call("create_media_buy", again);
    expect(first.body).toMatchObject({ status: "completed", media_buy_status: "pending_start", adcp_version: "3.1" });
    expect((await call("create_media_buy", again)).body).toEqual({ ...first.body, replayed: true });
    expect((await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: first.body.media_buy_id, paused: true, adcp_version: "3.1" })).body).toMatchObject({ status: "completed", media_buy_status: "paused" });
    const refused = await call("create_media_buy", order({ adcp_version: "3.1", packages: [homepage({ product_id: "nothing" })] }));
    expect(refused.body).toMatchObject({ status: "failed", adcp_version: "3.1", adcp_error: { code: "PRODUCT_NOT_FOUND" } });
  });
});

describe.skipIf(!HAS_SCHEMAS_3_1)("with 3.1's schemas", () => {
  let problems: ReturnType<typeof loadSchemas31>;
  beforeAll(() => {
    problems = loadSchemas31();
  });

  test("answers of each release fit: create, update, get_media_buys, get_products, capabilities", async () => {
    for (const release of [{ adcp_version: "3.1" }, {}]) {
      // Whoever speaks 3.1 without saying so finds the media buy's status where the task's would stand.
      const said = (body: Record<string, unknown>) => ("adcp_version" in release ? body : { ...body, status: "completed" });
      const placed = await call("create_media_buy", order(release));
      expect(problems("media-buy/create-media-buy-response", said(placed.body))).toEqual([]);
      const changed = await call("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: placed.body.media_buy_id, end_time: at(40), ...release });
      expect(problems("media-buy/update-media-buy-response", said(changed.body))).toEqual([]);
      const read = await call("get_media_buys", { media_buy_ids: [placed.body.media_buy_id], include_history: 5, ...release });
      expect(problems("media-buy/get-media-buys-response", read.body)).toEqual([]);
      expect(asList(read.body.media_buys)[0]).toMatchObject({ revision: 2, confirmed_at: expect.any(String) });
      for (const { token } of [publisher, { token: undefined }]) {
        const products = await callRest("get_products", { buying_mode: "wholesale", ...release }, token === undefined ? {} : { token });
        expect(problems("media-buy/get-products-response", products.body)).toEqual([]);
        expect(problems("protocol/get-adcp-capabilities-response", (await callRest("get_adcp_capabilities", release, token === undefined ? {} : { token })).body)).toEqual([]);
      }
    }
  });

  test("tasks, their lists and their webhooks fit", async () => {
    const submitted = await call("create_media_buy", order({ adcp_version: "3.1", push_notification_config: { url: "https://buyer.example/hook" } }), reviewed);
    expect(problems("media-buy/create-media-buy-response", submitted.body)).toEqual([]);
    const taskId = String(submitted.body.task_id);
    const [waiting] = await asSystem(reviewed, ({ db }) => db.select({ id: mediaBuys.id }).from(mediaBuys).where(eq(mediaBuys.status, "pending_approval")));
    await decide(reviewed, waiting?.id ?? "", "approve", { now: new Date() });
    const done = await call("get_task_status", { task_id: taskId, include_result: true, include_history: true, adcp_version: "3.1" }, reviewed);
    expect(done.body).toMatchObject({ status: "completed", result: { status: "completed", media_buy_status: "pending_start" } });
    expect(problems("protocol/get-task-status-response", done.body)).toEqual([]);
    expect(problems("protocol/list-tasks-response", (await call("list_tasks", { include_history: true, adcp_version: "3.1" }, reviewed)).body)).toEqual([]);
    const [sent] = await asSystem(reviewed, ({ db }) => db.select({ body: webhookDeliveries.body }).from(webhookDeliveries).where(eq(webhookDeliveries.taskId, fromWireId("task", taskId) ?? "")));
    expect(sent?.body).toMatchObject({ operation_id: taskId, status: "completed" });
    expect(compileSchema("core/mcp-webhook-payload")(sent?.body)).toBe(true);
    expect(problems("core/mcp-webhook-payload", { ...sent?.body, result: { ...asObject(sent?.body.result), status: "completed" } })).toEqual([]);
  });

  test("the codes that 3.0 lacks are 3.1's", () => {
    const { enumMetadata } = asObject(JSON.parse(readFileSync("../shared/adcp/schemas-3.1.19/enums/error-code.json", "utf8")));
    for (const [code, { recovery }] of Object.entries(ERROR_TABLE)) if (code !== "INTERNAL_ERROR") expect([code, asObject(asObject(enumMetadata)[code]).recovery]).toEqual([code, recovery]);
  });
});
