import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { accounts } from "../accounts/schema";
import { auditLog } from "../audit/schema";
import { principals } from "../buyers/schema";
import { newId } from "../ids";
import { products } from "../products/schema";
import { tenants } from "../tenants/schema";
import { withTenant } from "./client";
import { insertTogether, rowsOf } from "./insert-together";

useTestDatabase();

const NOW = new Date("2027-03-01T12:00:00.123Z");

async function makeTenant(): Promise<string> {
  const id = newId();
  await withTenant(id, (tx) => tx.insert(tenants).values({ id, slug: `t-${id}`, name: "T", timeZone: "UTC", defaultCurrency: "USD" }));
  return id;
}

describe("rows of several tables in one statement", () => {
  test("refer to one another, keep their types, and get the defaults of what they leave out", async () => {
    const tenantId = await makeTenant();
    const [principalId, accountId, productId] = [newId(), newId(), newId()];
    await withTenant(tenantId, async (tx) => insertTogether(tx, [
      // The account comes before what it refers to.
      rowsOf(accounts, [{ tenantId, id: accountId, principalId, brandDomain: "a.example", operator: "o.example", name: "A", isSandbox: true, details: { deep: [1, null, "ü'\"\\"] }, brandId: null, createdAt: NOW }]),
      rowsOf(principals, [{ tenantId, id: principalId, name: "P" }]),
      rowsOf(products, [1, 2].map((n) => ({ tenantId, id: n === 1 ? productId : newId(), productId: `p${n}`, name: "P", description: "", channels: ["display", "video"], formatIds: [], deliveryType: "guaranteed" as const, isReviewRequired: null }))),
      rowsOf(auditLog, []),
    ]));
    const stored = await withTenant(tenantId, async (tx) => ({ account: await tx.select().from(accounts), product: await tx.select().from(products).where(eq(products.id, productId)), count: await tx.$count(products) }));
    expect(stored.account).toMatchObject([{ id: accountId, principalId, createdAt: NOW, details: { deep: [1, null, "ü'\"\\"] }, brandId: null, status: "active" }]);
    expect(stored.product).toMatchObject([{ channels: ["display", "video"], formatIds: [], isReviewRequired: null, version: 1, archivedAt: null }]);
    expect(stored.count).toBe(2);
  });

  test("all or none; the wall between tenants and foreign keys hold", async () => {
    const [tenantId, otherId] = [await makeTenant(), await makeTenant()];
    const principal = { tenantId, id: newId(), name: "P" };
    const account = { tenantId, id: newId(), principalId: newId(), brandDomain: "a.example", operator: "o.example", name: "A", isSandbox: true };
    await expect(withTenant(tenantId, async (tx) => insertTogether(tx, [rowsOf(principals, [principal]), rowsOf(accounts, [account])]))).rejects.toThrow();
    await expect(withTenant(tenantId, async (tx) => insertTogether(tx, [rowsOf(principals, [principal, { ...principal, id: newId(), tenantId: otherId }])]))).rejects.toThrow();
    expect(await withTenant(tenantId, (tx) => tx.$count(principals))).toBe(0);
  });

  test("nothing to insert asks nothing, and a field that is none is a mistake of the code", async () => {
    const tenantId = await makeTenant();
    await withTenant(tenantId, async (tx) => insertTogether(tx, [rowsOf(principals, [])]));
    await expect(withTenant(tenantId, async (tx) => insertTogether(tx, [{ table: principals, rows: [{ nonsense: 1 }] }]))).rejects.toThrow("no field nonsense");
  });
});
