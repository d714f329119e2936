import { closeDatabase } from "@/lib/db/client";
import { listSigningKeys, PUBLISHED_AHEAD_HOURS, revokeSigningKey, rotateSigningKeys } from "@/lib/webhooks/signing-keys";
import { readOptions } from "./arguments";
import { connectAsOwner } from "./connect";

const USAGE = `usage: npm run signing-keys -- [--rotate yes] [--revoke kid]
Lists the keys that sign notifications. They change by themselves every 90 days. --rotate publishes a successor now, which signs in ${PUBLISHED_AHEAD_HOURS} hours.
--revoke is for a key that somebody else may have: it leaves the published keys at once.`;

async function main(): Promise<void> {
  const { rotate, revoke } = readOptions<never>(USAGE, [], ["rotate", "revoke"]);
  const { close } = await connectAsOwner();
  try {
    const now = new Date();
    if (revoke !== undefined && !(await revokeSigningKey(revoke, now))) throw new Error(`There is no key ${revoke}.`);
    if (rotate === "yes") {
      const { made } = await rotateSigningKeys(now, { isDue: true });
      if (made.length === 0) console.log("Nothing to rotate: there is no key yet, or its successor is already published.");
    }
    for (const { kid, activatesAt, retiredAt } of await listSigningKeys()) {
      console.log(`${kid}  ${retiredAt ? `retired ${retiredAt.toISOString()}` : activatesAt > now ? `signs from ${activatesAt.toISOString()}` : `signs since ${activatesAt.toISOString()}`}`);
    }
  } finally {
    await closeDatabase();
    await close();
  }
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
