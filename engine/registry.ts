import { z } from "zod";
import { findCelProblem } from "./cel";
import { createSchedule } from "./cron";
import { parseDuration } from "./time";

export type ConcurrencyLimit = { limit: number; key: string | null; scope: "fn" | "env" };
export type CancelRule = { eventName: string; expression: string | null; timeoutMs: number | null };
export type EventTrigger = { eventName: string; expression: string | null };

/** A function as the SDK registered it, with nothing in it that the executor does not do. */
export type EngineFunction = {
  id: string;
  maxAttempts: number;
  events: EventTrigger[];
  crons: string[];
  idempotency: string | null;
  concurrency: ConcurrencyLimit[];
  cancelOn: CancelRule[];
};

/** The functions use something that the embedded executor does not do; the message names each function and feature. */
export class RegistrationError extends Error {
  override name = "RegistrationError";
}

/** Where `retries` is unset, the real server makes four more attempts. */
const DEFAULT_RETRIES = 4;
const KNOWN_KEYS = new Set(["id", "name", "triggers", "steps", "idempotency", "concurrency", "cancel"]);
/** The internal events that the executor emits. */
const EMITTED_EVENTS = new Set(["inngest/function.failed", "inngest/function.cancelled"]);

const concurrencySchema = z.strictObject({ limit: z.number(), key: z.string().optional(), scope: z.enum(["fn", "env", "account"]).optional() });
const functionSchema = z.looseObject({
  id: z.string().min(1),
  triggers: z.array(z.union([z.strictObject({ event: z.string(), expression: z.string().nullish() }), z.strictObject({ cron: z.string(), jitter: z.string().optional() })])),
  steps: z.strictObject({ step: z.looseObject({ runtime: z.looseObject({ type: z.string() }), retries: z.looseObject({ attempts: z.number().int().min(0).optional() }).nullish() }) }),
  idempotency: z.string().nullish(),
  concurrency: z.union([z.number(), concurrencySchema, z.array(concurrencySchema)]).nullish(),
  cancel: z.array(z.strictObject({ event: z.string(), if: z.string().optional(), timeout: z.string().optional() })).nullish(),
});
const registrationSchema = z.looseObject({ functions: z.array(functionSchema) });
type RawFunction = z.infer<typeof functionSchema>;

/** Reads the body of the SDK's registration. Throws RegistrationError with every reason at once. */
export function readRegistration(body: unknown): Map<string, EngineFunction> {
  const parsed = registrationSchema.safeParse(body);
  if (!parsed.success) throw new RegistrationError(`The registration could not be read: ${z.prettifyError(parsed.error)}`);
  const problems = parsed.data.functions.flatMap((raw) => findProblems(raw).map((problem) => `Function "${raw.id}": ${problem}.`));
  if (problems.length > 0) throw new RegistrationError(problems.join(" "));
  return new Map(parsed.data.functions.map((raw) => [raw.id, readFunction(raw)]));
}

function findProblems(raw: RawFunction): string[] {
  const problems: string[] = [];
  const refuse = (feature: string) => problems.push(`${feature} is not supported by the embedded executor`);
  const checkCel = (feature: string, expression: string | null | undefined, kind: "trigger" | "match") => {
    const problem = expression ? findCelProblem(expression, kind) : null;
    if (problem) problems.push(`${feature} "${expression}" is no valid expression: ${problem}`);
  };

  for (const [key, value] of Object.entries(raw)) if (!KNOWN_KEYS.has(key) && value !== undefined && value !== null) refuse(key);
  if (raw.steps.step.runtime.type !== "http") refuse("connect");
  for (const trigger of raw.triggers) {
    if ("cron" in trigger) {
      if (trigger.jitter) refuse("cron jitter");
      const schedule = createSchedule(trigger.cron);
      if (typeof schedule === "string") problems.push(`cron "${trigger.cron}" is no valid schedule: ${schedule}`);
    } else {
      if (trigger.event.includes("*")) refuse(`the wildcard trigger "${trigger.event}"`);
      if (trigger.event.startsWith("inngest/") && !EMITTED_EVENTS.has(trigger.event)) refuse(`the trigger "${trigger.event}"`);
      checkCel("trigger condition", trigger.expression, "trigger");
    }
  }
  checkCel("idempotency", raw.idempotency, "trigger");
  for (const limit of readConcurrency(raw)) {
    if (!Number.isInteger(limit.limit) || limit.limit < 1) problems.push(`concurrency limit ${limit.limit} is no positive whole number`);
    checkCel("concurrency key", limit.key, "trigger");
  }
  for (const rule of raw.cancel ?? []) {
    checkCel("cancelOn condition", rule.if, "match");
    if (rule.timeout && parseDuration(rule.timeout) === undefined) problems.push(`cancelOn timeout "${rule.timeout}" is no duration`);
  }
  return problems;
}

function readFunction(raw: RawFunction): EngineFunction {
  return {
    id: raw.id,
    maxAttempts: (raw.steps.step.retries?.attempts ?? DEFAULT_RETRIES) + 1,
    events: raw.triggers.flatMap((trigger) => ("cron" in trigger ? [] : [{ eventName: trigger.event, expression: trigger.expression ?? null }])),
    crons: raw.triggers.flatMap((trigger) => ("cron" in trigger ? [trigger.cron] : [])),
    idempotency: raw.idempotency ?? null,
    concurrency: readConcurrency(raw),
    cancelOn: (raw.cancel ?? []).map((rule) => ({ eventName: rule.event, expression: rule.if ?? null, timeoutMs: rule.timeout ? (parseDuration(rule.timeout) ?? null) : null })),
  };
}

function readConcurrency(raw: RawFunction): ConcurrencyLimit[] {
  const given = typeof raw.concurrency === "number" ? { limit: raw.concurrency } : (raw.concurrency ?? []);
  // There is one account and one environment here, so both scopes mean: shared by all functions.
  return [given].flat().map(({ limit, key, scope }) => ({ limit, key: key ?? null, scope: scope === undefined || scope === "fn" ? "fn" : "env" }));
}
