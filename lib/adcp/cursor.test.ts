import { expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asObject, callMcp, callRest } from "@/test/fixtures/door";
import { createBigPublisher, furnishBuyer } from "@/test/fixtures/tool-inputs";
import { type AppError } from "../errors";
import { listOf, readPage, toPage } from "./cursor";

useTestDatabase();

const [tenantId, otherTenantId] = ["11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"];
const mine = { tenantId, session: { principalId: "33333333-3333-7333-8333-333333333333" } };

function cursorOf(list: ReturnType<typeof listOf>): string {
  return String(toPage([1, 2], readPage({ pagination: { max_results: 1 } }, list), (row) => [row]).pagination.cursor);
}

function refusal(cursor: string, list: ReturnType<typeof listOf>): unknown {
  try {
    return { after: readPage({ pagination: { cursor } }, list).after };
  } catch (error) {
    const { code, userMessage, field } = error as AppError;
    return { code, userMessage, field };
  }
}

test("a cursor continues the list that it came from, and is as good as none on any other, or another's", () => {
  const list = listOf(mine, "tasks:created_at:desc");
  const cursor = cursorOf(list);
  expect(refusal(cursor, list)).toEqual({ after: [1] });
  const garbage = refusal("garbage", list);
  expect(garbage).toMatchObject({ code: "INVALID_REQUEST", field: "pagination.cursor" });
  const foreign = [
    listOf(mine, "tasks:created_at:asc"), listOf(mine, "accounts"), listOf({ ...mine, tenantId: otherTenantId }, list.kind),
    listOf({ ...mine, session: { principalId: "44444444-4444-7444-8444-444444444444" } }, list.kind), listOf({ tenantId, session: null }, list.kind),
  ];
  for (const other of foreign) expect(refusal(cursor, other)).toEqual(garbage);
  const [content = "", signature = ""] = cursor.split(".");
  for (const altered of [content, `${content}.`, `.${signature}`, `${content.slice(0, -1)}.${signature}`, `${cursor}A`, `${content}A.${signature}`]) expect(refusal(altered, list)).toEqual(garbage);
});

test("over both doors another buyer's cursor answers as garbage does", async () => {
  const publisher = await createBigPublisher();
  const [me, they] = [await furnishBuyer(publisher, "me"), await furnishBuyer(publisher, "they")];
  for (const operator of ["one.example", "two.example"]) await callRest("sync_accounts", { idempotency_key: `cursor-accounts-${operator}`, accounts: [{ brand: { domain: operator }, operator, billing: "operator" }] }, { token: they.token });
  const { body } = await callRest("list_accounts", { pagination: { max_results: 1 } }, { token: they.token });
  const cursor = String(asObject(body.pagination).cursor);
  expect(cursor).toContain(".");
  expect((await callRest("list_accounts", { pagination: { cursor } }, { token: they.token })).isError).toBe(false);
  for (const call of [callRest, callMcp]) {
    const [foreign, garbage] = [await call("list_accounts", { pagination: { cursor } }, { token: me.token }), await call("list_accounts", { pagination: { cursor: "garbage" } }, { token: me.token })];
    expect(foreign.isError).toBe(true);
    expect([foreign.status, foreign.body]).toEqual([garbage.status, garbage.body]);
  }
});
