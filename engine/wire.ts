import { z } from "zod";
import { findCelProblem } from "./cel";
import { parseDue } from "./time";

/** Inngest's wire protocol as SDK 4.24.0 speaks it (the published specification is older). */

/** Only this way of reporting parallel steps is spoken: rediscovery once all steps of a group are settled. */
const PROTOCOL_VERSION = 2;

const jsonObjectSchema = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof jsonObjectSchema>;

const sentEventSchema = z.looseObject({
  id: z.string().min(1).max(500).nullish(),
  name: z.string().min(1).max(256).refine((name) => !name.startsWith("inngest/"), 'names that begin with "inngest/" are reserved'),
  data: jsonObjectSchema.nullish(),
  ts: z.number().int().nullish(),
  user: jsonObjectSchema.nullish(),
});
/** As the real server: no more events in one request. */
const MAX_EVENTS = 5_000;
export const sentEventsSchema = z.preprocess((body) => (Array.isArray(body) ? body : [body]), z.array(sentEventSchema).max(MAX_EVENTS));
export type SentEvent = z.infer<typeof sentEventSchema>;

/** An event as functions receive it. */
export type InngestEvent = { id: string; name: string; data: JsonObject; ts: number; user: JsonObject; [extra: string]: unknown };

export const storedEventSchema: z.ZodType<InngestEvent> = z.looseObject({ id: z.string(), name: z.string(), data: jsonObjectSchema, ts: z.number(), user: jsonObjectSchema });

/** Memoised result of a step: `{data}` or `{error}`, null for a finished sleep or a wait that timed out, the event itself for a matched wait. */
export type StepState = { data: unknown } | { error: unknown } | InngestEvent | null;

/** What the SDK is told of the steps that are done, in the order in which they were. */
export type Memo = { version: number; steps: Record<string, StepState>; stack: string[] };

export type Call = { functionId: string; runId: string; event: InngestEvent; memo: Memo; stepId: string; isBranch: boolean; attempt: number; maxAttempts: number };

/** Id under which a request that looks for the next step is made; any other id asks for that one step. */
export const DISCOVERY = "step";

/** The request that makes the SDK take a function one step further. Without `ctx.fn_id` it never checkpoints by itself: one step a request. */
export function buildCall(origin: string, call: Call): Request {
  const url = new URL("/api/inngest", origin);
  url.searchParams.set("fnId", call.functionId);
  url.searchParams.set("stepId", call.stepId);
  const body = {
    version: call.memo.version,
    event: call.event,
    events: [call.event],
    steps: call.memo.steps,
    defers: {},
    use_api: false,
    ctx: {
      run_id: call.runId,
      env: "",
      step_id: DISCOVERY,
      attempt: call.attempt,
      max_attempts: call.maxAttempts,
      disable_immediate_execution: call.isBranch,
      use_api: false,
      stack: { stack: call.memo.stack, current: call.memo.stack.length },
    },
  };
  // The adapter builds its absolute address from the host header, which a Request does not carry by itself.
  const headers = { "content-type": "application/json", host: url.host, "x-inngest-server-kind": "dev", "x-run-id": call.runId };
  return new Request(url, { method: "POST", headers, body: JSON.stringify(body) });
}

export type Op =
  | { kind: "settled"; id: string; state: StepState }
  | { kind: "planned"; id: string }
  | { kind: "sleep"; id: string; dueMs: number }
  | { kind: "wait"; id: string; eventName: string; expression: string | null; expiresMs: number }
  | { kind: "invoke"; id: string; functionId: string; data: JsonObject; expiresMs: number | null };

/** What one request came to. Plain JSON: it is stored, and read again when the run is replayed. */
export type Turn =
  | { kind: "finished"; output: unknown }
  | { kind: "failed"; error: unknown }
  | { kind: "retry"; atMs: number }
  | { kind: "cancelled" }
  | { kind: "ops"; version: number; ops: Op[]; startedMs: number };

const errorSchema = z.looseObject({ name: z.string().optional(), message: z.string().optional(), stack: z.string().optional(), cause: z.unknown().optional() });
const opSchema = z.looseObject({
  id: z.string(),
  op: z.string(),
  name: z.string().nullish(),
  displayName: z.string().nullish(),
  opts: jsonObjectSchema.nullish(),
  data: z.unknown().optional(),
  error: errorSchema.nullish(),
});
const opsSchema = z.preprocess((body) => (Array.isArray(body) ? body : [body]), z.array(opSchema).min(1));
const waitOptionsSchema = z.looseObject({ timeout: z.string(), if: z.string().nullish() });
const invokeOptionsSchema = z.looseObject({
  function_id: z.string(),
  payload: z.looseObject({ data: jsonObjectSchema.nullish() }).nullish(),
  timeout: z.string().nullish(),
});

