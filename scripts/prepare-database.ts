import { sql } from "drizzle-orm";
import { z } from "zod";
import { migrateEngine } from "@/engine/migrate";
import { lookUp } from "@/lib/db/client";
import { findRoleProblem, migrateDatabase } from "@/lib/db/migrate";

export class StartRefused extends Error {}

/** Migrates when an owner's connection is given, then refuses an app role that could see through the walls. */
export async function prepareDatabase(appUrl: string, adminUrl: string | undefined): Promise<void> {
  const appRole = decodeURIComponent(new URL(appUrl).username);
  if (adminUrl) {
    await migrateDatabase(adminUrl, appRole);
    await migrateEngine(adminUrl, appRole);
  }
  const problem = await findRoleProblem(appUrl);
  if (problem) throw new StartRefused(`DATABASE_URL cannot be used: ${problem}. Use a login role of its own for the app, and DATABASE_ADMIN_URL for the owner who migrates.`);
}

const flags = z.object({ has_demo: z.boolean(), has_real: z.boolean() });

/** Demo and real publishers never share a database. */
export async function assertDemoBoundary(isDemo: boolean): Promise<void> {
  const [found] = await lookUp(flags, sql`select has_demo, has_real from service_health()`);
  if (isDemo && found?.has_real) throw new StartRefused("Demo mode refuses this database: it holds a real publisher. Set DEMO=0, or use another database.");
  if (!isDemo && found?.has_demo) throw new StartRefused("This database holds demo publishers, whose passwords and tokens are public. Start it with DEMO=1, or use another database.");
}
