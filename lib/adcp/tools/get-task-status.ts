import { extendedSchema, schemaRef } from "../schemas";
import { answerTask } from "../task-answers";
import { type Tool } from "../tool";

/** 3.1's name for tasks_get. There the result comes only when it is asked for. */
export const getTaskStatusTool: Tool = {
  kind: "read",
  name: "get_task_status",
  title: "Follow a task (3.1)",
  description: "tasks_get as AdCP 3.1 names it: the state of a task from a submitted answer; with include_result the tool's answer once it has ended, with include_history the exchange.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  ownSchema: {
    request: extendedSchema("core/tasks-get-request", {
      account: schemaRef("core/account-ref"),
      include_result: { type: "boolean", default: false, description: "Whether the answer of a task that has ended is included" },
    }),
    response: extendedSchema("core/tasks-get-response", {}),
  },
  run: (call, input) => answerTask(call, input, false),
};