export type Answer = { status: number; body: unknown; isFinal: boolean; retryAfter: string | null; version: number };

export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? null : JSON.parse(text),
    isFinal: response.headers.get("x-inngest-no-retry") === "true",
    retryAfter: response.headers.get("retry-after"),
    version: Number(response.headers.get("x-inngest-req-version") ?? PROTOCOL_VERSION),
  };
}

type Circumstances = { attempt: number; maxAttempts: number; startedMs: number; nowMs: number; retryDelayMs: (attempt: number) => number };

/** Status 200: the run is over. 206: operations. 400 or `no-retry`: it failed for good. Anything else: again later. */
export function interpretAnswer(answer: Answer, at: Circumstances): Turn {
  const isLast = answer.isFinal || at.attempt + 1 >= at.maxAttempts;
  const retry = (): Turn => ({ kind: "retry", atMs: readRetryAfter(answer.retryAfter, at.nowMs) ?? at.nowMs + at.retryDelayMs(at.attempt) });
  if (answer.status === 200) return { kind: "finished", output: answer.body };
  if (answer.status !== 206) return isLast ? { kind: "failed", error: answer.body } : retry();

  const parsed = opsSchema.safeParse(answer.body);
  if (!parsed.success) return fail(`the SDK's answer could not be read: ${z.prettifyError(parsed.error)}`);
  if (answer.version !== PROTOCOL_VERSION) return fail(`the function asks for protocol version ${answer.version} (optimizeParallelism: false), which the embedded executor does not speak`);
  const ops: Op[] = [];
  for (const raw of parsed.data) {
    if (raw.op === "StepError" && !isLast) return retry();
    const op = readOp(raw, at.nowMs);
    if (typeof op === "string") return fail(op);
    ops.push(op);
  }
  return { kind: "ops", version: answer.version, ops, startedMs: at.startedMs };
}

function readOp(raw: z.infer<typeof opSchema>, nowMs: number): Op | string {
  const label = raw.displayName ?? raw.name ?? raw.id;
  if (raw.opts?.parallelMode !== undefined) return `step "${label}" uses group.parallel with a mode, which the embedded executor does not do`;
  switch (raw.op) {
    case "StepRun":
      return { kind: "settled", id: raw.id, state: { data: raw.data ?? null } };
    case "StepError":
    case "StepFailed":
      return { kind: "settled", id: raw.id, state: { error: readStepError(raw.error) } };
    case "StepPlanned":
      return { kind: "planned", id: raw.id };
    case "Sleep": {
      const dueMs = parseDue(raw.name ?? "", nowMs);
      return dueMs === undefined ? `step "${label}" sleeps for "${raw.name}", which is no duration` : { kind: "sleep", id: raw.id, dueMs };
    }
    case "WaitForEvent": {
      const options = waitOptionsSchema.safeParse(raw.opts);
      const expiresMs = options.success ? parseDue(options.data.timeout, nowMs) : undefined;
      if (!options.success || !raw.name || expiresMs === undefined) return `step "${label}" waits for an event with unreadable options`;
      const problem = options.data.if ? findCelProblem(options.data.if, "match") : null;
      if (problem) return `step "${label}" waits with an invalid expression: ${problem}`;
      return { kind: "wait", id: raw.id, eventName: raw.name, expression: options.data.if ?? null, expiresMs };
    }
    case "InvokeFunction": {
      const options = invokeOptionsSchema.safeParse(raw.opts);
      const expiresMs = options.data?.timeout ? parseDue(options.data.timeout, nowMs) : null;
      if (!options.success || expiresMs === undefined) return `step "${label}" invokes a function with unreadable options`;
      return { kind: "invoke", id: raw.id, functionId: options.data.function_id, data: options.data.payload?.data ?? {}, expiresMs };
    }
    default:
      return `step "${label}" needs ${raw.op}, which the embedded executor does not do`;
  }
}

function readStepError(error: z.infer<typeof errorSchema> | null | undefined): JsonObject {
  const { name = "Error", message = "", stack, cause } = error ?? {};
  return { name, message, ...(stack === undefined ? {} : { stack }), ...(cause === undefined ? {} : { cause }) };
}

/** RetryAfterError travels as seconds or as an HTTP date. */
function readRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return nowMs + seconds * 1_000;
  const instant = Date.parse(header);
  return Number.isNaN(instant) ? undefined : instant;
}

function fail(message: string): Turn {
  return { kind: "failed", error: { name: "EngineError", message } };
}
