import { randomUUID } from "node:crypto";
import { resolveAccount } from "../accounts/service";
import { noteUse } from "../buyers/last-use";
import { type CallTrace, recordCall } from "../call-log/record";
import { type Transport } from "../call-log/schema";
import { type Ctx } from "../context";
import { withTenant } from "../db/client";
import { env } from "../env";
import { AppError, invariant } from "../errors";
import { log as rootLog } from "../log";
import { buyerActor } from "./buyer-actor";
import { type Caller, missingToken } from "./buyer-auth";
import { LOCK_WAIT_MS, requestHash, withIdempotency } from "./idempotency";
import { assertPlainText } from "./plain-text";
import { takeCall } from "./rate-limit";
import { isVisibleTo, visibleTools } from "./registry";
import { isObject } from "./schemas";
import { assertSignedChange } from "./signing-policy";
import { type MutationTool, type Tool, type ToolAnswer, type ToolCall } from "./tool";
import { assertValidRequest, findResponseProblem } from "./tool-schemas";
import { assertScope } from "./tool-scopes";
import { DEFAULT_VERSION, negotiateVersion, payloadOf, type Served } from "./versions";
import { errorPayload, suggestionOf, toAppError } from "./wire-error";

/** In production every hundredth answer is checked against its schema, and a mistake is logged; elsewhere every one, and a mistake fails the call. */
const PRODUCTION_SAMPLE = 100;

/** The answer to one call, as JSON text, for either door. */
export type Reply = { json: string; summary: string; error: AppError | null };

/**
 * One call of one tool: token → version → schema → the tool, in the transaction that also stores its answer when it changes anything →
 * response schema → envelope. Never throws: every failure becomes a typed error.
 * @param identify called once; throws AUTH_REQUIRED for a token that is not valid
 */
export async function dispatch(tool: Tool, input: unknown, identify: () => Promise<Caller>, transport: Transport): Promise<Reply> {
  const requestId = randomUUID();
  const log = rootLog.child({ requestId, tool: tool.name });
  const startedAt = performance.now();
  const trace: CallTrace = { caller: null, accountId: null, mediaBuyId: undefined };
  const reply = await run(tool, input, identify, requestId, log, trace);
  const durationMs = performance.now() - startedAt;
  log.debug("A buyer's call.", { ms: Math.round(durationMs), outcome: reply.error?.code ?? "ok", field: reply.error?.field });
  recordCall({ tool: tool.name, isRead: tool.kind === "read", transport, input, trace, error: reply.error, suggestion: reply.error ? suggestionOf(reply.error) : undefined, requestId, durationMs });
  return reply;
}

async function run(tool: Tool, input: unknown, identify: () => Promise<Caller>, requestId: string, log: typeof rootLog, trace: CallTrace): Promise<Reply> {
  const context = isObject(input) && isObject(input.context) ? input.context : undefined;
  let served = DEFAULT_VERSION;
  try {
    const caller = await identify();
    trace.caller = caller;
    noteUse(caller.tenantId, caller.usedIds, Date.now());
    invariant(isVisibleTo(tool, caller.session), `${tool.name} was called by somebody for whom it does not exist`);
    if (tool.access === "principal" && !caller.session) throw missingToken();
    assertScope(caller.session, tool.name);
    if (caller.session) await takeCall(caller.session, tool.name, tool.kind === "read" ? "read" : "write", caller.rateLimits);
    if (!isObject(input)) throw new AppError("INVALID_REQUEST", "The input is a JSON object.");
    assertPlainText(input, !tool.annotations.readOnlyHint);
    served = negotiateVersion(input);
    if (tool.kind === "mutation") assertSignedChange(caller, input);
    const request = tool.defaults ? { ...tool.defaults, ...input } : input;
    assertValidRequest(tool, request);
    const call: ToolCall = { ...caller, now: new Date(), log, requestId, changes: () => visibleTools(caller.session).filter(({ kind }) => kind === "mutation").map(({ name }) => name) };
    const { answer, isReplay } = tool.kind === "read" ? { answer: checked(tool, await tool.run(call, request), log), isReplay: false } : await mutate(tool, call, request, trace);
    trace.mediaBuyId = answer.payload.media_buy_id;
    return { json: envelope(answer, isReplay, context, served), summary: answer.summary, error: null };
  } catch (failure) {
    const error = errorOf(toAppError(failure, log), served);
    return { json: JSON.stringify({ ...errorPayload(error), ...named(served), ...(context === undefined ? {} : { context }) }), summary: error.userMessage, error };
  }
}

/** 3.0 has no code of its own for a first call that is still running. */
function errorOf(error: AppError, { version }: Served): AppError {
  if (error.code !== "IDEMPOTENCY_IN_FLIGHT" || version !== "3.0") return error;
  return new AppError("SERVICE_UNAVAILABLE", error.userMessage, { suggestion: error.suggestion, retryAfterSeconds: error.retryAfterSeconds });
}

async function mutate(tool: MutationTool & Tool, call: ToolCall, request: Record<string, unknown>, trace: CallTrace): Promise<{ answer: ToolAnswer; isReplay: boolean }> {
  const { session, tenantId, now, log } = call;
  if (!session) throw missingToken();
  return withTenant(tenantId, async (db) => {
    const actor = buyerActor(session);
    const ctx: Ctx = { db, tenantId, actor, now, log };
    const account = request.account === undefined ? null : await resolveAccount(ctx, session, request.account);
    trace.accountId = account?.id ?? null;
    const claim = { principalId: session.principalId, accountId: account?.id ?? null, key: String(request.idempotency_key), tool: tool.name, requestHash: requestHash(request) };
    return withIdempotency(ctx, claim, async () => checked(tool, await tool.run({ ...call, session, db, actor }, request), log));
  }, { lockWaitMs: LOCK_WAIT_MS });
}

let answers = 0;

function checked(tool: Tool, answer: ToolAnswer, log: typeof rootLog): ToolAnswer {
  if (answer.json !== undefined) return answer;
  const isProduction = env().NODE_ENV === "production";
  answers += 1;
  if (isProduction && answers % PRODUCTION_SAMPLE !== 0) return answer;
  const problem = findResponseProblem(tool, answer.payload);
  if (problem && !isProduction) throw new Error(`The answer of ${tool.name} does not fit its schema: ${problem}`);
  if (problem) log.error("An answer does not fit its schema.", { problem });
  return answer;
}

/** Adds the protocol's envelope to the payload: task status, release, replay mark, and the buyer's context as it came. */
function envelope({ payload, json }: ToolAnswer, isReplay: boolean, context: Record<string, unknown> | undefined, served: Served): string {
  const added = {
    ...("status" in payload ? {} : { status: "completed" }),
    ...named(served),
    ...(isReplay ? { replayed: true } : {}),
    ...(context === undefined ? {} : { context }),
  };
  if (json === undefined) return JSON.stringify({ ...payloadOf(payload, served.version), ...added });
  const tail = JSON.stringify(added).slice(1);
  return tail === "}" ? json : `${json.slice(0, -1)}${json === "{}" ? "" : ","}${tail}`;
}

/** Whoever names a release is told which one was served. */
function named({ version, isNamed }: Served): Record<string, unknown> {
  return isNamed ? { adcp_version: version } : {};
}
