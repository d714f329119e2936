import { answerTask } from "../task-answers";
import { type Tool } from "../tool";

export const tasksGetTool: Tool = {
  kind: "read",
  name: "tasks_get",
  aliases: ["tasks/get"],
  title: "Follow a task",
  description: "The state of a task from a submitted answer: status, and when it has ended the tool's answer in `result`, or in `error` why it was refused. include_history adds the exchange.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run: (call, input) => answerTask(call, input, true),
};
