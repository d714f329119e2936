import { ALL_SCOPES } from "@/lib/buyers/scopes";
import { createPrincipal } from "@/lib/buyers/service";
import { issueToken } from "@/lib/buyers/token-service";
import { type Ctx } from "@/lib/context";
import { closeDatabase, withTenant } from "@/lib/db/client";
import { log } from "@/lib/log";
import { readOptions } from "./arguments";
import { connectAsOwner } from "./connect";

const USAGE = `usage: npm run create-buyer -- --publisher slug --name "Buying Agency" [--sandbox yes] [--scopes products:read,orders:read]
Makes a buyer of this publisher and prints its bearer token, once. A sandbox buyer's orders reach simulated connections only.`;

async function main(): Promise<void> {
  const options = readOptions(USAGE, ["publisher", "name"], ["sandbox", "scopes"]);
  const { admin, close } = await connectAsOwner();
  try {
    const [tenant] = await admin<{ id: string }[]>`select tenant_id as id from tenant_by_slug(${options.publisher})`;
    if (!tenant) throw new Error(`There is no publisher ${options.publisher}.`);
    const { token } = await withTenant(tenant.id, async (db) => {
      const ctx: Ctx = { db, tenantId: tenant.id, actor: { kind: "system", label: "create-buyer" }, now: new Date(), log };
      const { id } = await createPrincipal(ctx, { name: options.name, isSandbox: options.sandbox === "yes" });
      return issueToken(ctx, { principalId: id, name: "", scopes: options.scopes?.split(",").map((scope) => scope.trim()) ?? [ALL_SCOPES], expiresAt: null });
    });
    console.log(`${options.name}, a buyer of ${options.publisher}. Its token, shown only now:\n${token}`);
  } finally {
    await closeDatabase();
    await close();
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
