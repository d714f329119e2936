import { isDeepStrictEqual } from "node:util";
import { isObject } from "../adcp/schemas";
import { type TaskError } from "../media-buys/tasks";
import { type AgentAnswer, presentAnswer } from "./present";
import { type Condition } from "./schema";

/** What the agents' answers mean for an order. */
export type Verdict = { outcome: "waiting" } | { outcome: "approved"; expiresAt: Date | null } | { outcome: "refused"; error: TaskError } | { outcome: "stopped"; reason: string };

/** Pure. Every agent must agree; one refusal is enough, whatever the others have yet to say. */
export function judgeAnswers(answers: AgentAnswer[], plannedDelivery: Record<string, unknown>): Verdict {
  const denied = answers.find(({ check }) => check.state === "denied");
  if (denied) return { outcome: "refused", error: refusal(denied, denied.check.explanation ?? "The governance agent denied this order.") };
  const unmet = answers.find(({ check }) => check.state === "conditions" && check.conditions.some((condition) => !isMet(condition, plannedDelivery)));
  if (unmet) return { outcome: "refused", error: refusal(unmet, `The governance agent approves this order only if it is changed: ${unmet.check.conditions.map(({ reason }) => reason).join(" ")}`) };
  if (answers.some(({ check }) => check.state === "pending")) return { outcome: "waiting" };
  const silent = answers.find(({ check }) => check.state === "unanswered");
  if (silent) return { outcome: "stopped", reason: `${new URL(silent.url).host} gave no decision. ${silent.check.lastError ?? ""}`.trim() };
  if (answers.length === 0) return { outcome: "stopped", reason: "The account names no governance agent any more." };
  const ends = answers.flatMap(({ check }) => (check.expiresAt === null ? [] : [check.expiresAt.getTime()]));
  return { outcome: "approved", expiresAt: ends.length > 0 ? new Date(Math.min(...ends)) : null };
}

/** A condition without a required value is advice; the buyer reads it with the result. */
function isMet(condition: Condition, plannedDelivery: Record<string, unknown>): boolean {
  if (!("required_value" in condition) || condition.required_value === undefined) return true;
  const path = condition.field.replace(/^planned_delivery\./, "").split(".");
  const value = path.reduce<unknown>((item, key) => (isObject(item) ? item[key] : undefined), plannedDelivery);
  return isDeepStrictEqual(value, condition.required_value);
}

/** The agent's words reach the buyer unchanged: its own agent said no, and it must learn why. */
function refusal(answer: AgentAnswer, message: string): TaskError {
  const code = answer.check.code ?? "GOVERNANCE_DENIED";
  return { code, message, recovery: "correctable", suggestion: "Correct the order and place it again with a new idempotency_key, or ask the governance agent.", details: presentAnswer(answer) };
}
