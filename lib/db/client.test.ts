import { and, eq, gt, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { principals, principalTokens } from "../buyers/schema";
import { newId } from "../ids";
import { tenants } from "../tenants/schema";
import { anyOf, compiled, compiledByShape, sendAlong, uuidArray, withSavepoint, withTenant } from "./client";

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

test("lists of texts come back as they were written, whatever is in them", async () => {
  const lists = [[], ["a"], ["a\\b", "\\", "\\\\"], ['"', "'", "a,b", "{a}", ""], ["NULL", "null", " ", "ü\n\t☃"]];
  const tenantId = await makeTenant();
  const ids = lists.map(() => newId());
  await withTenant(tenantId, (tx) => tx.insert(principals).values(ids.map((id, index) => ({ tenantId, id, name: `b${index}` }))));
  await withTenant(tenantId, (tx) => tx.insert(principalTokens).values(lists.map((scopes, index) => ({ tenantId, id: newId(), principalId: ids[index] ?? "", tokenHash: Buffer.alloc(32, index), prefix: "t", scopes }))));
  const read = await withTenant(tenantId, (tx) => tx.select({ scopes: principalTokens.scopes }).from(principalTokens).orderBy(principalTokens.tokenHash));
  expect(read.map(({ scopes }) => scopes)).toEqual(lists);
});

describe("a compiled query", () => {
  const rename = compiledByShape((db, fields: string[]) => db.update(principals)
    .set(Object.fromEntries(fields.map((field) => [field, sql.placeholder(field)]))).where(and(eq(principals.tenantId, sql.placeholder("tenantId")), sql`${principals.id} = ${anyOf("ids")}`))
    .returning({ name: principals.name, archivedAt: principals.archivedAt }));
  const youngerThan = compiled((db) => db.select({ name: principals.name }).from(principals).where(and(eq(principals.tenantId, sql.placeholder("tenantId")), gt(principals.createdAt, sql.placeholder("at")))).limit(sql.placeholder("limit")));

  test("takes null, instants, numbers and any number of ids, each call its own, on whichever connection it runs", async () => {
    const tenantId = await makeTenant();
    const ids = [newId(), newId(), newId()];
    const createdAt = new Date("2030-01-01T00:00:00Z");
    await withTenant(tenantId, (tx) => tx.insert(principals).values(ids.map((id, index) => ({ tenantId, id, name: `b${index}`, createdAt }))));
    const at = new Date("2031-02-03T04:05:06.007Z");
    const renamed = await Promise.all([
      withTenant(tenantId, (tx) => rename(tx, ["name", "archivedAt"], { tenantId, ids: uuidArray(ids.slice(0, 2)), name: "x", archivedAt: at })),
      withTenant(tenantId, (tx) => rename(tx, ["archivedAt"], { tenantId, ids: uuidArray(ids.slice(2)), archivedAt: null })),
      withTenant(tenantId, (tx) => rename(tx, ["name"], { tenantId, ids: uuidArray([]), name: "nobody" })),
    ]);
    expect(renamed).toEqual([[{ name: "x", archivedAt: at }, { name: "x", archivedAt: at }], [{ name: "b2", archivedAt: null }], []]);
    expect(await withTenant(tenantId, (tx) => youngerThan(tx, { tenantId, at: new Date(createdAt.getTime() - 1), limit: 2 }))).toHaveLength(2);
    expect(await withTenant(tenantId, (tx) => youngerThan(tx, { tenantId, at: createdAt, limit: 2 }))).toEqual([]);
  });

  test("is not sent without one of its values, and leaves the connection as it was", async () => {
    const tenantId = await makeTenant();
    await expect(withTenant(tenantId, async (tx) => youngerThan(tx, { tenantId, limit: 2 }))).rejects.toThrow("no value for at");
    expect(await withTenant(tenantId, (tx) => tx.$count(tenants))).toBe(1);
  });
});
