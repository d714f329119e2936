import { sql } from "drizzle-orm";
import { z } from "zod";
import { lookUp, withTenant } from "../db/client";
import { insertTogether, rowsOf } from "../db/insert-together";
import { groupBy } from "../group-by";
import { announceChange } from "../live";
import { log } from "../log";
import { type PresentedToken, putBack, takeWaiting, type WaitingRow } from "./buffer";
import { buyerCalls, REFUSALS } from "./schema";

type Row = typeof buyerCalls.$inferInsert;
type OwnedRow = { row: Row; waiting: WaitingRow };

/** A database that is away for a while costs no record; a row that cannot be written is given up. */
const ATTEMPTS_MAX = 30;

let running: Promise<void> = Promise.resolve();

/** Writes the calls that wait. Never throws: what cannot be written now is tried again, and given up after half a minute. */
export function flushCalls(options: { isEverything?: boolean } = {}): Promise<void> {
  running = running.then(() => writeWaiting(options.isEverything ?? false)).catch((error: unknown) => log.error("Calls could not be recorded.", { error }));
  return running;
}

async function writeWaiting(isEverything: boolean): Promise<void> {
  const { rows, dropped } = takeWaiting(isEverything);
  if (dropped > 0) log.warn("Some calls were not recorded: too many at once.", { dropped });
  const owned: OwnedRow[] = [];
  for (const waiting of rows) {
    try {
      const row = await findOwner(waiting);
      if (row) owned.push({ row, waiting });
    } catch (error) {
      postpone([waiting], error);
    }
  }
  for (const [tenantId, batch] of groupBy(owned, ({ row }) => row.tenantId)) {
    try {
      await writeBatch(tenantId, batch.map(({ row }) => row));
    } catch (error) {
      postpone(batch.map(({ waiting }) => waiting), error);
    }
  }
}

function postpone(rows: WaitingRow[], error: unknown): void {
  const again = rows.map((row) => ({ ...row, attempts: row.attempts + 1 })).filter(({ attempts }) => attempts < ATTEMPTS_MAX);
  log.warn("Calls could not be recorded.", { error, again: again.length, givenUp: rows.length - again.length });
  putBack(again);
}

async function writeBatch(tenantId: string, rows: Row[]): Promise<void> {
  await withTenant(tenantId, async (db) => {
    await insertTogether(db, [rowsOf(buyerCalls, rows)]);
    for (const principalId of new Set(rows.flatMap((row) => row.principalId ?? []))) announceChange({ db, tenantId }, "buyer", principalId);
  });
}

/** Fields are the same in every row: the statement is prepared once. */
async function findOwner({ tenantId, presented, attempts: _attempts, ...call }: WaitingRow): Promise<Row | null> {
  const fields = {
    tool: call.tool, transport: call.transport, outcome: call.outcome, field: call.field ?? null, message: call.message ?? null, suggestion: call.suggestion ?? null, issues: call.issues ?? null,
    requestId: call.requestId ?? null, durationMs: call.durationMs, calls: call.calls, accountId: call.accountId ?? null, mediaBuyId: call.mediaBuyId ?? null, request: call.request, at: call.at,
  };
  if (tenantId !== null) return { tenantId, principalId: call.principalId ?? null, tokenId: call.tokenId ?? null, tokenPrefix: null, refusal: null, ...fields };
  const owner = await findTokenOwner(presented);
  if (!owner) return null;
  const isKnown = owner.token_id !== null;
  return { tenantId: owner.tenant_id, principalId: owner.principal_id, tokenId: owner.token_id, tokenPrefix: isKnown || presented.prefix === "" ? null : presented.prefix, refusal: owner.refusal, ...fields };
}

const ownerRow = z.object({ tenant_id: z.string(), principal_id: z.string().nullable(), token_id: z.string().nullable(), refusal: z.enum(REFUSALS) });

/** Whose token it was, if anybody's; else whose door it was presented at. */
async function findTokenOwner({ tokenHash, host }: PresentedToken): Promise<z.infer<typeof ownerRow> | undefined> {
  const [owner] = await lookUp(ownerRow, sql`select * from refused_token(${tokenHash}, ${host})`);
  return owner;
}
