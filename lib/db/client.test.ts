import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { principals } from "../buyers/schema";
import { newId } from "../ids";
import { tenants } from "../tenants/schema";
import { sendAlong, withSavepoint, withTenant } from "./client";

useTestDatabase();

async function makeTenant(): Promise<string> {
  const id = newId();
  await withTenant(id, (tx) => tx.insert(tenants).values({ id, slug: `t-${id}`, name: "T", timeZone: "UTC", defaultCurrency: "USD" }));
  return id;
}

describe("a transaction behind a tenant's wall", () => {
  test("the wall is up before the first query, however many transactions share the connections", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, makeTenant));
    const seen = await Promise.all(ids.flatMap((id) => Array.from({ length: 10 }, () => withTenant(id, (tx) => tx.select({ id: tenants.id }).from(tenants)))));
    expect(seen.map((rows) => rows.map((row) => row.id))).toEqual(ids.flatMap((id) => Array.from({ length: 10 }, () => [id])));
  });

  test("a tenant that is none fails what is asked in its name", async () => {
    await expect(withTenant("not a uuid", (tx) => tx.select().from(tenants))).rejects.toThrow();
  });

  test("statements sent along are part of it: stored with it, gone with it, and seen by what comes later", async () => {
    const tenantId = await makeTenant();
    const add = (name: string) => sql`insert into principals (tenant_id, id, name) values (${tenantId}, ${newId()}, ${name})`;
    const counted = await withTenant(tenantId, async (tx) => {
      sendAlong(tx, add("a"));
      return tx.$count(principals);
    });
    expect(counted).toBe(1);
    await withTenant(tenantId, async (tx) => sendAlong(tx, add("b")));
    await expect(withTenant(tenantId, async (tx) => {
      sendAlong(tx, add("c"));
      throw new Error("changed its mind");
    })).rejects.toThrow("changed its mind");
    expect(await withTenant(tenantId, (tx) => tx.$count(principals))).toBe(2);
  });

  test("one that fails undoes everything, though nobody waited for it", async () => {
    const tenantId = await makeTenant();
    const id = newId();
    const add = () => sql`insert into principals (tenant_id, id, name) values (${tenantId}, ${id}, 'same')`;
    await expect(withTenant(tenantId, async (tx) => {
      sendAlong(tx, add());
      sendAlong(tx, add());
    })).rejects.toMatchObject({ code: "23505" });
    await expect(withTenant(tenantId, async (tx) => {
      sendAlong(tx, sql`select 1 / 0`);
      await tx.insert(principals).values({ tenantId, id, name: "P" });
    })).rejects.toThrow();
    expect(await withTenant(tenantId, (tx) => tx.$count(principals))).toBe(0);
  });

  test("behind a savepoint nothing is sent along: its failure could not be told apart", async () => {
    const tenantId = await makeTenant();
    await expect(withTenant(tenantId, (tx) => withSavepoint(tx, async (inner) => sendAlong(inner, sql`select 1`)))).rejects.toThrow("sendAlong");
  });
});
