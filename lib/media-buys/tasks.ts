import { and, eq, exists, isNull, or, sql } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError, invariant } from "../errors";
import { fromWireId, newId, toWireId } from "../ids";
import { pushNotificationConfigs } from "../webhooks/schema";
import { tasks } from "./schema";

export type TaskRow = typeof tasks.$inferSelect;
export type TaskError = { code: string; message: string; recovery: "correctable" | "transient" | "terminal"; [key: string]: unknown };

/** Opens a task that the buyer polls while somebody decides. */
export async function openTask(ctx: Ctx, input: { principalId: string; taskType: string; mediaBuyId: string | null; message: string; buyerContext: Record<string, unknown> | null }): Promise<TaskRow> {
  const [task] = await ctx.db.insert(tasks)
    .values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), status: "submitted", ...input, createdAt: ctx.now, updatedAt: ctx.now })
    .returning();
  invariant(task, "an inserted task is returned");
  return task;
}

/** The end of a task: its result is the tool's own success payload, its error the typed one. Throws CONFLICT when it has ended already. */
export async function endTask(ctx: Ctx, taskId: string, end: { status: "completed"; message: string; result: Record<string, unknown> } | { status: "rejected" | "failed" | "canceled"; message: string; error: TaskError }): Promise<TaskRow> {
  const [task] = await ctx.db.update(tasks)
    .set({ ...end, completedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.id, taskId), isNull(tasks.completedAt)))
    .returning();
  if (!task) throw new AppError("CONFLICT", "This task has ended already.");
  return task;
}

/** A task of this buyer, by its wire id. Unknown, foreign and malformed ids answer alike. */
export async function loadTask(ctx: Ctx, session: BuyerSession, taskId: string): Promise<TaskRow & { hasWebhook: boolean }> {
  const id = fromWireId("task", taskId);
  const ofTask = and(eq(pushNotificationConfigs.tenantId, tasks.tenantId), or(eq(pushNotificationConfigs.taskId, tasks.id), eq(pushNotificationConfigs.mediaBuyId, tasks.mediaBuyId)));
  const [row] = id === undefined ? [] : await ctx.db
    .select({ task: tasks, hasWebhook: sql<boolean>`${exists(ctx.db.select({ one: sql`1` }).from(pushNotificationConfigs).where(ofTask))}` })
    .from(tasks)
    .where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.id, id), eq(tasks.principalId, session.principalId)));
  if (!row) throw new AppError("REFERENCE_NOT_FOUND", "You have no such task here.", { field: "task_id" });
  return { ...row.task, hasWebhook: row.hasWebhook };
}

/** core/tasks-get-response.json. `result` is 3.1's, which 3.0 clients read already. */
export function presentTask(task: TaskRow & { hasWebhook?: boolean }): Record<string, unknown> {
  return {
    task_id: toWireId("task", task.id),
    task_type: task.taskType,
    protocol: "media-buy",
    status: task.status,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    ...(task.completedAt === null ? {} : { completed_at: task.completedAt.toISOString() }),
    ...(task.message === null ? {} : { message: task.message }),
    ...(task.hasWebhook === undefined ? {} : { has_webhook: task.hasWebhook }),
    ...(task.result === null ? {} : { result: task.result }),
    ...(task.error === null ? {} : { error: task.error }),
  };
}
