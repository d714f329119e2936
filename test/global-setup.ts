import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { mkdirSync } from "node:fs";
import { type TestProject } from "vitest/node";
import { migrateDatabase } from "@/lib/db/migrate";
import { startEmbeddedPostgres } from "@/scripts/embedded-postgres";

declare module "vitest" {
  interface ProvidedContext {
    adminUrl: string;
    appUrl: string;
  }
}

/** One PostgreSQL for the run, with one migrated template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  mkdirSync(".cache", { recursive: true });
  const directory = await mkdtemp(path.resolve(".cache/test-postgres-"));
  const server = await startEmbeddedPostgres({ directory, database: "template_greenlight", appRole: "greenlight_app", isDurable: false });
  await migrateDatabase(server.adminUrl, "greenlight_app");
  project.provide("adminUrl", server.adminUrl);
  project.provide("appUrl", server.appUrl);
  return async () => {
    // The embedded database's library ends the process with 0 when nothing is left to do, whatever the tests had to say.
    process.prependOnceListener("beforeExit", () => process.exit(process.exitCode ?? 0));
    await server.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
}
