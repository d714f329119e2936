import { z } from "zod";

/** Configuration of every process. The only reader of the environment: an invalid value stops the start with one readable line per mistake. */

/** The Fetch standard's list, from 1024 on: browsers and Node's fetch refuse to call these. */
const BLOCKED_PORTS = new Set([1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080]);

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).refine((number) => !BLOCKED_PORTS.has(number), "is a port that browsers and HTTP clients refuse to call; choose another").default(fallback);
const flag = z.enum(["0", "1", "true", "false"]).transform((value) => value === "1" || value === "true");

const environmentSchema = z.object({
  NODE_ENV: z.enum(["development", "test", "production"]).default("production"),
  PORT: port(3000),
  HOST: z.string().optional(),
  WORKER_PORT: port(3001),
  SIM_PORT: port(3990),
  DATA_DIR: z.string().default(".data"),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_ADMIN_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(200).default(16),
  /** Changes per second that one buyer may send on average; five seconds' worth at once. */
  BUYER_WRITES_PER_SECOND: z.coerce.number().min(1).max(1_000_000).default(60),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DEMO: flag.default(false),
  ENCRYPTION_KEY: z.string().refine((text) => /^[0-9a-f]{64}$/i.test(text) || Buffer.from(text, "base64").length === 32, "must be 32 bytes, as 64 hex digits or base64 (openssl rand -hex 32 makes one)").optional(),
  AUTH_SECRET: z.string().min(32, "needs at least 32 characters").optional(),
  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: z.string().optional(),
  GAM_BASE_URL: z.url({ protocol: /^https$/ }).default("https://admanager.googleapis.com"),
  GAM_SIMULATOR_URL: z.url({ protocol: /^https?$/ }).optional(),
  INNGEST_DEV: z.string().optional(),
  INNGEST_BASE_URL: z.string().optional(),
  INNGEST_EVENT_KEY: z.string().optional(),
  INNGEST_SIGNING_KEY: z.string().optional(),
  INNGEST_SIGNING_KEY_FALLBACK: z.string().optional(),
  INNGEST_SERVE_ORIGIN: z.string().optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  EXIT_WITH_PARENT: flag.default(false),
});

export type Environment = z.infer<typeof environmentSchema> & { isInngestRemote: boolean; publicUrl: string };

export class ConfigurationError extends Error {}

/** Parses an environment. Throws ConfigurationError with one readable line that names every wrong variable, never its value. */
export function parseEnvironment(source: Record<string, string | undefined>): Environment {
  const isOff = (name: string, value: string) => value === "" || (name === "INNGEST_DEV" && (value === "0" || value === "false"));
  const filled = Object.fromEntries(Object.entries(source).filter(([name, value]) => value !== undefined && !isOff(name, value)));
  const result = environmentSchema.safeParse(filled);
  if (!result.success) {
    const mistakes = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigurationError(`Configuration is wrong: ${mistakes.join("; ")}`);
  }
  const env = result.data;
  return {
    ...env,
    isInngestRemote: Boolean(env.INNGEST_DEV ?? env.INNGEST_BASE_URL ?? env.INNGEST_EVENT_KEY ?? env.INNGEST_SIGNING_KEY),
    publicUrl: (env.PUBLIC_URL ?? `http://127.0.0.1:${env.PORT}`).replace(/\/$/, ""),
  };
}

let cached: Environment | undefined;

export function env(): Environment {
  cached ??= parseEnvironment(process.env);
  return cached;
}

/** next-auth reads its own address from the environment and nowhere else. */
export function shareAddressWithNextAuth(): void {
  process.env.NEXTAUTH_URL = env().publicUrl;
}

/** The value of a secret or address that this process cannot work without. */
export function required<K extends "DATABASE_URL" | "ENCRYPTION_KEY" | "AUTH_SECRET">(name: K): string {
  const value = env()[name];
  if (!value) throw new ConfigurationError(`Configuration is wrong: ${name} is not set. README.md, "Running in production", says how to make one.`);
  return value;
}
