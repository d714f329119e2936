import { sql } from "drizzle-orm";
import { expect, test, vi } from "vitest";
import { useTestDatabase } from "@/test/db";
import { newId } from "../ids";
import { withTenant } from "./client";

useTestDatabase();

test("a second instance of this module, as a route's bundle is, works on the first one's pool behind the wall", async () => {
  const readTenant = (tx: Parameters<Parameters<typeof withTenant>[1]>[0]) => tx.execute(sql`select current_tenant() as tenant`);
  const [first, second] = [newId(), newId()];
  expect([...(await withTenant(first, readTenant))]).toEqual([{ tenant: first }]);
  vi.resetModules();
  const other = await import("./client");
  expect(other.withTenant).not.toBe(withTenant);
  expect([...(await other.withTenant(second, readTenant))]).toEqual([{ tenant: second }]);
  await expect(other.withTenant(second, () => withTenant(first, readTenant))).rejects.toThrow("inside another");
});
