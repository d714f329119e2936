import { randomUUID } from "node:crypto";
import { type Caller } from "../adcp/buyer-auth";
import { type AppError } from "../errors";
import { fromWireId } from "../ids";
import { log } from "../log";
import { bufferCall } from "./buffer";
import { flushCalls } from "./flush";
import { redactRequest, redactText } from "./redact";
import { presentedTokenOf } from "./refused";
import { OK, type Transport } from "./schema";

/** What became known of a call while it was answered. `mediaBuyId` is the wire id in the answer, if it has one. */
export type CallTrace = { caller: Caller | null; accountId: string | null; mediaBuyId: unknown };

export type AnsweredCall = {
  tool: string;
  isRead: boolean;
  transport: Transport;
  input: unknown;
  trace: CallTrace;
  error: AppError | null;
  /** In standard words for the code, when the error has none of its own. */
  suggestion: string | undefined;
  requestId: string;
  durationMs: number;
};

const MESSAGE_MAX = 500;
const ISSUES_MAX = 20;

/** Notes an answered call for staff. In memory only, and whatever happens here, the buyer's answer stands. */
export function recordCall(call: AnsweredCall, at = new Date()): void {
  try {
    record(call, at);
  } catch (error) {
    log.error("A call could not be noted.", { error });
  }
}

/** Notes a message that was refused for its token before any tool was called. */
export function recordRefusal(what: string, transport: Transport, error: AppError): void {
  recordCall({ tool: redactText(what, 100), isRead: false, transport, input: null, trace: { caller: null, accountId: null, mediaBuyId: undefined }, error, suggestion: error.suggestion, requestId: randomUUID(), durationMs: 0 });
}

function record({ tool, isRead, transport, input, trace, error, suggestion, requestId, durationMs }: AnsweredCall, at: Date): void {
  const presented = error ? presentedTokenOf(error) : undefined;
  // A visitor without a token is nobody's buyer: only what fails is worth a row.
  if (!presented && (!trace.caller || (!error && !trace.caller.session))) return;
  const { session = null } = trace.caller ?? {};
  const request = isPlainObject(input) ? input : {};
  const issues = error?.details?.issues;
  const fields = {
    principalId: session?.principalId ?? null, tokenId: session?.tokenId ?? null, tool, transport, outcome: error?.code ?? OK,
    field: error?.field === undefined ? null : redactText(error.field, 200), message: error ? redactText(error.userMessage, MESSAGE_MAX) : null, suggestion: suggestion === undefined ? null : redactText(suggestion, MESSAGE_MAX),
    issues: Array.isArray(issues) ? issues.slice(0, ISSUES_MAX).map((issue) => (typeof issue === "string" ? redactText(issue) : redactRequest(issue))) : null,
    requestId, durationMs, at, accountId: trace.accountId ?? namedId("account", isPlainObject(request.account) ? request.account.account_id : undefined), mediaBuyId: namedId("mediaBuy", trace.mediaBuyId ?? request.media_buy_id),
  };
  // What somebody without a valid token sent is kept by nobody.
  const describe = error && session ? () => redactRequest(input) : null;
  if (presented) bufferCall({ ...fields, tenantId: null, presented }, isRead, null, flushCalls);
  else if (trace.caller) bufferCall({ ...fields, tenantId: trace.caller.tenantId, presented: null }, isRead, describe, flushCalls);
}

function namedId(kind: "account" | "mediaBuy", value: unknown): string | null {
  return typeof value === "string" ? (fromWireId(kind, value) ?? null) : null;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
