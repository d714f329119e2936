import { type Artifact, type Message, type Task } from "@a2a-js/sdk";
import { randomUUID } from "node:crypto";
import { type Reply } from "../dispatch";
import { isObject } from "../schemas";
import { type Tool } from "../tool";

/**
 * A call's answer as an A2A task. Its state is the call's, which has ended: `completed` also for an order that was submitted, whose own
 * state is in the data's `status`, as AdCP has it over A2A. That task is followed under the same id.
 */
export function presentCall(reply: Reply, contextId: string): Task {
  const data: unknown = JSON.parse(reply.json);
  const submitted = !reply.error && isObject(data) && data.status === "submitted" && typeof data.task_id === "string" ? data.task_id : null;
  const id = submitted ?? `call_${randomUUID()}`;
  return {
    kind: "task",
    id,
    contextId,
    status: {
      state: reply.error ? "failed" : "completed", timestamp: new Date().toISOString(),
      ...(reply.error ? { message: { kind: "message", role: "agent", messageId: randomUUID(), taskId: id, contextId, parts: [{ kind: "text", text: reply.summary }] } } : {}),
    },
    artifacts: [presentReply(reply, data, submitted)],
    ...(submitted === null ? {} : { metadata: { adcp_task_id: submitted } }),
  };
}

/**
 * Words and data. The words come first where the call is the whole story: clients read the `status` of a first data part as the task's, and
 * "canceled" there is a media buy's. What was submitted, or failed, is data alone.
 */
function presentReply(reply: Reply, data: unknown, submitted: string | null): Artifact {
  return {
    artifactId: randomUUID(),
    name: reply.error ? "error" : submitted === null ? "result" : "submitted",
    description: reply.summary,
    parts: [...(reply.error || submitted !== null ? [] : [{ kind: "text" as const, text: reply.summary }]), { kind: "data", data: isObject(data) ? data : {} }],
    ...(submitted === null ? {} : { metadata: { adcp_task_id: submitted } }),
  };
}

/** To words that call nothing: how to call. */
export function presentHelp(tools: readonly Tool[], contextId: string): Message {
  const lines = tools.map(({ name, description }) => `- ${name}: ${description}`);
  return {
    kind: "message", role: "agent", messageId: randomUUID(), contextId,
    parts: [
      { kind: "text", text: `I do not read free text. Call a skill with a data part {"skill": "<name>", "input": {…}}; to look for products by a brief, {"skill": "get_products", "input": {"buying_mode": "brief", "brief": "<your words>"}}. My skills:\n${lines.join("\n")}` },
      { kind: "data", data: { skills: tools.map(({ name, title }) => ({ skill: name, title })), example: { skill: "get_products", input: { buying_mode: "brief", brief: "display on the homepage" } } } },
    ],
  };
}
