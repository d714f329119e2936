import { eq, lt, sql } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { newId } from "../ids";
import { type Log } from "../log";
import { workers } from "./schema";

const HEARTBEAT_MS = 2_000;
const FORGET_AFTER = sql`clock_timestamp() - interval '1 hour'`;

export type Heartbeat = { id: string; stop(): Promise<void> };

/** Says every two seconds that this worker lives, for /health and the status page; on a clean stop, that it is gone. */
export async function startHeartbeat({ log, info }: { log: Log; info(): Record<string, unknown> }): Promise<Heartbeat> {
  const id = newId();
  await withWorkerRole(async (tx) => {
    await tx.delete(workers).where(lt(workers.heartbeatAt, FORGET_AFTER));
    await tx.insert(workers).values({ id, startedAt: sql`clock_timestamp()`, heartbeatAt: sql`clock_timestamp()`, info: info() });
  });
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    beating = withWorkerRole((tx) => tx.update(workers).set({ heartbeatAt: sql`clock_timestamp()`, info: info() }).where(eq(workers.id, id)))
      .then(() => undefined, (error: unknown) => log.warn("A heartbeat of the worker failed", { error }));
  }, HEARTBEAT_MS);
  return {
    id,
    async stop() {
      clearInterval(timer);
      await beating;
      await withWorkerRole((tx) => tx.delete(workers).where(eq(workers.id, id)));
    },
  };
}
