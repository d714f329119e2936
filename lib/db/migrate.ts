import { readFile } from "node:fs/promises";
import path from "node:path";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** Any constant will do; it only keeps two migrations of one database apart. */
const MIGRATION_LOCK = 7_041_995;

/** Tables whose rows the app may remove: links between things, reports that newer ones replace, records kept for a while; never business itself. */
const DELETABLE = ["product_targets", "creative_assignments", "account_advertisers", "delivery_slices", "buyer_calls", "product_buyers", "pricing_option_buyers", "sandbox_fixtures", "audiences", "audience_members", "inventory_lists", "package_lists", "sync_jobs"];

/**
 * Migrates as the owner, then grants the app's login role exactly what it may do. Safe to run again and from several processes.
 * @param adminUrl connection of the owner (may create roles, or the roles exist already)
 * @param appRole name of the login role in DATABASE_URL
 */
export async function migrateDatabase(adminUrl: string, appRole: string, folder = path.resolve("drizzle")): Promise<void> {
  await readFile(path.join(folder, "meta/_journal.json"));
  const client = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(client), { migrationsFolder: folder });
    await grantAppRole(client, appRole);
  } finally {
    await client.end();
  }
}

async function grantAppRole(client: postgres.Sql, appRole: string): Promise<void> {
  const role = client(appRole);
  const [version] = await client<{ number: number }[]>`select current_setting('server_version_num')::int as number`;
  await client.begin(async (tx) => {
    await tx`grant usage on schema public to ${role}`;
    await tx`grant select, insert, update on all tables in schema public to ${role}`;
    await tx`grant usage on all sequences in schema public to ${role}`;
    await tx`grant execute on all functions in schema public to ${role}`;
    await tx`revoke update on audit_log from ${role}`;
    await tx`revoke all on signing_keys, workers from ${role}`;
    await tx`revoke insert, update on users, tenant_hosts from ${role}`;
    for (const table of DELETABLE) await tx`grant delete on ${tx(table)} to ${role}`;
    // Entered with SET LOCAL ROLE only: inherited, its policies would open every tenant to every query.
    if ((version?.number ?? 0) >= 160_000) await tx`grant greenlight_worker to ${role} with inherit false, set true`;
    else {
      await tx`alter role ${role} noinherit`;
      await tx`grant greenlight_worker to ${role}`;
    }
  });
}

/** Refuses a role that could see through the walls. Resolves to a readable reason, or null when the role is safe. */
export async function findRoleProblem(appUrl: string): Promise<string | null> {
  const client = postgres(appUrl, { max: 1 });
  try {
    const [role] = await client<{ rolsuper: boolean; rolbypassrls: boolean; owns: boolean }[]>`
      select r.rolsuper, r.rolbypassrls,
        exists (select 1 from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_has_role(c.relowner, 'USAGE')) as owns
      from pg_roles r where r.rolname = current_user`;
    if (!role) return "its role does not exist";
    if (role.rolsuper) return "its role is a superuser";
    if (role.rolbypassrls) return "its role may bypass row-level security";
    if (role.owns) return "its role owns tables";
    return null;
  } finally {
    await client.end();
  }
}
