import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, errorCode, newKey } from "@/test/fixtures/door";
import { asBuyer, asSystem, DAY_MS, decide, homepage } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { mediaBuys } from "@/lib/media-buys/schema";
import { openTask } from "@/lib/media-buys/tasks";

useTestDatabase();
const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

let publisher: PublisherFixture;
let taskIds: string[];

async function submit(token: string, overrides: Record<string, unknown> = {}): Promise<string> {
  const request = { idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: at(2), end_time: at(32), packages: [homepage()], ...overrides };
  const { body } = await callMcp("create_media_buy", request, { token });
  expect(body.status).toBe("submitted");
  return String(body.task_id);
}

const ask = async (tool: string, input: Record<string, unknown> = {}, token = publisher.token) => (await callMcp(tool, input, { token })).body;
const idsOf = (body: Record<string, unknown>) => asList(body.tasks).map(({ task_id: id }) => id);

beforeAll(async () => {
  publisher = await createPublisher({ isReviewRequired: true });
  taskIds = [];
  for (const [index, extra] of [{ context: { campaign: "spring_2027" } }, { push_notification_config: { url: "https://buyer.example/hook", authentication: { schemes: ["Bearer"], credentials: "c".repeat(40) } } }, {}].entries()) {
    taskIds.push(await submit(publisher.token, { po_number: `PO-${index}`, ...extra }));
  }
  const waiting = await asSystem(publisher, ({ db }) => db.select({ id: mediaBuys.id, po: mediaBuys.poNumber }).from(mediaBuys));
  const buyOf = (po: string) => waiting.find((buy) => buy.po === po)?.id ?? "";
  await decide(publisher, buyOf("PO-0"), "approve", { now: new Date() });
  await decide(publisher, buyOf("PO-1"), "reject", { now: new Date(), reason: "Not this category" });
});

