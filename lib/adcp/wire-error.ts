import { randomUUID } from "node:crypto";
import { driverCode, LOCK_TIMEOUT } from "../db/driver-code";
import { AppError, ERROR_TABLE, type ErrorCode } from "../errors";
import { type Log } from "../log";
import { isObject, loadSchema } from "./schemas";

/** An error as both doors show it: core/error.json. */
export type WireError = {
  code: string;
  message: string;
  recovery?: "correctable" | "transient" | "terminal";
  field?: string;
  suggestion?: string;
  retry_after?: number;
  issues?: unknown;
  details?: Record<string, unknown>;
};

/** Waited too long for a lock; deadlock; serialisation failure; too many connections; shutting down. */
const TRANSIENT_SQLSTATES = new Set([LOCK_TIMEOUT, "40P01", "40001", "53300", "57P01", "57P02", "57P03", "57014"]);
const TRANSIENT_NETWORK_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT"]);

/** Every failure as a typed one. What we did not foresee is logged with an id, and shown as that id. */
export function toAppError(error: unknown, log: Log): AppError {
  if (error instanceof AppError) {
    if (error.cause !== undefined) log.warn("A buyer's call failed.", { code: error.code, cause: error.cause });
    return error;
  }
  const code = driverCode(error);
  if (code && (TRANSIENT_SQLSTATES.has(code) || TRANSIENT_NETWORK_CODES.has(code))) {
    log.warn("A buyer's call failed for a passing reason.", { error });
    return new AppError("SERVICE_UNAVAILABLE", "The service is busy. Send the request again.", { retryAfterSeconds: 1 });
  }
  const errorId = randomUUID();
  log.error("A buyer's call failed unexpectedly.", { errorId, error });
  return new AppError("INTERNAL_ERROR", `Something failed on our side. Its id in our log is ${errorId}.`, { details: { error_id: errorId } });
}

export function toWireError(error: AppError): WireError {
  const { issues, ...details } = error.details ?? {};
  const suggestion = suggestionOf(error);
  return {
    code: error.code,
    message: error.userMessage,
    recovery: ERROR_TABLE[error.code].recovery,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(error.retryAfterSeconds === undefined ? {} : { retry_after: Math.min(3_600, Math.max(1, error.retryAfterSeconds)) }),
    ...(issues === undefined ? {} : { issues }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** What the caller can do about it: in the error's own words, else in the protocol's. */
export function suggestionOf(error: AppError): string | undefined {
  return error.suggestion ?? standardSuggestions().get(error.code);
}

/** Both forms of the protocol: the envelope's `adcp_error` and the payload's `errors[]`. */
export function errorPayload(error: AppError): Record<string, unknown> {
  const wire = toWireError(error);
  // Whoever stole a key must learn nothing from a conflict, not even which field differs.
  if (error.code === "IDEMPOTENCY_CONFLICT") {
    const { code, message, recovery } = wire;
    return { status: "failed", adcp_error: { code, message }, errors: [{ code, message, recovery }] };
  }
  return { status: "failed", adcp_error: wire, errors: [wire] };
}

export function httpStatusOf(code: ErrorCode): number {
  return ERROR_TABLE[code].httpStatus;
}

let suggestions: Map<string, string> | undefined;

/** What the protocol advises for each of its codes. */
function standardSuggestions(): Map<string, string> {
  suggestions ??= new Map(Object.entries(errorMetadata()).map(([code, { suggestion }]) => [code, suggestion]));
  return suggestions;
}

export function errorMetadata(): Record<string, { recovery: string; suggestion: string }> {
  const metadata = loadSchema("enums/error-code").enumMetadata;
  if (!isObject(metadata)) throw new Error("The protocol's error codes carry no metadata.");
  return Object.fromEntries(Object.entries(metadata).flatMap(([code, value]) => (isObject(value) ? [[code, { recovery: String(value.recovery), suggestion: String(value.suggestion) }]] : [])));
}
