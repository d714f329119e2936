/** Where the executor reports. `lib/log.ts` has this shape. */
export type EngineLog = Record<"debug" | "info" | "warn" | "error", (message: string, fields?: Record<string, unknown>) => void>;
