import path from "node:path";
import postgres from "postgres";
import { startEmbeddedPostgres } from "./embedded-postgres";
import { prepareDatabase } from "./prepare-database";

/**
 * For scripts of the operator: the owner's connection, with the database migrated and DATABASE_URL set. Without DATABASE_URL the
 * embedded database of DATA_DIR is used; it must not be running (stop `npm start` first).
 */
export async function connectAsOwner(): Promise<{ admin: postgres.Sql; close(): Promise<void> }> {
  const embedded = process.env.DATABASE_URL ? undefined : await startEmbeddedPostgres({ directory: path.resolve(process.env.DATA_DIR ?? ".data", "postgres"), database: "greenlight", appRole: "greenlight_app", isDurable: true, mayStopOther: false });
  if (embedded) Object.assign(process.env, { DATABASE_URL: embedded.appUrl, DATABASE_ADMIN_URL: embedded.adminUrl });
  const { DATABASE_URL: appUrl, DATABASE_ADMIN_URL: adminUrl } = process.env;
  if (!appUrl || !adminUrl) throw new Error("DATABASE_ADMIN_URL is not set: this needs the owner's connection.");
  await prepareDatabase(appUrl, adminUrl);
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  return {
    admin,
    async close() {
      await admin.end();
      await embedded?.stop();
    },
  };
}
