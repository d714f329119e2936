/**
 * Every failure that somebody outside should understand. `code` is a literal from this table;
 * `userMessage` is safe to show to a buyer or to staff; `details` are structured and safe; `cause` is for the log only.
 * Codes and recovery are the protocol's (enums/error-code.json; a test compares them), except INTERNAL_ERROR, which is ours, and IDEMPOTENCY_IN_FLIGHT, which is 3.1's.
 */
export const ERROR_TABLE = {
  INVALID_REQUEST: { httpStatus: 400, recovery: "correctable" },
  VALIDATION_ERROR: { httpStatus: 400, recovery: "correctable" },
  VERSION_UNSUPPORTED: { httpStatus: 400, recovery: "correctable" },
  AUTH_REQUIRED: { httpStatus: 401, recovery: "correctable" },
  PERMISSION_DENIED: { httpStatus: 403, recovery: "correctable" },
  ACCOUNT_NOT_FOUND: { httpStatus: 404, recovery: "terminal" },
  ACCOUNT_AMBIGUOUS: { httpStatus: 400, recovery: "correctable" },
  ACCOUNT_SETUP_REQUIRED: { httpStatus: 400, recovery: "correctable" },
  ACCOUNT_PAYMENT_REQUIRED: { httpStatus: 402, recovery: "terminal" },
  ACCOUNT_SUSPENDED: { httpStatus: 403, recovery: "terminal" },
  PRODUCT_NOT_FOUND: { httpStatus: 404, recovery: "correctable" },
  PRODUCT_UNAVAILABLE: { httpStatus: 409, recovery: "correctable" },
  MEDIA_BUY_NOT_FOUND: { httpStatus: 404, recovery: "correctable" },
  PACKAGE_NOT_FOUND: { httpStatus: 404, recovery: "correctable" },
  CREATIVE_NOT_FOUND: { httpStatus: 404, recovery: "correctable" },
  CREATIVE_REJECTED: { httpStatus: 422, recovery: "correctable" },
  REFERENCE_NOT_FOUND: { httpStatus: 404, recovery: "correctable" },
  UNSUPPORTED_FEATURE: { httpStatus: 400, recovery: "correctable" },
  BUDGET_TOO_LOW: { httpStatus: 422, recovery: "correctable" },
  BUDGET_EXCEEDED: { httpStatus: 422, recovery: "correctable" },
  TERMS_REJECTED: { httpStatus: 422, recovery: "correctable" },
  POLICY_VIOLATION: { httpStatus: 422, recovery: "correctable" },
  PROPOSAL_EXPIRED: { httpStatus: 409, recovery: "correctable" },
  PROPOSAL_NOT_COMMITTED: { httpStatus: 409, recovery: "correctable" },
  INVALID_STATE: { httpStatus: 409, recovery: "correctable" },
  NOT_CANCELLABLE: { httpStatus: 409, recovery: "correctable" },
  CONFLICT: { httpStatus: 409, recovery: "transient" },
  IDEMPOTENCY_CONFLICT: { httpStatus: 409, recovery: "correctable" },
  IDEMPOTENCY_IN_FLIGHT: { httpStatus: 409, recovery: "transient" },
  IDEMPOTENCY_EXPIRED: { httpStatus: 409, recovery: "correctable" },
  RATE_LIMITED: { httpStatus: 429, recovery: "transient" },
  SERVICE_UNAVAILABLE: { httpStatus: 503, recovery: "transient" },
  INTERNAL_ERROR: { httpStatus: 500, recovery: "transient" },
} as const satisfies Record<string, { httpStatus: number; recovery: "correctable" | "transient" | "terminal" }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export type AppErrorOptions = {
  /** Path of the input field at fault, such as `packages[0].budget`. */
  field?: string;
  /** What the caller can do about it. */
  suggestion?: string;
  details?: Record<string, unknown>;
  retryAfterSeconds?: number;
  cause?: unknown;
};

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly userMessage: string;
  readonly field: string | undefined;
  readonly suggestion: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, userMessage: string, options: AppErrorOptions = {}) {
    super(`${code}: ${userMessage}`, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.userMessage = userMessage;
    this.field = options.field;
    this.suggestion = options.suggestion;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Asserts what the code believes; a wrong belief fails the request instead of spreading. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${message}`);
}

/** A fault of ours, which does not mend itself: trying again is no use. */
export function isBrokenInvariant(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith("Invariant broken");
}
