import { extendedSchema, schemaRef } from "../schemas";
import { answerTaskList } from "../task-answers";
import { type Tool } from "../tool";

/** 3.1's name for tasks_list. */
export const listTasksTool: Tool = {
  kind: "read",
  name: "list_tasks",
  title: "Your tasks (3.1)",
  description: "tasks_list as AdCP 3.1 names it: the tasks that your calls opened, filtered, sorted, in pages; also of one account.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  ownSchema: { request: extendedSchema("core/tasks-list-request", { account: schemaRef("core/account-ref") }), response: extendedSchema("core/tasks-list-response", {}) },
  run: (call, request) => answerTaskList("list_tasks", call, request),
};
