import { z } from "zod";
import { AdServerError } from "../types";

/**
 * What can go wrong with a request, in codes that the rest of the driver and the fulfilment act on. The spelling of REST reasons is
 * not documented, so they are recognised by their end.
 */
const errorBodySchema = z.object({
  error: z.object({
    message: z.string().default(""),
    status: z.string().default(""),
    details: z.array(z.looseObject({
      fieldViolations: z.array(z.object({ field: z.string().default(""), description: z.string().default(""), reason: z.string().default("") })).optional(),
      reason: z.string().optional(),
      requestId: z.string().optional(),
    })).default([]),
  }),
});

type Rule = { code: string; isPermanent: boolean; retryAfterMs?: number };

const REASONS: readonly (readonly [suffix: string, rule: Rule])[] = [
  ["NO_FORECAST_YET", { code: "no_forecast_yet", isPermanent: false }],
  ["NOT_ENOUGH_INVENTORY", { code: "not_enough_inventory", isPermanent: true }],
  ["SERVER_NOT_AVAILABLE", { code: "forecast_unavailable", isPermanent: false }],
  ["EXCEEDED_QUOTA", { code: "forecast_unavailable", isPermanent: false }],
  ["CONCURRENT_MODIFICATION", { code: "concurrent_modification", isPermanent: false, retryAfterMs: 1_000 }],
  ["START_DATE_TIME_IS_IN_PAST", { code: "start_in_past", isPermanent: false, retryAfterMs: 1_000 }],
  ["UPDATE_ARCHIVED_ORDER_NOT_ALLOWED", { code: "archived", isPermanent: true }],
  ["UPDATE_ARCHIVED_LINE_ITEM_NOT_ALLOWED", { code: "archived", isPermanent: true }],
  ["CANNOT_UPDATE_ARCHIVED_LINE_ITEM", { code: "archived", isPermanent: true }],
];

export type Failure = { httpStatus: number; body: string; isWrite: boolean; attempts: number; correlationId: string | undefined };

/** 429: 5 s, then twice as long with each attempt, at most five minutes. */
export function rateLimitDelayMs(attempts: number): number {
  return Math.min(5_000 * 2 ** Math.max(0, attempts - 1), 300_000);
}

export function toAdServerError({ httpStatus, body, isWrite, attempts, correlationId }: Failure): AdServerError {
  const parsed = parseBody(body);
  const reasons = parsed.violations.map(({ reason }) => reason);
  const build = (rule: Rule, message: string, isAmbiguous = false) =>
    new AdServerError(rule.code, message, { isPermanent: rule.isPermanent, isAmbiguous, retryAfterMs: rule.retryAfterMs, correlationId, httpStatus });
  const words = describe(parsed);

  const known = REASONS.find(([suffix]) => reasons.some((reason) => reason.endsWith(suffix)));
  if (known) return build(known[1], `Google Ad Manager: ${words}`);
  if (httpStatus === 429 || parsed.status === "RESOURCE_EXHAUSTED") {
    return build({ code: "rate_limited", isPermanent: false, retryAfterMs: rateLimitDelayMs(attempts) }, "Google Ad Manager asks for fewer requests.");
  }
  if (httpStatus >= 500) return build({ code: "server_error", isPermanent: false, retryAfterMs: 2_000 }, `Google Ad Manager had a fault of its own (${httpStatus}).`, isWrite);
  if (!parsed.isReadable) return unreadable(httpStatus, isWrite, correlationId);
  switch (httpStatus) {
    case 401: return build({ code: "credentials_refused", isPermanent: true }, "Google Ad Manager refused the credentials. The key may have been revoked: paste a new one in the connection's settings.");
    case 403: return build({ code: "permission_denied", isPermanent: true }, `Google Ad Manager does not permit this to the service account: ${words}`);
    case 404: return build({ code: "not_found", isPermanent: true }, `Google Ad Manager does not know this: ${words}`);
    case 409: return parsed.status === "ALREADY_EXISTS"
      ? build({ code: "already_exists", isPermanent: false, retryAfterMs: 1_000 }, `Google Ad Manager has this already: ${words}`)
      : build({ code: "concurrent_modification", isPermanent: false, retryAfterMs: 1_000 }, "Somebody changed this in Google Ad Manager at the same moment.");
    case 408: return build({ code: "timeout", isPermanent: false }, "Google Ad Manager took too long.", isWrite);
    default: return build({ code: "refused", isPermanent: true }, `Google Ad Manager refused this: ${words}`);
  }
}

/** An answer that is not the API's: a proxy's page, half a body. Of a write it says nothing about the effect. */
export function unreadable(httpStatus: number, isWrite: boolean, correlationId: string | undefined, cause?: unknown): AdServerError {
  return new AdServerError("unreadable_answer", `Google Ad Manager answered (${httpStatus}) with something that cannot be read.`, {
    isPermanent: false, isAmbiguous: isWrite, retryAfterMs: 2_000, correlationId, httpStatus, cause,
  });
}

const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

/** A request without an answer: refused before it was sent, or lost after. */
export function toNetworkError(error: unknown, isWrite: boolean): AdServerError {
  if (error instanceof AdServerError) return error;
  const wasSent = !NEVER_SENT.has(causeCode(error));
  const isTimeout = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
  if (isTimeout) return new AdServerError("timeout", "Google Ad Manager did not answer in time.", { isPermanent: false, isAmbiguous: isWrite, cause: error });
  return new AdServerError(wasSent ? "connection_lost" : "unreachable", wasSent ? "The connection to Google Ad Manager broke before it answered." : "Google Ad Manager cannot be reached.", {
    isPermanent: false, isAmbiguous: isWrite && wasSent, retryAfterMs: 1_000, cause: error,
  });
}

function causeCode(error: unknown): string {
  const { cause } = z.object({ cause: z.object({ code: z.string() }) }).catch({ cause: { code: "" } }).parse(error);
  return cause.code;
}

type ParsedBody = { isReadable: boolean; message: string; status: string; violations: { field: string; description: string; reason: string }[] };

function parseBody(body: string): ParsedBody {
  try {
    const { error } = errorBodySchema.parse(JSON.parse(body));
    const violations = error.details.flatMap((detail) => detail.fieldViolations ?? (detail.reason === undefined ? [] : [{ field: "", description: "", reason: detail.reason }]));
    return { isReadable: true, message: error.message, status: error.status, violations };
  } catch {
    return { isReadable: false, message: "", status: "", violations: [] };
  }
}

/** Field violations in words: "requests[0].lineItem.rate: The network's currency is USD (LINE_ITEM_ERROR_INVALID_CURRENCY)". */
function describe({ message, violations }: ParsedBody): string {
  const told = violations.filter(({ description }) => description !== "").slice(0, 5)
    .map(({ field, description, reason }) => `${field ? `${field}: ` : ""}${description.replace(/\.$/, "")}${reason ? ` (${reason})` : ""}`);
  return told.length > 0 ? `${told.join("; ")}.` : message || "no reason given.";
}
