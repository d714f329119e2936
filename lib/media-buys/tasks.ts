import { and, desc, eq, exists, isNull, or, type SQL, sql } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError, invariant } from "../errors";
import { fromWireId, newId } from "../ids";
import { pushNotificationConfigs } from "../webhooks/schema";
import { tasks } from "./schema";

export type TaskRow = typeof tasks.$inferSelect;
export type ListedTask = TaskRow & { hasWebhook: boolean };
export type TaskError = { code: string; message: string; recovery: "correctable" | "transient" | "terminal"; [key: string]: unknown };

export type NewTask = {
  principalId: string;
  taskType: string;
  accountId?: string;
  mediaBuyId: string | null;
  message: string;
  /** The buyer's request without credentials. */
  request?: Record<string, unknown>;
  buyerContext: Record<string, unknown> | null;
  /** The id to know it by, where the buyer's test controller asked for one. */
  handle?: string;
};

/** Opens a task that the buyer polls while somebody decides. */
export async function openTask(ctx: Ctx, input: NewTask): Promise<TaskRow> {
  const [task] = await ctx.db.insert(tasks)
    .values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), status: "submitted", ...input, createdAt: ctx.now, updatedAt: ctx.now })
    .returning();
  invariant(task, "an inserted task is returned");
  return task;
}

export type TaskEnd =
  | { status: "completed"; message: string; result: Record<string, unknown> }
  | { status: "rejected" | "failed"; message: string; error: TaskError }
  | { status: "canceled"; message: string };

/** The end of a task: its result is the tool's own success payload, its error the typed one. Throws CONFLICT when it has ended already. */
export async function endTask(ctx: Ctx, taskId: string, end: TaskEnd): Promise<TaskRow> {
  const [task] = await ctx.db.update(tasks)
    .set({ ...end, completedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.id, taskId), isNull(tasks.completedAt)))
    .returning();
  if (!task) throw new AppError("CONFLICT", "This task has ended already.");
  return task;
}

/** Whether somebody is told when the task moves. */
export function hasReceiver(ctx: Ctx): SQL<boolean> {
  const ofTask = and(eq(pushNotificationConfigs.tenantId, tasks.tenantId), isNull(pushNotificationConfigs.archivedAt), eq(pushNotificationConfigs.purpose, "task"), or(eq(pushNotificationConfigs.taskId, tasks.id), eq(pushNotificationConfigs.mediaBuyId, tasks.mediaBuyId)));
  return sql<boolean>`${exists(ctx.db.select({ one: sql`1` }).from(pushNotificationConfigs).where(ofTask))}`;
}

/** A task of this buyer, by its wire id. Unknown, foreign and malformed ids answer alike. */
export async function loadTask(ctx: Ctx, session: BuyerSession, taskId: string): Promise<ListedTask> {
  const [row] = await ctx.db
    .select({ task: tasks, hasWebhook: hasReceiver(ctx) })
    .from(tasks)
    .where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.principalId, session.principalId), isKnownAs(taskId)))
    .orderBy(desc(tasks.createdAt), desc(tasks.id)).limit(1);
  if (!row) throw new AppError("REFERENCE_NOT_FOUND", "You have no such task here.", { field: "task_id" });
  return { ...row.task, hasWebhook: row.hasWebhook };
}

/** Our id, unless the task goes by another one. */
export function isKnownAs(taskId: string): SQL | undefined {
  const id = fromWireId("task", taskId);
  const byHandle = eq(tasks.handle, taskId);
  return id === undefined ? byHandle : or(and(eq(tasks.id, id), isNull(tasks.handle)), byHandle);
}
