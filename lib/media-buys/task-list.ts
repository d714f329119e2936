import { and, asc, count, desc, eq, gt, inArray, lt, not, or, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { type PageRequest, type Position } from "../adcp/cursor";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { containsPattern } from "../paging";
import { TASK_PROTOCOL } from "./present-task";
import { tasks } from "./schema";
import { hasReceiver, isKnownAs, type ListedTask } from "./tasks";

const texts = z.array(z.string());
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** core/tasks-list-request.json's filters. */
export const taskFilters = z.looseObject({
  protocol: z.string().optional(),
  protocols: texts.optional(),
  status: z.string().optional(),
  statuses: texts.optional(),
  task_type: z.string().optional(),
  task_types: texts.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
  updated_after: instant.optional(),
  updated_before: instant.optional(),
  task_ids: texts.optional(),
  context_contains: z.string().optional(),
  has_webhook: z.boolean().optional(),
});
export type TaskFilters = z.infer<typeof taskFilters>;

export const taskSort = z.looseObject({
  field: z.enum(["created_at", "updated_at", "status", "task_type", "protocol"]).default("created_at"),
  direction: z.enum(["asc", "desc"]).default("desc"),
});
export type TaskSort = z.infer<typeof taskSort>;

/** What a task is sorted by, and how that value looks in a cursor. */
const SORTS: Record<TaskSort["field"], { column: SQL; valueOf(row: ListedTask): string | number }> = {
  created_at: { column: sql`(extract(epoch from ${tasks.createdAt}) * 1000)::bigint`, valueOf: (task) => task.createdAt.getTime() },
  updated_at: { column: sql`(extract(epoch from ${tasks.updatedAt}) * 1000)::bigint`, valueOf: (task) => task.updatedAt.getTime() },
  status: { column: sql`${tasks.status}`, valueOf: (task) => task.status },
  task_type: { column: sql`${tasks.taskType}`, valueOf: (task) => task.taskType },
  protocol: { column: sql`${TASK_PROTOCOL}::text`, valueOf: () => TASK_PROTOCOL },
};

export function taskPositionOf(sort: TaskSort): (task: ListedTask) => Position {
  return (task) => [SORTS[sort.field].valueOf(task), task.id];
}

export type TaskQuery = { session: BuyerSession; account: AccountRow | null; filters: TaskFilters; sort: TaskSort; page: PageRequest };

/** The buyer's own tasks, one more than the page holds, with totals over all pages. */
export async function listTasks(ctx: Ctx, { session, account, filters, sort, page }: TaskQuery): Promise<{ rows: ListedTask[]; total: number; byStatus: Record<string, number> }> {
  const where = and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.principalId, session.principalId), account ? eq(tasks.accountId, account.id) : undefined, ...filterConditions(ctx, filters));
  const { column } = SORTS[sort.field];
  const [order, beyond] = sort.direction === "asc" ? [asc, gt] : [desc, lt];
  const [value, id] = page.after ?? [];
  const after = page.after ? or(beyond(column, sql`${value}`), and(eq(column, sql`${value}`), beyond(tasks.id, String(id)))) : undefined;
  const rows = await ctx.db.select({ task: tasks, hasWebhook: hasReceiver(ctx) }).from(tasks).where(and(where, after)).orderBy(order(column), order(tasks.id)).limit(page.limit + 1);
  const groups = await ctx.db.select({ status: tasks.status, total: count() }).from(tasks).where(where).groupBy(tasks.status);
  return {
    rows: rows.map(({ task, hasWebhook }) => ({ ...task, hasWebhook })),
    total: groups.reduce((sum, group) => sum + group.total, 0),
    byStatus: Object.fromEntries(groups.map(({ status, total }) => [status, total])),
  };
}

function filterConditions(ctx: Ctx, filters: TaskFilters): (SQL | undefined)[] {
  const isOneOf = (column: SQL, one: string | undefined, several: string[] | undefined) => [one === undefined ? undefined : eq(column, one), several ? inArray(column, several) : undefined];
  return [
    ...isOneOf(sql`${TASK_PROTOCOL}::text`, filters.protocol, filters.protocols),
    ...isOneOf(sql`${tasks.status}`, filters.status, filters.statuses),
    ...isOneOf(sql`${tasks.taskType}`, filters.task_type, filters.task_types),
    filters.created_after ? gt(tasks.createdAt, filters.created_after) : undefined,
    filters.created_before ? lt(tasks.createdAt, filters.created_before) : undefined,
    filters.updated_after ? gt(tasks.updatedAt, filters.updated_after) : undefined,
    filters.updated_before ? lt(tasks.updatedAt, filters.updated_before) : undefined,
    filters.task_ids ? or(...filters.task_ids.map(isKnownAs)) : undefined,
    filters.context_contains === undefined ? undefined : mentions(filters.context_contains),
    filters.has_webhook === undefined ? undefined : filters.has_webhook ? hasReceiver(ctx) : not(hasReceiver(ctx)),
  ];
}

/** In the buyer's own context, or as an id of the answer. An order's id is found once the buyer was told it. */
function mentions(text: string): SQL | undefined {
  return or(sql`${tasks.buyerContext}::text ilike ${containsPattern(text)}`, sql`${tasks.result} ->> 'media_buy_id' = ${text}`);
}
