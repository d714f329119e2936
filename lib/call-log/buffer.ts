import { MINUTE_MS, SECOND_MS } from "../time";
import { type buyerCalls, OK } from "./schema";

/**
 * Calls that were answered, waiting to be written. A call only adds to memory; a timer writes what waits, in one statement a publisher.
 * Each failure and each change is a row of its own, up to DETAILED_PER_MINUTE a buyer; successful reads are written singly once a minute,
 * and what comes beyond is counted: one row a minute for all that are alike. So counts are exact, and no buyer can fill the table.
 */

type Row = typeof buyerCalls.$inferInsert;

/** A refused token before its owner is known: looked up when it is written, not while the buyer waits. */
export type PresentedToken = { tokenHash: Buffer; prefix: string; host: string };

export type BufferedCall = Omit<Row, "tenantId" | "calls" | "request" | "at"> & { at: Date } & ({ tenantId: string; presented: null } | { tenantId: null; presented: PresentedToken });
export type WaitingRow = BufferedCall & { calls: number; request: Record<string, unknown> | null; attempts: number };

const DETAILED_PER_MINUTE = 60;
/** Beyond it, rows are dropped and said to be: memory is bounded even when the database does not answer. */
const WAITING_MAX = 5_000;
const FLUSH_MS = SECOND_MS;

type CallBuffer = {
  waiting: WaitingRow[];
  /** Counted calls of the running minute, by what makes them alike. */
  counted: Map<string, WaitingRow>;
  /** Rows of their own in the running minute, by whose they are. */
  detailed: Map<string, number>;
  minute: number;
  dropped: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  flush: (() => Promise<void>) | undefined;
};

// server.ts and Next's route bundles are separate module instances in one process.
const globals = globalThis as typeof globalThis & { __greenlightCalls?: CallBuffer };

function buffer(): CallBuffer {
  return (globals.__greenlightCalls ??= { waiting: [], counted: new Map(), detailed: new Map(), minute: 0, dropped: 0, timer: undefined, flush: undefined });
}

/** Remembers a call. `describe` is asked for the request only if it is to be kept. Costs some microseconds, and cannot fail a call. */
export function bufferCall(call: BufferedCall, isRead: boolean, describe: (() => Record<string, unknown>) | null, flush: () => Promise<void>): void {
  const state = buffer();
  state.flush = flush;
  closeMinute(state, Math.floor(call.at.getTime() / MINUTE_MS));
  const whose = call.tenantId === null ? `refused ${call.presented.host}` : `${call.tenantId} ${call.principalId ?? ""}`;
  const alike = `${whose} ${call.tokenId ?? ""} ${call.transport} ${call.tool} ${call.outcome}`;
  const budget = isRead && call.outcome === OK ? { key: alike, rows: 1 } : { key: whose, rows: DETAILED_PER_MINUTE };
  const used = state.detailed.get(budget.key) ?? 0;
  if (used < budget.rows) {
    state.detailed.set(budget.key, used + 1);
    wait(state, { ...call, calls: 1, request: describe?.() ?? null, attempts: 0 });
  } else {
    count(state, alike, call);
  }
  arm(state);
}

function count(state: CallBuffer, alike: string, call: BufferedCall): void {
  const known = state.counted.get(alike);
  if (known) {
    known.durationMs = (known.durationMs * known.calls + call.durationMs) / (known.calls + 1);
    known.calls += 1;
    known.at = call.at;
  } else if (state.counted.size < WAITING_MAX) {
    const owner = call.tenantId === null ? { tenantId: null, presented: { ...call.presented, tokenHash: NOBODYS, prefix: "" } } : { tenantId: call.tenantId, presented: null };
    state.counted.set(alike, { ...call, ...owner, field: null, message: null, suggestion: null, issues: null, requestId: null, accountId: null, mediaBuyId: null, calls: 1, request: null, attempts: 0 });
  } else {
    state.dropped += 1;
  }
}

/** Different refused tokens that are counted together belong to nobody. */
const NOBODYS = Buffer.alloc(0);

function closeMinute(state: CallBuffer, minute: number): void {
  if (minute === state.minute) return;
  for (const row of state.counted.values()) wait(state, row);
  state.counted.clear();
  state.detailed.clear();
  state.minute = minute;
}

function wait(state: CallBuffer, row: WaitingRow): void {
  if (state.waiting.length < WAITING_MAX) state.waiting.push(row);
  else state.dropped += 1;
}

function arm(state: CallBuffer): void {
  if (state.timer || (state.waiting.length === 0 && state.counted.size === 0)) return;
  state.timer = setTimeout(() => {
    state.timer = undefined;
    void (state.flush?.() ?? Promise.resolve()).finally(() => arm(state));
  }, FLUSH_MS);
  state.timer.unref();
}

/** Hands over what waits, and forgets it. `isEverything`: what is still being counted, too. */
export function takeWaiting(isEverything: boolean, now = new Date()): { rows: WaitingRow[]; dropped: number } {
  const state = buffer();
  const minute = Math.floor(now.getTime() / MINUTE_MS);
  if (isEverything) closeMinute(state, -1);
  closeMinute(state, minute);
  const taken = { rows: state.waiting, dropped: state.dropped };
  state.waiting = [];
  state.dropped = 0;
  return taken;
}

/** Puts back what could not be written, before what has come since. */
export function putBack(rows: WaitingRow[]): void {
  const state = buffer();
  const kept = rows.slice(0, WAITING_MAX - Math.min(WAITING_MAX, state.waiting.length));
  state.dropped += rows.length - kept.length;
  state.waiting = [...kept, ...state.waiting];
  arm(state);
}
