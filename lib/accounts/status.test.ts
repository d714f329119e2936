import { and, eq } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callMcp, errorCode, newKey } from "@/test/fixtures/door";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { HAS_SCHEMAS_3_1, loadSchemas31 } from "@/test/fixtures/schemas-3-1";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { compileSchema } from "../adcp/schemas";
import { fromWireId } from "../ids";
import { pushNotificationConfigs, webhookDeliveries } from "../webhooks/schema";
import { accountDecisionInput, decideAccount } from "./status";

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
type Status = Parameters<typeof decideAccount>[1]["status"];
const decide = (accountId: string, seen: Status, status: Status, role: "admin" | "trafficker" = "admin", reason = `It is ${status} now.`) => asStaff(publisher.tenantId, role, (ctx) => decideAccount(ctx, { accountId, seen, status, reason }));
const told = () => asStaff(publisher.tenantId, "viewer", ({ db, tenantId }) => db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.audience, "buyer"))));

test("a buyer is told when the publisher changes its account's status, at the address named last", async () => {
  await openAccount({ url: "https://buyer.example/first" });
  const accountId = await openAccount({ url: "https://buyer.example/second", token: "validation-token-123" });
  expect(await told()).toEqual([]);
  await decide(accountId, "active", "suspended", "admin", "The invoice of March is open.");
  const [delivery, ...others] = await told();
  expect(others).toEqual([]);
  expect(delivery?.body).toMatchObject({ task_type: "sync_accounts", status: "completed", idempotency_key: delivery?.idempotencyKey, result: { accounts: [{ status: "suspended", action: "updated", operator: "agency.example", ext: { status_reason: "The invoice of March is open." } }] } });
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
  await decide(accountId, "active", "suspended");
  await decide(accountId, "suspended", "active");
  expect(await told()).toEqual([]);
  expect(errorCode(await sync({ url: "https://10.0.0.1/hook" }))).toBe("VALIDATION_ERROR");
});

test("only an administrator decides, and only what the account can become", async () => {
  const accountId = await openAccount();
  expect((await failure(decide(accountId, "active", "suspended", "trafficker"))).code).toBe("PERMISSION_DENIED");
  expect((await failure(decide(accountId, "active", "pending_approval"))).code).toBe("CONFLICT");
  await decide(accountId, "active", "closed");
  expect((await failure(decide(accountId, "closed", "active"))).code).toBe("CONFLICT");
  const other = await createPublisher();
  expect((await failure(asStaff(other.tenantId, "admin", (ctx) => decideAccount(ctx, { accountId, seen: "active", status: "closed", reason: "x" })))).code).toBe("REFERENCE_NOT_FOUND");
});

test("the reason is kept with the account, told by list_accounts, and audited; it goes when the buyer itself changes the account", async () => {
  const accountId = await openAccount();
  expect(accountDecisionInput.safeParse({ accountId, seen: "active", status: "suspended", reason: "  " }).success).toBe(false);
  await decide(accountId, "active", "closed", "admin", "Nobody answers.");
  const listed = async () => (await callMcp("list_accounts", {}, { token: publisher.token })).body;
  expect(await listed()).toMatchObject({ accounts: [{ status: "closed", ext: { status_reason: "Nobody answers." } }] });
  const validate = compileSchema("account/list-accounts-response");
  expect(validate(await listed()), JSON.stringify(validate.errors)).toBe(true);
  if (HAS_SCHEMAS_3_1) expect(loadSchemas31()("account/list-accounts-response", await listed())).toEqual([]);
  expect(await lastAudit(publisher.tenantId, "account")).toMatchObject({ action: "account.decided", before: { status: "active", reason: null }, after: { status: "closed", reason: "Nobody answers." } });

  await sync(undefined, { accounts: [{ ...TERMS, operator: "other.example" }] });
  const { body } = await sync(undefined, { accounts: [{ ...TERMS, operator: "third.example" }], delete_missing: true });
  expect(JSON.stringify(body)).not.toContain("Nobody answers");
});

test("of two people who decide at once, the second is told that the account changed", async () => {
  const accountId = await openAccount();
  await decide(accountId, "active", "suspended");
  const overtaken = await failure(decide(accountId, "active", "closed"));
  expect(overtaken).toMatchObject({ code: "CONFLICT", details: { hasChangedSinceOpened: true } });
  await decide(accountId, "suspended", "closed");
});