describe("a buyer's tasks", () => {
  test("under 3.0's and 3.1's names, over MCP and REST, are the same", async () => {
    const [first] = taskIds;
    const known = await ask("tasks_get", { task_id: first });
    expect(known).toMatchObject({ task_id: first, status: "completed", protocol: "media-buy", result: { revision: 1 } });
    expect(await ask("tasks/get", { task_id: first })).toEqual(known);
    const { result: _result, ...withoutResult } = known;
    expect(await ask("get_task_status", { task_id: first })).toEqual(withoutResult);
    expect(await ask("get_task_status", { task_id: first, include_result: true })).toEqual(known);
    expect((await callRest("get_task_status", { task_id: first, include_result: true }, { token: publisher.token })).body).toEqual(known);
    const listed = await ask("tasks_list");
    for (const name of ["tasks/list", "list_tasks"]) expect(await ask(name)).toEqual(listed);
    expect(listed).toMatchObject({
      query_summary: { total_matching: 3, returned: 3, domain_breakdown: { "media-buy": 3 }, status_breakdown: { completed: 1, rejected: 1, submitted: 1 }, sort_applied: { field: "created_at", direction: "desc" } },
      pagination: { has_more: false, total_count: 3 },
    });
    expect(idsOf(listed)).toEqual([...taskIds].reverse());
  });

  test("their history tells what was asked, that it was taken on and how it ended, without secrets", async () => {
    const [, rejected] = taskIds;
    const { history, error } = await ask("tasks_get", { task_id: rejected, include_history: true });
    expect(error).toMatchObject({ code: "ORDER_REJECTED", message: "Not this category" });
    expect(asList(history)).toMatchObject([
      { type: "request", data: { po_number: "PO-1", packages: [{ product_id: "homepage_display" }] } }, { type: "response", data: { status: "submitted", task_id: rejected } },
      { type: "response", data: { status: "rejected", errors: [{ code: "ORDER_REJECTED" }] } },
    ]);
    expect(JSON.stringify(history)).not.toContain("cccc");
    expect(await ask("tasks_get", { task_id: rejected })).not.toHaveProperty("history");
    const listed = await ask("list_tasks", { include_history: true, filters: { status: "rejected" } });
    expect(asList(asList(listed.tasks)[0]?.history)).toHaveLength(3);
  });

  test("are found by each filter", async () => {
    const [first, second, third] = taskIds;
    const created = String(asList((await ask("tasks_list", { filters: { task_ids: [second] } })).tasks)[0]?.created_at);
    const cases: [Record<string, unknown>, unknown[]][] = [
      [{ status: "submitted" }, [third]], [{ statuses: ["completed", "rejected"] }, [second, first]], [{ task_type: "create_media_buy" }, [third, second, first]], [{ task_types: ["sync_creatives"] }, []],
      [{ protocol: "media-buy" }, [third, second, first]], [{ protocols: ["signals"] }, []], [{ task_ids: [third, first, "task_nothing"] }, [third, first]], [{ has_webhook: true }, [second]], [{ has_webhook: false }, [third, first]],
      [{ context_contains: "SPRING_2027" }, [first]], [{ context_contains: "100%" }, []], [{ created_after: created }, [third]], [{ created_before: created }, [first]],
      [{ updated_after: at(1) }, []], [{ updated_before: at(1) }, [third, second, first]],
    ];
    for (const [filters, expected] of cases) expect([filters, idsOf(await ask("tasks_list", { filters }))]).toEqual([filters, expected]);
    const done = asObject((await ask("tasks_get", { task_id: first })).result);
    expect(idsOf(await ask("tasks_list", { filters: { context_contains: done.media_buy_id } }))).toEqual([first]);
    expect((await ask("tasks_list", { filters: { status: "submitted", has_webhook: false } })).query_summary).toMatchObject({ filters_applied: ["status", "has_webhook"], total_matching: 1 });
  });

  test("come in pages that end, in every order", async () => {
    for (const field of ["created_at", "updated_at", "status", "task_type", "protocol"]) {
      for (const direction of ["asc", "desc"]) {
        const seen: unknown[] = [];
        let cursor: unknown;
        do {
          const page = await ask("list_tasks", { sort: { field, direction }, pagination: { max_results: 1, ...(cursor === undefined ? {} : { cursor }) } });
          seen.push(...idsOf(page));
          cursor = asObject(page.pagination).cursor;
        } while (cursor !== undefined);
        expect([field, direction, [...seen].sort()]).toEqual([field, direction, [...taskIds].sort()]);
        if (field === "status") expect(seen.map((id) => taskIds.indexOf(String(id)))).toEqual(direction === "asc" ? [0, 1, 2] : [2, 1, 0]);
      }
    }
    const { pagination } = await ask("tasks_list", { pagination: { max_results: 1 } });
    const other = await callMcp("tasks_list", { sort: { field: "status" }, pagination: { cursor: asObject(pagination).cursor } }, { token: publisher.token });
    expect(errorCode(other)).toBe("INVALID_REQUEST");
  });

  test("of one account only, when an account is named", async () => {
    const { account_id: accountId } = asObject(asObject((await ask("tasks_get", { task_id: taskIds[0] })).result).account);
    expect(idsOf(await ask("list_tasks", { account: { account_id: accountId } }))).toHaveLength(3);
    const opened = await ask("sync_accounts", { idempotency_key: newKey(), accounts: [{ brand: { domain: "other.example" }, operator: "pinnacle-agency.example", billing: "operator" }] });
    const elsewhere = { account_id: asList(opened.accounts)[0]?.account_id };
    expect(idsOf(await ask("list_tasks", { account: elsewhere }))).toEqual([]);
    expect(errorCode(await callMcp("get_task_status", { task_id: taskIds[0], account: elsewhere }, { token: publisher.token }))).toBe("REFERENCE_NOT_FOUND");
  });

  test("do not exist for another buyer, by any of the tools", async () => {
    const neighbour = await createBuyer(publisher.tenantId);
    for (const { token } of [neighbour, await createPublisher()]) {
      for (const name of ["tasks_list", "list_tasks"]) expect(await ask(name, { filters: { task_ids: taskIds } }, token)).toMatchObject({ tasks: [], query_summary: { total_matching: 0, status_breakdown: {} } });
      for (const name of ["tasks_get", "get_task_status"]) {
        const answers = [];
        for (const id of [taskIds[0], "task_00000000000000000000000000", "nonsense"]) answers.push(await callMcp(name, { task_id: id, include_result: true }, { token }));
        expect(answers.map(errorCode)).toEqual(answers.map(() => "REFERENCE_NOT_FOUND"));
        expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      }
    }
  });

  test("a task may go by a name of its buyer's choice; the newest of that name is meant", async () => {
    const open = (message: string, at: Date) => asBuyer(publisher, (ctx) => openTask(ctx, { principalId: publisher.principal.id, taskType: "create_media_buy", mediaBuyId: null, message, buyerContext: null, handle: "task_of_mine" }), at);
    await open("first", new Date(Date.now() - 1_000));
    await open("second", new Date());
    expect(await ask("tasks_get", { task_id: "task_of_mine" })).toMatchObject({ task_id: "task_of_mine", message: "second" });
    const neighbour = await createBuyer(publisher.tenantId);
    expect(errorCode(await callMcp("tasks_get", { task_id: "task_of_mine" }, { token: neighbour.token }))).toBe("REFERENCE_NOT_FOUND");
  });
});
