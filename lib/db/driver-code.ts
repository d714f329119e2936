/** Postgres: waited longer than lock_timeout. */
export const LOCK_TIMEOUT = "55P03";
/** Postgres: an earlier statement of the transaction has failed. */
export const IN_FAILED_TRANSACTION = "25P02";

/** Postgres' or the network's code of a failure. Drizzle wraps the driver's error. */
export function driverCode(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 3) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : driverCode(error.cause, depth + 1);
}
