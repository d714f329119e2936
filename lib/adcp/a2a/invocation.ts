import { A2AError } from "@a2a-js/sdk/server";
import { isObject } from "../schemas";

/** Files are of no use to any skill. */
export type MessagePart = { kind: "text"; text: string } | { kind: "data"; data: Record<string, unknown> } | { kind: "file" };
export type Invocation = { skill: string; input: unknown };

/** What a message asks for: a data part `{skill, input}`, or `parameters` as older clients write, or the same as JSON text. null: words only. */
export function readInvocation(parts: readonly MessagePart[]): Invocation | null {
  const data = parts.flatMap((part) => (part.kind === "data" ? [part.data] : []));
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  const asked = data.length > 0 ? data : texts.flatMap((text) => parseInvocation(text) ?? []);
  if (asked.length > 1) throw A2AError.invalidParams("A message calls one skill: send one data part.");
  const [call] = asked;
  if (call === undefined) {
    if (texts.length > 0) return null;
    throw A2AError.invalidParams("A message needs a data part {\"skill\": …, \"input\": {…}}.");
  }
  if (!isObject(call) || typeof call.skill !== "string" || call.skill === "") throw A2AError.invalidParams("The data part names no skill: send {\"skill\": …, \"input\": {…}}.");
  return { skill: call.skill, input: call.input ?? call.parameters ?? {} };
}

function parseInvocation(text: string): Record<string, unknown> | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && "skill" in value ? value : null;
  } catch {
    return null;
  }
}
