import { A2AError } from "@a2a-js/sdk/server";
import { type ErrorCode } from "../../errors";
import { log } from "../../log";
import { type Reply } from "../dispatch";
import { errorPayload, toAppError } from "../wire-error";

/** JSON-RPC's for a method that does not exist, and so for a skill. */
export const UNKNOWN = -32_601;
/** Of the range that JSON-RPC leaves to servers: A2A has no code for it. */
const REFUSED = -32_000;
const INTERNAL = -32_603;

/** A2A's own codes for what it has one for; all else is internal to it. The typed error is in `data`. */
const RPC_CODES: Partial<Record<ErrorCode, number>> = {
  REFERENCE_NOT_FOUND: -32_001, NOT_CANCELLABLE: -32_002, INVALID_REQUEST: -32_602, VALIDATION_ERROR: -32_602, AUTH_REQUIRED: REFUSED, PERMISSION_DENIED: REFUSED, RATE_LIMITED: REFUSED,
};

export function toA2aError(failure: unknown): A2AError {
  if (failure instanceof A2AError) return failure;
  const error = toAppError(failure, log);
  return new A2AError(RPC_CODES[error.code] ?? INTERNAL, error.userMessage, errorPayload(error));
}

/** A call without the token it needs is refused as a whole, so that the HTTP status can say so. */
export function unauthorized(reply: Reply): A2AError {
  return new A2AError(REFUSED, reply.summary, JSON.parse(reply.json));
}
