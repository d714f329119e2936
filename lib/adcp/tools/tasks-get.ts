import { withTenant } from "../../db/client";
import { invariant } from "../../errors";
import { loadTask, presentTask } from "../../media-buys/tasks";
import { buyerActor } from "../buyer-actor";
import { type Tool } from "../tool";

export const tasksGetTool: Tool = {
  kind: "read",
  name: "tasks_get",
  aliases: ["tasks/get"],
  title: "Follow a task",
  description: "The state of a task from a submitted answer: status, and when it has completed the tool's answer in `result`, or in `error` why it was rejected.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log }, input) {
    invariant(session, "tasks_get without a buyer");
    return withTenant(tenantId, async (db) => {
      const task = await loadTask({ db, tenantId, actor: buyerActor(session), now, log }, session, String(input.task_id));
      return { payload: presentTask(task), summary: `The task is ${task.status}.` };
    });
  },
};
