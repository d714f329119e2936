import postgres from "postgres";
import { withoutTypeQuery } from "./connection";
import { type EngineLog } from "./log";

const POLL_MS = 500;
const HEARTBEAT_MS = 5_000;
const HEARTBEAT_TIMEOUT_MS = 10_000;

export type HeldLock = { release(): Promise<void> };
type Options = { databaseUrl: string; name: string; log: EngineLog; onLost: (reason: string) => void; signal: AbortSignal };

/**
 * Waits until this process is the only one that holds the named lock of the database, on a connection of its own.
 * `onLost` is called once when that connection ends: from then on another process may hold the lock.
 * Resolves to undefined when `signal` aborts the wait. Needs a direct connection, not a transaction pooler.
 */
export async function holdLock({ databaseUrl, name, log, onLost, signal }: Options): Promise<HeldLock | undefined> {
  let isHeld = false;
  const lose = (reason: string) => {
    if (!isHeld) return;
    isHeld = false;
    onLost(reason);
  };
  // Without max_lifetime null the driver renews its connections within the hour, and the lock goes with the old one.
  const client = postgres(databaseUrl, { ...withoutTypeQuery, max: 1, idle_timeout: 0, max_lifetime: null, onnotice: () => undefined, onclose: () => lose("the connection that holds the lock was closed") });

  const tryLock = async () => {
    const [row] = await client<{ taken: boolean }[]>`select pg_try_advisory_lock(hashtextextended(${name}, 0)) as taken`;
    return row?.taken ?? false;
  };

  try {
    // Polls: a session that waits inside pg_advisory_lock() holds a snapshot, and with it vacuum and concurrent index builds.
    isHeld = await tryLock();
    if (!isHeld) log.info("Another process runs the functions; standing by", { lock: name });
    while (!isHeld && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      isHeld = await tryLock();
    }
  } catch (error) {
    await client.end({ timeout: 1 });
    throw error;
  }
  if (!isHeld) {
    await client.end({ timeout: 1 });
    return undefined;
  }

  // A connection that is half dead closes late: ask, and count silence as a loss.
  const heartbeat = setInterval(() => {
    const silence = setTimeout(() => lose("the connection that holds the lock does not answer"), HEARTBEAT_TIMEOUT_MS);
    client`select 1`.catch(() => lose("the connection that holds the lock failed")).finally(() => clearTimeout(silence));
  }, HEARTBEAT_MS);

  return {
    async release() {
      isHeld = false;
      clearInterval(heartbeat);
      await client.end({ timeout: 1 });
    },
  };
}
