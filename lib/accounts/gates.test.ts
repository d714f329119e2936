import { and, eq } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, callRest, type DoorAnswer, newKey } from "@/test/fixtures/door";
import { idFieldsOf } from "@/test/fixtures/schema-fields";
import { type Buyer, createBigPublisher, furnishBuyer } from "@/test/fixtures/tool-inputs";
import { type Path, withValue } from "@/test/fixtures/value-paths";
import { type PublisherFixture } from "@/test/fixtures/publisher";
import { TOOLS } from "../adcp/registry";
import { withTenant } from "../db/client";
import { fromWireId } from "../ids";
import { ACCOUNT_GATES, type GatedTool } from "./gates";
import { ACCOUNT_STATUSES, accounts } from "./schema";

/** Every tool whose request can name an account × every status that an account can have, over the wire. Made from the registry and the schemas: a new tool fails here until the table knows it. */
useTestDatabase();

let publisher: PublisherFixture;
let buyer: Buyer;
beforeAll(async () => {
  publisher = await createBigPublisher();
  buyer = await furnishBuyer(publisher, "me");
});

const REASON = "The invoice of March is open.";
const NAMING = TOOLS.flatMap((tool) => {
  const path = idFieldsOf(tool).findLast(({ name }) => name === "account_id")?.path;
  return path ? [{ name: tool.name, path }] : [];
});

async function setStatus(status: (typeof ACCOUNT_STATUSES)[number]): Promise<void> {
  const id = fromWireId("account", buyer.ids.account_id) ?? "";
  const changed = await withTenant(publisher.tenantId, (tx) => tx.update(accounts).set({ status, statusReason: REASON, details: {} }).where(and(eq(accounts.tenantId, publisher.tenantId), eq(accounts.id, id))).returning({ id: accounts.id }));
  expect(changed).toHaveLength(1);
}

/** The error that answers, of the call or of its only item; "allowed" for none. */
function outcomeOf({ isError, body }: DoorAnswer): { code: string; error: Record<string, unknown> } {
  const failed = isError ? asObject(body.adcp_error) : asList(body.accounts ?? []).flatMap(({ errors }) => asList(errors ?? []))[0];
  return failed ? { code: String(failed.code), error: failed } : { code: "allowed", error: {} };
}

const named = (tool: string, path: Path) => withValue(buyer.inputOf(tool), path, buyer.ids.account_id);

test("the table knows exactly the tools whose request can name an account", () => {
  expect(Object.keys(ACCOUNT_GATES).sort()).toEqual(NAMING.map(({ name }) => name).sort());
});

const pairs = ACCOUNT_STATUSES.flatMap((status) => NAMING.map(({ name, path }) => [status, name, path] as const));

test.each(pairs)("%s: %s", async (status, name, path) => {
  await setStatus(status);
  const expected = ACCOUNT_GATES[name as GatedTool][status];
  for (const call of [callMcp, callRest]) {
    const { code, error } = outcomeOf(await call(name, named(name, path), { token: buyer.token }));
    expect([code, error.message]).toEqual([expected, expected === "allowed" ? undefined : expect.stringContaining(REASON)]);
    if (expected !== "allowed") expect(error).toMatchObject({ details: { account_status: status, status_reason: REASON } });
  }
});

test.each([["pending_approval", "ACCOUNT_SETUP_REQUIRED"], ["payment_required", "ACCOUNT_PAYMENT_REQUIRED"]] as const)("%s: packages that are added to an order are new business", async (status, expected) => {
  await setStatus(status);
  const { packages } = buyer.inputOf("create_media_buy");
  const { account, media_buy_id: mediaBuyId } = buyer.inputOf("update_media_buy");
  expect(outcomeOf(await callMcp("update_media_buy", { idempotency_key: newKey(), account, media_buy_id: mediaBuyId, new_packages: packages }, { token: buyer.token })).code).toBe(expected);
});
