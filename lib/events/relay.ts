import { randomUUID } from "node:crypto";
import { and, asc, eq, inArray, isNull, lt, or, sql } from "drizzle-orm";
import { listen, withWorkerRole } from "../db/client";
import { type Log, log as defaultLog } from "../log";
import { outbox } from "./schema";

export type OutboundEvent = { id: string; name: string; data: Record<string, unknown>; ts: number };
export type RelayOptions = { send(events: OutboundEvent[]): Promise<unknown>; log?: Log; pollMs?: number };
export type Relay = { stop(): Promise<void>; status(): { isFailing: boolean; lastError: string | null } };

const BATCH = 100;
const POLL_MS = 500;
/** Longer than any send: a relay that died holds its claim for this long. */
const LEASE_SECONDS = 30;
const BACKOFF_MS_MAX = 60_000;

/**
 * Sends the outbox on: claims rows under a lease, commits, sends, marks. No network inside a transaction. Any number of relays may run; what one
 * claims the others skip. Delivery is at least once, under the event's own id. Wakes by notification, and by polling in case one was lost.
 */
export async function startRelay({ send, log = defaultLog, pollMs = POLL_MS }: RelayOptions): Promise<Relay> {
  const owner = randomUUID();
  let isStopped = false;
  let lastError: string | null = null;
  let running: Promise<void> | undefined;
  let isWokenAgain = false;

  /** One drain at a time; a wake-up during one causes another, so that none is lost between its last claim and its end. */
  function wake(): void {
    if (isStopped) return;
    if (running) {
      isWokenAgain = true;
      return;
    }
    running = drain().catch((error: unknown) => {
      lastError = describe(error);
      log.error("The relay could not read the outbox; it tries again.", { error });
    }).finally(() => {
      running = undefined;
      if (isWokenAgain) {
        isWokenAgain = false;
        wake();
      }
    });
  }

  async function drain(): Promise<void> {
    while (!isStopped) {
      const rows = await claim(owner);
      if (rows.length > 0) lastError = await forward(owner, rows, send, log);
      if (rows.length < BATCH) return;
    }
  }

  const stopListening = await listen("greenlight_outbox", wake, wake);
  const timer = setInterval(wake, pollMs);
  wake();
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await stopListening();
      await running;
    },
    status: () => ({ isFailing: lastError !== null, lastError }),
  };
}

type Row = { id: number; eventId: string; name: string; data: Record<string, unknown>; createdAt: Date; attempts: number };

async function claim(owner: string): Promise<Row[]> {
  return withWorkerRole((tx) => {
    const due = tx.select({ id: outbox.id }).from(outbox)
      .where(and(isNull(outbox.sentAt), or(isNull(outbox.leaseUntil), lt(outbox.leaseUntil, sql`clock_timestamp()`))))
      .orderBy(asc(outbox.id)).limit(BATCH).for("update", { skipLocked: true });
    return tx.update(outbox)
      .set({ leaseOwner: owner, leaseUntil: sql`clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'`, attempts: sql`${outbox.attempts} + 1` })
      .where(inArray(outbox.id, due))
      .returning({ id: outbox.id, eventId: outbox.eventId, name: outbox.name, data: outbox.data, createdAt: outbox.createdAt, attempts: outbox.attempts });
  });
}

/** Sends a batch; when it is refused, each event alone, so that one bad event holds up no other. Answers the last error. */
async function forward(owner: string, rows: Row[], send: RelayOptions["send"], log: Log): Promise<string | null> {
  const ordered = rows.sort((a, b) => a.id - b.id);
  if (ordered.length > 1 && (await trySend(ordered, send)) === null) return markSent(owner, ordered);
  let lastError: string | null = null;
  for (const row of ordered) {
    const error = await trySend([row], send);
    if (error === null) await markSent(owner, [row]);
    else {
      lastError = error;
      log.warn("An event could not be sent on; the relay tries again.", { eventId: row.eventId, attempts: row.attempts, error });
      await postpone(owner, row, error);
    }
  }
  return lastError;
}

async function trySend(rows: Row[], send: RelayOptions["send"]): Promise<string | null> {
  try {
    await send(rows.map((row) => ({ id: row.eventId, name: row.name, data: row.data, ts: row.createdAt.getTime() })));
    return null;
  } catch (error) {
    return describe(error);
  }
}

async function markSent(owner: string, rows: Row[]): Promise<null> {
  await withWorkerRole((tx) => tx.update(outbox).set({ sentAt: sql`clock_timestamp()`, leaseOwner: null, leaseUntil: null, lastError: null })
    .where(and(inArray(outbox.id, rows.map(({ id }) => id)), eq(outbox.leaseOwner, owner))));
  return null;
}

async function postpone(owner: string, row: Row, error: string): Promise<void> {
  const backoffMs = Math.min(BACKOFF_MS_MAX, 250 * 2 ** Math.min(row.attempts, 12));
  await withWorkerRole((tx) => tx.update(outbox)
    .set({ leaseOwner: null, leaseUntil: sql`clock_timestamp() + ${backoffMs} * interval '1 millisecond'`, lastError: error.slice(0, 500) })
    .where(and(eq(outbox.id, row.id), eq(outbox.leaseOwner, owner))));
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
