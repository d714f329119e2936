import { and, isNull, eq } from "drizzle-orm";
import { adapterConfigs } from "@/lib/ad-servers/schema";
import { closeDatabase, withWorkerRole } from "@/lib/db/client";

async function poll(what: string, timeoutMs: number, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${timeoutMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function waitForHealth(url: string): Promise<void> {
  await poll("Getting ready", 60_000, async () => (await fetch(url)).ok);
}

/** The demo's connections are tested by the worker as any other; orders can be placed once they are verified. */
export async function waitForVerifiedConnections(): Promise<void> {
  await poll("Verifying the demo's connections", 60_000, async () => {
    const unverified = await withWorkerRole((tx) => tx.select({ id: adapterConfigs.id }).from(adapterConfigs).where(and(isNull(adapterConfigs.archivedAt), eq(adapterConfigs.status, "unverified"))));
    return unverified.length === 0;
  });
  await closeDatabase();
}
