import { toWireId } from "../ids";

/** The id by which the buyer knows a task. */
export function taskWireId(task: { id: string; handle: string | null }): string {
  return task.handle ?? toWireId("task", task.id);
}
