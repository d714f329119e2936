import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { type Ctx } from "../context";
import { compiled, compiledAlong } from "../db/client";
import { driverCode, LOCK_TIMEOUT } from "../db/driver-code";
import { AppError, invariant } from "../errors";
import { newId } from "../ids";
import { idempotencyKeys } from "../media-buys/schema";
import { addMs, HOUR_MS } from "../time";
import { canonicalHash } from "./canonical-json";
import { isObject } from "./schemas";
import { type ToolAnswer } from "./tool";

/** How long an answer is kept for replays; afterwards a tombstone answers IDEMPOTENCY_EXPIRED. Declared in the capabilities. */
export const REPLAY_WINDOW_HOURS = 24;

/**
 * How long a statement of a change waits for a lock, be it the key's, which a first caller holds, or that of an account which another call
 * opens: the waiting caller gets SERVICE_UNAVAILABLE (Postgres' 55P03, see toAppError).
 */
export const LOCK_WAIT_MS = 2_000;

/** The payload as text: jsonb would order its members anew, and a replay is the first answer to the byte. */
const storedAnswer = z.object({ json: z.string(), summary: z.string() });
const payloadSchema = z.record(z.string(), z.unknown());

export type IdempotentCall = {
  principalId: string;
  /** null for calls that concern no single account. */
  accountId: string | null;
  key: string;
  tool: string;
  requestHash: string;
};

/**
 * Runs `work` once per (principal, account, key). The claim, what `work` changes and its answer are one transaction, the caller's: the key
 * exists when the change does. A failure of `work` rolls the claim back, so that errors are never replayed.
 *
 * Whoever waits too long for the key gets IDEMPOTENCY_IN_FLIGHT, which the dispatcher tells 3.0's buyers as SERVICE_UNAVAILABLE.
 */
export async function withIdempotency(ctx: Ctx, call: IdempotentCall, work: () => Promise<ToolAnswer>): Promise<{ answer: ToolAnswer; isReplay: boolean }> {
  const id = newId(ctx.now.getTime());
  if (!(await claim(ctx, id, call).catch(refuseInFlight))) return { answer: await replay(ctx, call), isReplay: true };
  const answer = await work();
  const response: z.infer<typeof storedAnswer> = { json: JSON.stringify(answer.payload), summary: answer.summary };
  keepAnswer(ctx.db, { tenantId: ctx.tenantId, id, response: JSON.stringify(response) });
  return { answer, isReplay: false };
}

const at = sql.placeholder;
const keepAnswer = compiledAlong((db) => db.update(idempotencyKeys).set({ response: sql`${at("response")}::text::jsonb` }).where(and(eq(idempotencyKeys.tenantId, at("tenantId")), eq(idempotencyKeys.id, at("id")))));
const insertKey = compiled((db) => db.insert(idempotencyKeys).values({
  tenantId: at("tenantId"), id: at("id"), principalId: at("principalId"), accountId: at("accountId"), key: at("key"), tool: at("tool"), requestHash: at("requestHash"),
  createdAt: at("createdAt"), expiresAt: at("expiresAt"),
}).onConflictDoNothing().returning({ id: idempotencyKeys.id }));

/** Waits for a concurrent transaction that holds the key. */
async function claim(ctx: Ctx, id: string, call: IdempotentCall): Promise<boolean> {
  const rows = await insertKey(ctx.db, { tenantId: ctx.tenantId, id, ...call, createdAt: ctx.now, expiresAt: addMs(ctx.now, REPLAY_WINDOW_HOURS * HOUR_MS) });
  return rows.length === 1;
}

/** Whoever waited too long for the first call comes again with the same key. */
function refuseInFlight(error: unknown): never {
  if (driverCode(error) !== LOCK_TIMEOUT) throw error;
  throw new AppError("IDEMPOTENCY_IN_FLIGHT", "The first call with this idempotency_key is still running.", { suggestion: "Send the same request with the same key again.", retryAfterSeconds: 1 });
}

async function replay(ctx: Ctx, call: IdempotentCall): Promise<ToolAnswer> {
  const [row] = await ctx.db.select().from(idempotencyKeys).where(and(
    eq(idempotencyKeys.tenantId, ctx.tenantId), eq(idempotencyKeys.principalId, call.principalId), eq(idempotencyKeys.key, call.key),
    call.accountId === null ? isNull(idempotencyKeys.accountId) : eq(idempotencyKeys.accountId, call.accountId),
  ));
  invariant(row, "the idempotency key exists after a conflict on it");
  if (row.tool !== call.tool || row.requestHash !== call.requestHash) throw new AppError("IDEMPOTENCY_CONFLICT", "This idempotency_key was used for a different request.");
  if (row.expiresAt <= ctx.now || row.response === null) throw new AppError("IDEMPOTENCY_EXPIRED", "The answer to this idempotency_key is no longer kept.", { field: "idempotency_key" });
  const { json, summary } = storedAnswer.parse(row.response);
  return { payload: payloadSchema.parse(JSON.parse(json)), summary };
}

/**
 * What makes two requests the same: everything but the key, the buyer's `context`, tokens that are refreshed between attempts, and
 * webhook credentials.
 */
export function requestHash(input: Record<string, unknown>): string {
  const { idempotency_key: _key, governance_context: _governance, context, ...rest } = input;
  return canonicalHash({
    ...rest,
    ...(context === undefined || isObject(context) ? {} : { context }),
    ...(isObject(rest.push_notification_config) ? { push_notification_config: withoutCredentials(rest.push_notification_config) } : {}),
    ...(isObject(rest.reporting_webhook) ? { reporting_webhook: withoutCredentials(rest.reporting_webhook) } : {}),
  });
}

function withoutCredentials(config: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(config.authentication)) return config;
  const { credentials: _credentials, ...authentication } = config.authentication;
  return { ...config, authentication };
}
