import { and, eq } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callMcp, errorCode, newKey } from "@/test/fixtures/door";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { HAS_SCHEMAS_3_1, loadSchemas31 } from "@/test/fixtures/schemas-3-1";
import { asStaff, failure } from "@/test/staff";
import { compileSchema } from "../adcp/schemas";
import { fromWireId } from "../ids";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { decideAccount } from "./status";

useTestDatabase();
let publisher: PublisherFixture;
beforeEach(async () => {
  publisher = await createPublisher();
});

const TERMS = { brand: { domain: "acme.example" }, operator: "agency.example", billing: "operator" };
const sync = (config: Record<string, unknown> | undefined, more: Record<string, unknown> = {}) => callMcp("sync_accounts", { idempotency_key: newKey(), accounts: [TERMS], ...(config ? { push_notification_config: config } : {}), ...more }, { token: publisher.token });

async function openAccount(config?: Record<string, unknown>): Promise<string> {
  const { body } = await sync(config);
  const [account] = body.accounts as { account_id: string }[];
  return fromWireId("account", account?.account_id ?? "") ?? "";
}
const decide = (accountId: string, status: Parameters<typeof decideAccount>[1]["status"], role: "admin" | "trafficker" = "admin") => asStaff(publisher.tenantId, role, (ctx) => decideAccount(ctx, { accountId, status }));
const told = () => asStaff(publisher.tenantId, "viewer", ({ db, tenantId }) => db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.audience, "buyer"))));

test("a buyer is told when the publisher changes its account's status, at the address named last", async () => {
  await openAccount({ url: "https://buyer.example/first" });
  const accountId = await openAccount({ url: "https://buyer.example/second", token: "validation-token-123" });
  expect(await told()).toEqual([]);
  await decide(accountId, "suspended");
  const [delivery, ...others] = await told();
  expect(others).toEqual([]);
  expect(delivery?.body).toMatchObject({ task_type: "sync_accounts", status: "completed", idempotency_key: delivery?.idempotencyKey, result: { accounts: [{ status: "suspended", action: "updated", operator: "agency.example" }] } });
  const validate = compileSchema("account/sync-accounts-response");
  expect(validate(delivery?.body.result), JSON.stringify(validate.errors)).toBe(true);
  if (HAS_SCHEMAS_3_1) {
    expect(loadSchemas31()("core/mcp-webhook-payload", delivery?.body)).toEqual([]);
    expect(loadSchemas31()("account/sync-accounts-response", delivery?.body.result)).toEqual([]);
  }
  const configs = await asStaff(publisher.tenantId, "viewer", ({ db }) => db.select().from(pushNotificationConfigs).where(eq(pushNotificationConfigs.id, delivery?.configId ?? "")));
  expect(configs).toMatchObject([{ url: "https://buyer.example/second", purpose: "account", archivedAt: null }]);
  expect(errorCode(await callMcp("create_media_buy", { idempotency_key: newKey(), account: { brand: TERMS.brand, operator: TERMS.operator }, brand: TERMS.brand, start_time: "asap", end_time: new Date(Date.now() + 9 * 86_400_000).toISOString(), packages: [{ product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 1000 }] }, { token: publisher.token }))).toBe("ACCOUNT_SUSPENDED");
});

test("without an address nobody is told; a dry run notes none; one inside is refused", async () => {
  const accountId = await openAccount();
  await sync({ url: "https://buyer.example/hook" }, { dry_run: true });
  await decide(accountId, "suspended");
  await decide(accountId, "active");
  expect(await told()).toEqual([]);
  expect(errorCode(await sync({ url: "https://10.0.0.1/hook" }))).toBe("VALIDATION_ERROR");
});

test("only an administrator decides, and only what the account can become", async () => {
  const accountId = await openAccount();
  expect((await failure(decide(accountId, "suspended", "trafficker"))).code).toBe("PERMISSION_DENIED");
  expect((await failure(decide(accountId, "pending_approval"))).code).toBe("CONFLICT");
  await decide(accountId, "closed");
  expect((await failure(decide(accountId, "active"))).code).toBe("CONFLICT");
  const other = await createPublisher();
  expect((await failure(asStaff(other.tenantId, "admin", (ctx) => decideAccount(ctx, { accountId, status: "active" })))).code).toBe("REFERENCE_NOT_FOUND");
});
