import { and, eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, imageCreative, newKey } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { auditLog } from "../audit/schema";
import { buyerActor } from "../adcp/buyer-actor";
import { withTenant } from "../db/client";
import { log } from "../log";
import { type ACCOUNT_STATUSES, accounts } from "./schema";
import { resolveAccount } from "./service";

useTestDatabase();
let publisher: PublisherFixture;
let caller: { token: string };
beforeEach(async () => {
  publisher = await createPublisher();
  caller = { token: publisher.token };
});

const sync = async (items: Record<string, unknown>[], extra: Record<string, unknown> = {}, token = publisher.token) =>
  (await callMcp("sync_accounts", { idempotency_key: newKey(), accounts: items.map((item) => ({ operator: "op.example", billing: "operator", ...item })), ...extra }, { token })).body;
const brand = (domain: string) => ({ brand: { domain } });
const list = async (input: Record<string, unknown> = {}, token = publisher.token) => (await callMcp("list_accounts", input, { token })).body;
const count = () => withTenant(publisher.tenantId, (tx) => tx.$count(accounts));

test("a sandbox buyer's account comes into being with the first change, not with a look", async () => {
  for (const tool of ["get_media_buys", "list_creatives", "get_media_buy_delivery"]) {
    const answer = await callMcp(tool, { account: BRAND_ACCOUNT }, caller);
    expect([tool, answer.isError]).toEqual([tool, false]);
  }
  expect(await count()).toBe(0);
  await callMcp("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("first")] }, caller);
  expect(await count()).toBe(1);
});

describe("sync_accounts", () => {
  test("opens, updates and leaves alone, by brand, operator and sandbox", async () => {
    const first = await sync([brand("a.example"), { brand: { domain: "a.example", brand_id: "shoes" } }]);
    expect(asList(first.accounts).map(({ action, status, sandbox, name }) => [action, status, sandbox, name])).toEqual([["created", "active", true, "a.example c/o op.example"], ["created", "active", true, "shoes (a.example) c/o op.example"]]);
    const second = await sync([brand("a.example"), { ...brand("a.example"), payment_terms: "net_60" }, { brand: { domain: "a.example", brand_id: "shoes" }, billing: "agent" }]);
    expect(asList(second.accounts).map(({ action, payment_terms: terms, billing }) => [action, terms, billing])).toEqual([["unchanged", undefined, "operator"], ["updated", "net_60", "operator"], ["updated", undefined, "agent"]]);
    expect(await count()).toBe(2);
  });

  test("keeps the billed party, and shows bank details to nobody", async () => {
    const entity = { legal_name: "Acme GmbH", bank: { account_holder: "Acme", iban: "DE89370400440532013000" } };
    const first = await sync([{ ...brand("a.example"), billing_entity: entity }]);
    expect(asList(first.accounts)[0]?.billing_entity).toEqual({ legal_name: "Acme GmbH" });
    expect(asList((await sync([{ ...brand("a.example"), billing_entity: entity }])).accounts)[0]?.action).toBe("unchanged");
    expect(asList((await sync([{ ...brand("a.example"), billing_entity: { ...entity, bank: { account_holder: "B" } } }])).accounts)[0]?.action).toBe("updated");
    const stored = await withTenant(publisher.tenantId, async (tx) => [await tx.select().from(accounts), await tx.select().from(auditLog)]);
    expect(JSON.stringify([stored, await list()])).not.toContain("DE8937");
  });

  test("a dry run writes nothing; delete_missing closes what the buyer may open again", async () => {
    const dry = await sync([brand("a.example")], { dry_run: true });
    expect(dry).toMatchObject({ dry_run: true, accounts: [{ action: "created" }] });
    expect(asList(dry.accounts)[0]).not.toHaveProperty("account_id");
    expect(await count()).toBe(0);
    await sync([brand("a.example"), brand("b.example")]);
    const closing = await sync([brand("a.example")], { delete_missing: true });
    expect(asList(closing.accounts).map(({ brand: of, status }) => [asObject(of).domain, status])).toEqual([["a.example", "active"], ["b.example", "closed"]]);
    expect(asList((await sync([brand("b.example")])).accounts)[0]).toMatchObject({ action: "updated", status: "active" });
    await setStatus("b.example", "suspended");
    expect(asList((await sync([brand("b.example")])).accounts)[0]).toMatchObject({ action: "unchanged", status: "suspended" });
  });

  test("all accounts of a sandbox buyer are sandbox; a real buyer may have both", async () => {
    const [account] = asList((await sync([{ ...brand("a.example"), sandbox: false }])).accounts);
    expect(account).toMatchObject({ sandbox: true, warnings: ["All your accounts here are sandbox accounts."] });
    const real = await createBuyer(publisher.tenantId, { isSandbox: false });
    expect(asList((await sync([brand("a.example"), { ...brand("a.example"), sandbox: true }], {}, real.token)).accounts).map(({ sandbox }) => sandbox)).toEqual([false, true]);
  });
});

describe("list_accounts", () => {
  test("pages, filters, and only the buyer's own", async () => {
    await sync(["a.example", "b.example", "c.example"].map(brand));
    const other = await createBuyer(publisher.tenantId);
    const elsewhere = await createPublisher();
    await sync([brand("theirs.example")], {}, other.token);
    await sync([brand("elsewhere.example")], {}, elsewhere.token);
    const seen: unknown[] = [];
    let cursor: unknown;
    for (const isLast of [false, true]) {
      const page = await list({ pagination: { max_results: 2, ...(cursor === undefined ? {} : { cursor }) } });
      seen.push(...asList(page.accounts).map(({ account_id: id }) => id));
      const pagination = asObject(page.pagination);
      expect(pagination).toMatchObject({ has_more: !isLast });
      expect("cursor" in pagination).toBe(!isLast);
      cursor = pagination.cursor;
    }
    expect(new Set(seen).size).toBe(3);
    await setStatus("b.example", "suspended");
    expect(asList((await list({ status: "suspended" })).accounts).map(({ brand: of }) => asObject(of).domain)).toEqual(["b.example"]);
    expect(asList((await list({ sandbox: false })).accounts)).toEqual([]);
    expect(asList((await list({}, other.token)).accounts)).toHaveLength(1);
    expect(asList((await list({}, elsewhere.token)).accounts)).toHaveLength(1);
  });
});

describe("which account a request means", () => {
  const resolve = (ref: unknown, session = publisher.session) =>
    withTenant(publisher.tenantId, (db) => resolveAccount({ db, tenantId: publisher.tenantId, actor: buyerActor(session), now: new Date(), log }, session, ref));

  test("a sandbox buyer's comes into being on first use, once, also for two at the same time", async () => {
    const both = await Promise.all([resolve(BRAND_ACCOUNT), resolve({ ...BRAND_ACCOUNT, sandbox: true })]);
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(both[0]).toMatchObject({ isSandbox: true, status: "active", name: "acmeoutdoor.example c/o pinnacle-agency.example" });
    const calls = await Promise.all(["x", "y"].map((id) => callMcp("sync_creatives", { idempotency_key: newKey(), account: { ...BRAND_ACCOUNT, operator: "new.example" }, creatives: [imageCreative(id)] }, caller)));
    expect(calls.map(({ isError }) => isError)).toEqual([false, false]);
    expect(await count()).toBe(2);
  });

  test("without a reference: the only one, the sandbox default, or a question back", async () => {
    expect((await resolve(undefined)).brandDomain).toBe("sandbox.example");
    const { session } = await createBuyer(publisher.tenantId, { isSandbox: false });
    await expect(resolve(undefined, session)).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
    await expect(resolve(BRAND_ACCOUNT, session)).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
  });

  test("a house with several brands is asked for the brand", async () => {
    const real = await createBuyer(publisher.tenantId, { isSandbox: false });
    await sync([{ brand: { domain: "house.example", brand_id: "one" } }], {}, real.token);
    const house = { ...brand("house.example"), operator: "op.example" };
    expect((await resolve(house, real.session)).brandId).toBe("one");
    expect((await resolve(undefined, real.session)).brandId).toBe("one");
    await sync([{ brand: { domain: "house.example", brand_id: "two" } }], {}, real.token);
    await expect(resolve(house, real.session)).rejects.toMatchObject({ code: "ACCOUNT_AMBIGUOUS" });
    await expect(resolve(undefined, real.session)).rejects.toMatchObject({ code: "ACCOUNT_AMBIGUOUS" });
    expect((await resolve({ brand: { domain: "house.example", brand_id: "two" }, operator: "op.example" }, real.session)).brandId).toBe("two");
  });
});

async function setStatus(domain: string, status: (typeof ACCOUNT_STATUSES)[number]): Promise<void> {
  await withTenant(publisher.tenantId, (tx) => tx.update(accounts).set({ status, details: {} }).where(and(eq(accounts.tenantId, publisher.tenantId), eq(accounts.brandDomain, domain))));
}
