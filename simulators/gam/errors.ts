import type { JsonObject } from "./json";

const httpStatus = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

export type Status = keyof typeof httpStatus;

export interface Violation {
  field: string;
  description: string;
  reason?: string;
}

interface ErrorOptions {
  violations?: readonly Violation[];
  /** A further `google.rpc` detail, such as ErrorInfo. */
  detail?: JsonObject;
  /** The batch elements applied before this error stay applied. */
  keepsPartialWork?: boolean;
}

/** An answer in Google's error envelope. */
export class ApiError extends Error {
  readonly violations: readonly Violation[];
  readonly detail: JsonObject | undefined;
  readonly keepsPartialWork: boolean;

  constructor(
    readonly status: Status,
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message);
    this.violations = options.violations ?? [];
    this.detail = options.detail;
    this.keepsPartialWork = options.keepsPartialWork ?? false;
  }

  get code(): number {
    return httpStatus[this.status];
  }

  toBody(requestId: string): JsonObject {
    const details: JsonObject[] = [];
    if (this.violations.length > 0) {
      details.push({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: this.violations.map((violation) => ({ ...violation })),
      });
    }
    if (this.detail) details.push(this.detail);
    details.push({ "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId });
    return { error: { code: this.code, message: this.message, status: this.status, details } };
  }
}

export function invalid(violations: readonly Violation[]): ApiError {
  const first = violations[0];
  return new ApiError("INVALID_ARGUMENT", first ? `${first.field}: ${first.description}` : "Invalid argument.", { violations });
}

export function invalidField(field: string, description: string, reason?: string): ApiError {
  return invalid([reason === undefined ? { field, description } : { field, description, reason }]);
}

export function notFound(name: string): ApiError {
  return new ApiError("NOT_FOUND", `Resource not found: ${name}`, {
    violations: [{ field: "name", description: `${name} does not exist.`, reason: "COMMON_ERROR_NOT_FOUND" }],
  });
}
