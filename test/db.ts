import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, inject } from "vitest";
import { closeDatabase } from "@/lib/db/client";

export type TestDatabase = { appUrl: string; adminUrl: string; drop(): Promise<void> };

/** A fresh database, cloned from the migrated template in some 25 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = new URL(inject("adminUrl"));
  const name = `t_${randomBytes(6).toString("hex")}`;
  const server = new URL(template);
  server.pathname = "/postgres";
  const client = postgres(server.href, { max: 1, onnotice: () => undefined });
  // Cloning refuses while another session is on the template; files start at the same time.
  await client`select pg_advisory_lock(1)`;
  await client.unsafe(`create database ${name} template ${template.pathname.slice(1)}`);
  await client.end();
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  return {
    adminUrl: at(inject("adminUrl")),
    appUrl: at(inject("appUrl")),
    async drop() {
      const admin = postgres(server.href, { max: 1, onnotice: () => undefined });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Gives the test file a database of its own and points lib/env.ts at it. Read `database.adminUrl` inside tests. */
export function useTestDatabase(): { adminUrl: string; appUrl: string } {
  const database = { adminUrl: "", appUrl: "" };
  let made: TestDatabase | undefined;
  beforeAll(async () => {
    made = await createTestDatabase();
    Object.assign(database, { adminUrl: made.adminUrl, appUrl: made.appUrl });
    Object.assign(process.env, {
      NODE_ENV: "test",
      DATABASE_URL: made.appUrl,
      DATABASE_ADMIN_URL: made.adminUrl,
      ENCRYPTION_KEY: "11".repeat(32),
      AUTH_SECRET: "test-secret-of-at-least-32-characters",
      PUBLIC_URL: "http://127.0.0.1:3000",
      DEMO: "1",
      LOG_LEVEL: "silent",
    });
  });
  afterAll(async () => {
    await closeDatabase();
    await made?.drop();
  });
  return database;
}
