import { z } from "zod";
import { findAccountToRead } from "../accounts/service";
import { type Ctx } from "../context";
import { withTenant } from "../db/client";
import { AppError, invariant } from "../errors";
import { presentListedTask, presentTask, TASK_PROTOCOL } from "../media-buys/present-task";
import { listTasks, taskFilters, taskPositionOf, taskSort } from "../media-buys/task-list";
import { loadTask } from "../media-buys/tasks";
import { buyerActor } from "./buyer-actor";
import { listOf, readPage, toPage } from "./cursor";
import { type BuyerSession, type ToolAnswer, type ToolCall } from "./tool";

/** The one table of tasks, as 3.0's and 3.1's tools ask for it. */

const taskInput = z.looseObject({ task_id: z.string(), account: z.unknown().optional(), include_history: z.boolean().default(false), include_result: z.boolean().optional() });
const listInput = z.looseObject({ filters: taskFilters.default({}), sort: taskSort.optional(), account: z.unknown().optional(), include_history: z.boolean().default(false) });

/** @param isResultShown whether the result comes without being asked for */
export function answerTask(call: ToolCall, request: Record<string, unknown>, isResultShown: boolean): Promise<ToolAnswer> {
  const input = taskInput.parse(request);
  return asBuyer(call, async (ctx, session) => {
    const account = input.account === undefined ? null : await findAccountToRead(ctx, session, input.account);
    const task = await loadTask(ctx, session, input.task_id);
    if (account && task.accountId !== account.id) throw new AppError("REFERENCE_NOT_FOUND", "You have no such task here.", { field: "task_id" });
    return { payload: presentTask(task, { includeHistory: input.include_history, includeResult: input.include_result ?? isResultShown }), summary: `The task is ${task.status}.` };
  });
}

/** @param tool the name under which it was asked for: each has cursors of its own */
export function answerTaskList(tool: "tasks_list" | "list_tasks", call: ToolCall, request: Record<string, unknown>): Promise<ToolAnswer> {
  const { filters, account: ref, include_history: includeHistory, ...input } = listInput.parse(request);
  const sort = input.sort ?? taskSort.parse({});
  const page = readPage(request, listOf(call, tool));
  return asBuyer(call, async (ctx, session) => {
    const account = ref === undefined ? null : await findAccountToRead(ctx, session, ref);
    const { rows, total, byStatus } = await listTasks(ctx, { session, account, filters, sort, page });
    const { rows: shown, pagination } = toPage(rows, page, taskPositionOf(sort), total);
    const applied = Object.entries(filters).filter(([, value]) => value !== undefined).map(([name]) => name);
    return {
      payload: {
        query_summary: {
          total_matching: total, returned: shown.length, domain_breakdown: { [TASK_PROTOCOL]: total }, status_breakdown: byStatus,
          ...(applied.length > 0 ? { filters_applied: applied } : {}), sort_applied: { field: sort.field, direction: sort.direction },
        },
        tasks: shown.map((task) => presentListedTask(task, includeHistory)),
        pagination,
      },
      summary: `${shown.length} of ${total} tasks.`,
    };
  });
}

function asBuyer(call: ToolCall, work: (ctx: Ctx, session: BuyerSession) => Promise<ToolAnswer>): Promise<ToolAnswer> {
  const { session, tenantId, now, log } = call;
  invariant(session, "a task was asked for without a buyer");
  return withTenant(tenantId, (db) => work({ db, tenantId, actor: buyerActor(session), now, log }, session));
}
