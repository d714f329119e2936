import { Environment, type ParseResult } from "@marcbachmann/cel-js";
import { type EngineLog } from "./log";

export type CelVariable = "event" | "async";
type CelValues = Partial<Record<CelVariable, unknown>>;

const environments = {
  trigger: new Environment().registerVariable("event", "dyn"),
  match: new Environment().registerVariable("event", "dyn").registerVariable("async", "dyn"),
};
/** Expressions of waits may carry a run's own values, so the cache is emptied now and then. */
const LARGEST_CACHE = 1_000;
const compiled = new Map<string, ParseResult>();

function compile(expression: string, kind: keyof typeof environments): ParseResult {
  const key = `${kind}:${expression}`;
  let program = compiled.get(key);
  if (!program) {
    program = environments[kind].parse(expression);
    if (compiled.size >= LARGEST_CACHE) compiled.clear();
    compiled.set(key, program);
  }
  return program;
}

/**
 * Reason why an expression cannot be used, or null. `trigger` expressions see `event`; `match` expressions
 * see `event` (the run's own) and `async` (the one that arrived).
 */
export function findCelProblem(expression: string, kind: "trigger" | "match"): string | null {
  try {
    const verdict = compile(expression, kind).check();
    return verdict.valid ? null : firstLine(verdict.error);
  } catch (error) {
    return firstLine(error);
  }
}

/** Value of a key expression over the event; undefined when it cannot be computed, for instance for want of a field. */
export function evaluateKey(expression: string, event: unknown, log: EngineLog): unknown {
  const value = run(expression, "trigger", { event }, log);
  return typeof value === "bigint" ? Number(value) : value;
}

/** Whether a condition holds. One that cannot be computed does not hold, as on the real server. */
export function holds(expression: string | null | undefined, values: CelValues, log: EngineLog): boolean {
  if (!expression) return true;
  return run(expression, "async" in values ? "match" : "trigger", values, log) === true;
}

function run(expression: string, kind: keyof typeof environments, values: CelValues, log: EngineLog): unknown {
  try {
    return compile(expression, kind)(values);
  } catch (error) {
    const reason = firstLine(error);
    // A missing field is the everyday case of an event that is not meant; anything else is a mistake in the expression.
    if (!reason.startsWith("No such key")) log.warn("A CEL expression could not be evaluated", { expression, reason });
    return undefined;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
