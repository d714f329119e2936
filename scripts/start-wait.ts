import { and, eq, inArray } from "drizzle-orm";
import { closeDatabase, withWorkerRole } from "@/lib/db/client";
import { syncJobs } from "@/lib/sync-jobs/schema";

/** Nobody waits longer than it takes; on a slow machine it takes long. */
const PATIENCE_MS = 180_000;

async function poll(what: string, timeoutMs: number, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${timeoutMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Asks where the web process listens: HOST may be one address of many. */
export async function waitForHealth(host: string | undefined, port: number): Promise<void> {
  const name = !host || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = `http://${name}:${port}/health`;
  await poll("Getting ready", PATIENCE_MS, async () => (await fetch(url)).ok);
}

/**
 * The demo's connections are tested by the worker as any other; orders can be placed once they are verified. Answers false when the tests
 * take too long or failed: the screens then say why, and have a button to try again.
 */
export async function waitForConnectionTests(): Promise<boolean> {
  const isOver = await poll("Testing the demo's connections", PATIENCE_MS, async () => {
    const open = await withWorkerRole((tx) => tx.select({ id: syncJobs.id }).from(syncJobs).where(and(eq(syncJobs.kind, "connection_test"), inArray(syncJobs.state, ["queued", "running"]))));
    return open.length === 0;
  }).then(() => true, () => false);
  await closeDatabase();
  return isOver;
}
