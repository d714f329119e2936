import { answerTaskList } from "../task-answers";
import { type Tool } from "../tool";

export const tasksListTool: Tool = {
  kind: "read",
  name: "tasks_list",
  aliases: ["tasks/list"],
  title: "Your tasks",
  description: "The tasks that your calls opened, by status, type, time, id, or text of their context; sorted, in pages, the newest first.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run: (call, request) => answerTaskList("tasks_list", call, request),
};
