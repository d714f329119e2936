import { type Artifact, type Message, type Task, type TaskStatus } from "@a2a-js/sdk";
import { type TaskRow } from "./tasks";
import { taskWireId } from "./task-id";

/**
 * A task of ours as A2A shows it. Its id is the task's own, so that every A2A method that takes an id can be used on what a call
 * submitted; its states are A2A's, from which AdCP took them.
 */
export function presentA2aTask(task: TaskRow, { historyLength }: { historyLength: number }): Task {
  const artifact = presentOutcome(task);
  return {
    kind: "task",
    id: taskWireId(task),
    contextId: contextOf(task),
    status: presentA2aStatus(task),
    ...(artifact ? { artifacts: [artifact] } : {}),
    ...(historyLength > 0 && task.request ? { history: [presentRequest(task, task.request)] } : {}),
    metadata: { adcp_task_id: taskWireId(task), task_type: task.taskType },
  };
}

export function presentA2aStatus(task: TaskRow): TaskStatus {
  const id = taskWireId(task);
  return {
    state: task.status,
    timestamp: task.updatedAt.toISOString(),
    ...(task.message === null ? {} : { message: { kind: "message", role: "agent", messageId: `${id}:${task.status}`, taskId: id, contextId: contextOf(task), parts: [{ kind: "text", text: task.message }] } }),
  };
}

/** What the task came to: the tool's answer, or its typed error in both of the protocol's forms. */
export function presentOutcome(task: TaskRow): Artifact | null {
  const context = task.buyerContext ? { context: task.buyerContext } : {};
  const data = task.result ?? (task.error ? { status: "failed", adcp_error: task.error, errors: [task.error] } : null);
  if (!data) return null;
  return { artifactId: `${taskWireId(task)}:outcome`, name: task.result ? "result" : "error", parts: [{ kind: "data", data: { ...data, ...context } }], metadata: { adcp_task_id: taskWireId(task) } };
}

/** A2A wants a conversation for each task, also for one that began over another transport. */
export function contextOf(task: TaskRow): string {
  return task.contextId ?? `ctx_${taskWireId(task)}`;
}

function presentRequest(task: TaskRow, request: Record<string, unknown>): Message {
  const id = taskWireId(task);
  return { kind: "message", role: "user", messageId: `${id}:request`, taskId: id, contextId: contextOf(task), parts: [{ kind: "data", data: { skill: task.taskType, input: request } }] };
}
