import { env } from "./env";

/** One JSON line an event on stderr. Values of secret-looking fields are masked, whatever their depth. */
export type LogFields = Record<string, unknown>;
export type Log = { debug: LogFunction; info: LogFunction; warn: LogFunction; error: LogFunction; child(fields: LogFields): Log };
type LogFunction = (message: string, fields?: LogFields) => void;

const LEVELS = { debug: 10, info: 20, warn: 30, error: 40, silent: 100 } as const;
const SECRET_KEY = /(token|secret|password|credential|authorization|private_?key|cookie|api_?key|signature)/i;
const SECRET_TEXT = /(Bearer\s+)[A-Za-z0-9._~+/=-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|(postgres(?:ql)?:\/\/[^:@\s]+:)[^@\s]+(?=@)/g;

/** What drizzle writes below a failed statement: everything that a buyer or a person sent, readable or not. */
const QUERY_PARAMETERS = /^((?:Error: )?Failed query: [\s\S]*?)\nparams: [\s\S]*?(?=\n {4}at |$)/;

function mask(value: unknown, key = "", depth = 0): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return mask({ name: value.name, message: withoutParameters(value.message), stack: value.stack && withoutParameters(value.stack), ...(value.cause === undefined ? {} : { cause: value.cause }) }, "", depth + 1);
  if (SECRET_KEY.test(key) && (typeof value === "string" || (typeof value === "object" && value !== null))) return "[secret]";
  if (typeof value === "string") return value.replace(SECRET_TEXT, (_match, bearer?: string, url?: string) => `${bearer ?? url ?? ""}[secret]`);
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (depth > 5) return "[deep]";
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => mask(item, key, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mask(item, name, depth + 1)]));
}

function withoutParameters(text: string): string {
  return text.replace(QUERY_PARAMETERS, "$1");
}

/** One line of the log, without secrets. */
export function toLogLine(level: keyof typeof LEVELS, message: string, fields: LogFields): string {
  return JSON.stringify({ at: new Date().toISOString(), level, message: mask(message), ...(mask(fields) as LogFields) });
}

function write(level: keyof typeof LEVELS, base: LogFields, message: string, fields: LogFields = {}): void {
  if (LEVELS[level] >= LEVELS[env().LOG_LEVEL]) process.stderr.write(`${toLogLine(level, message, { ...base, ...fields })}\n`);
}

export function createLog(base: LogFields = {}): Log {
  return {
    debug: (message, fields) => write("debug", base, message, fields),
    info: (message, fields) => write("info", base, message, fields),
    warn: (message, fields) => write("warn", base, message, fields),
    error: (message, fields) => write("error", base, message, fields),
    child: (fields) => createLog({ ...base, ...fields }),
  };
}

export const log = createLog();

/** A path as it may be logged: without its query, and without the secrets that one-time links and previews carry in theirs. */
export function shownPath(path: string): string {
  return (path.split("?")[0] ?? "").replace(/^(\/(?:set-password|previews)\/).+/, "$1…");
}
