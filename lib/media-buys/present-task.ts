import { type ListedTask, type TaskRow } from "./tasks";
import { taskWireId } from "./task-id";

/** Every task that can wait here concerns media buys or what belongs to them. */
export const TASK_PROTOCOL = "media-buy";

export type TaskView = { includeHistory: boolean; includeResult: boolean };

/** core/tasks-get-response.json, with 3.1's `result`, which 3.0 clients read already. */
export function presentTask(task: TaskRow & { hasWebhook?: boolean }, { includeHistory, includeResult }: TaskView = { includeHistory: false, includeResult: true }): Record<string, unknown> {
  return {
    task_id: taskWireId(task),
    task_type: task.taskType,
    protocol: TASK_PROTOCOL,
    ...presentState(task),
    ...(task.message === null ? {} : { message: task.message }),
    ...(includeResult && task.result !== null ? { result: task.result } : {}),
    ...(task.error === null ? {} : { error: task.error }),
    ...(includeHistory ? { history: presentHistory(task) } : {}),
  };
}

/** An item of core/tasks-list-response.json. */
export function presentListedTask(task: ListedTask, includeHistory: boolean): Record<string, unknown> {
  return { task_id: taskWireId(task), task_type: task.taskType, domain: TASK_PROTOCOL, ...presentState(task), ...(includeHistory ? { history: presentHistory(task) } : {}) };
}

function presentState(task: TaskRow & { hasWebhook?: boolean }): Record<string, unknown> {
  return {
    status: task.status,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    ...(task.completedAt === null ? {} : { completed_at: task.completedAt.toISOString() }),
    ...(task.hasWebhook === undefined ? {} : { has_webhook: task.hasWebhook }),
  };
}

/** What was asked, that it was taken on, and how it ended. */
function presentHistory(task: TaskRow): Record<string, unknown>[] {
  const at = (moment: Date, type: "request" | "response", data: Record<string, unknown>) => ({ timestamp: moment.toISOString(), type, data });
  return [
    ...(task.request === null ? [] : [at(task.createdAt, "request", task.request)]),
    at(task.createdAt, "response", { status: "submitted", task_id: taskWireId(task) }),
    ...(task.completedAt === null ? [] : [at(task.completedAt, "response", { status: task.status, ...task.result, ...(task.error === null ? {} : { errors: [task.error] }) })]),
  ];
}
