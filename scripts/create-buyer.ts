import { principals, principalTokens } from "@/lib/buyers/schema";
import { createToken } from "@/lib/buyers/tokens";
import { closeDatabase, withTenant } from "@/lib/db/client";
import { newId } from "@/lib/ids";
import { readOptions } from "./arguments";
import { connectAsOwner } from "./connect";

const USAGE = `usage: npm run create-buyer -- --publisher slug --name "Buying Agency" [--sandbox yes]
Makes a buyer of this publisher and prints its bearer token, once. A sandbox buyer's orders reach simulated connections only.`;

async function main(): Promise<void> {
  const options = readOptions(USAGE, ["publisher", "name"], ["sandbox"]);
  const { admin, close } = await connectAsOwner();
  try {
    const [tenant] = await admin<{ id: string }[]>`select tenant_id as id from tenant_by_slug(${options.publisher})`;
    if (!tenant) throw new Error(`There is no publisher ${options.publisher}.`);
    const { token, tokenHash, prefix } = createToken();
    await withTenant(tenant.id, async (tx) => {
      const principalId = newId();
      await tx.insert(principals).values({ tenantId: tenant.id, id: principalId, name: options.name, isSandbox: options.sandbox === "yes" });
      await tx.insert(principalTokens).values({ tenantId: tenant.id, id: newId(), principalId, tokenHash, prefix });
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
