import { sql } from "drizzle-orm";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { newId } from "../ids";
import { tenants } from "../tenants/schema";
import { lookUp, withTenant, withWorkerRole } from "./client";
import { findRoleProblem } from "./migrate";
import { z } from "zod";

const database = useTestDatabase();

async function makeTenant(slug: string): Promise<string> {
  const tenantId = newId();
  await withTenant(tenantId, (tx) => tx.insert(tenants).values({ id: tenantId, slug, name: slug, timeZone: "UTC", defaultCurrency: "USD" }));
  return tenantId;
}

describe("walls between tenants", () => {
  test("every table with a tenant is walled, and forced", async () => {
    const admin = postgres(database.adminUrl, { max: 1 });
    const open = await admin`
      select c.relname from pg_class c
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and not (c.relrowsecurity and c.relforcerowsecurity) and c.relname <> 'tenant_hosts'`;
    const unwalled = await admin`
      select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and not exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall')`;
    await admin.end();
    expect(unwalled.map((row) => row.relname)).toEqual([]);
    expect(open.map((row) => row.relname)).toEqual([]);
  });

  test("a query that forgets its tenant sees its own rows only, and cannot write others'", async () => {
    const first = await makeTenant("first");
    const second = await makeTenant("second");
    const seen = await withTenant(first, (tx) => tx.select({ id: tenants.id }).from(tenants));
    expect(seen).toEqual([{ id: first }]);
    await expect(withTenant(first, (tx) => tx.insert(tenants).values({ id: newId(), slug: "third", name: "x", timeZone: "UTC", defaultCurrency: "USD" }))).rejects.toThrow();
    const changed = await withTenant(first, (tx) => tx.update(tenants).set({ name: "taken" }).returning({ id: tenants.id }));
    expect(changed).toEqual([{ id: first }]);
    expect(await lookUp(z.object({ n: z.coerce.number() }), sql`select count(*) as n from tenants`)).toEqual([{ n: 0 }]);
    const all = await withWorkerRole((tx) => tx.select({ id: tenants.id }).from(tenants));
    expect(all.map((row) => row.id).sort()).toEqual([first, second].sort());
  });

  test("the worker role holds the listed grants and no more", async () => {
    await expect(withWorkerRole((tx) => tx.execute(sql`select * from creatives`))).rejects.toThrow();
    await expect(withWorkerRole((tx) => tx.execute(sql`update media_buys set status = 'active'`))).rejects.toThrow();
  });

  test("the app's role is safe, and an owner is refused", async () => {
    expect(await findRoleProblem(database.appUrl)).toBeNull();
    expect(await findRoleProblem(database.adminUrl)).toBe("its role is a superuser");
  });
});
