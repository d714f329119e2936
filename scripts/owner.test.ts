import postgres from "postgres";
import { expect, inject, test } from "vitest";
import { findRoleProblem, migrateDatabase } from "@/lib/db/migrate";

/** Production has an owner who is no superuser: everything must work with CREATEROLE and the ownership of one database. */
test("an owner without superuser rights migrates, and the app's role is safe", async () => {
  const server = new URL(inject("adminUrl"));
  server.pathname = "/postgres";
  const root = postgres(server.href, { max: 1, onnotice: () => undefined });
  await root.unsafe(`create role owner_test login createrole password 'owner-password'`);
  await root.unsafe(`create role app_test login password 'app-password'`);
  await root.unsafe(`create database owned_test owner owner_test`);
  // A cluster's first migration makes the role; here an earlier one did.
  await root.unsafe(`grant greenlight_worker to owner_test with admin option`);
  const at = (user: string, password: string) => Object.assign(new URL(server), { username: user, password, pathname: "/owned_test" }).href;
  try {
    await migrateDatabase(at("owner_test", "owner-password"), "app_test");
    await migrateDatabase(at("owner_test", "owner-password"), "app_test");
    expect(await findRoleProblem(at("app_test", "app-password"))).toBeNull();
    expect(await findRoleProblem(at("owner_test", "owner-password"))).toBe("its role owns tables");

    const app = postgres(at("app_test", "app-password"), { max: 1 });
    const health = await app`select * from service_health()`;
    const seen = await app`select count(*)::int as n from tenants`;
    const asWorker = await app.begin(async (tx) => {
      await tx`set local role greenlight_worker`;
      return tx`select count(*)::int as n from tenants`;
    });
    await app.end();
    expect([health.length, seen[0]?.n, asWorker[0]?.n]).toEqual([1, 0, 0]);
  } finally {
    await root.unsafe(`drop database if exists owned_test with (force)`);
    await root.unsafe(`drop role if exists app_test`);
    await root.unsafe(`drop owned by owner_test cascade`).catch(() => undefined);
    await root.unsafe(`drop role if exists owner_test`);
    await root.end();
  }
});
