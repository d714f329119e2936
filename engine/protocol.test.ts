import { createHash } from "node:crypto";
import { NonRetriableError } from "inngest";
import { expect, test } from "vitest";
import { waitFor } from "@/test/wait";
import { type Exchange, useEngineDatabase } from "@/test/engine/harness";
import { type Answer, interpretAnswer } from "./wire";

/**
 * What travels between executor and SDK 4.24.0. The expectations were written down from traces of the SDK and the real
 * server: they are facts about others, not about this code.
 */

const database = useEngineDatabase();

/** Step ids on the wire are sha1(id), of a repeated id sha1("id:1"). */
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
const STEP_NAMES = new Map(["one", "par-a", "par-b", "nap", "flaky", "approval", "late", "twice", "twice:1", "x", "call-child"].map((name) => [sha1(name), name]));
const nameOf = (id: string) => STEP_NAMES.get(id) ?? id;

type Fact = { stepId?: string; version?: number; attempt?: number; maxAttempts?: number; isBranch?: boolean; memo?: Record<string, unknown>; stack?: string[]; answer: string };

function readFact({ request, stepId, status, ops }: Exchange): Required<Fact> {
  return {
    stepId: nameOf(stepId),
    version: request.version,
    attempt: request.ctx.attempt,
    maxAttempts: request.ctx.max_attempts,
    isBranch: request.ctx.disable_immediate_execution,
    memo: Object.fromEntries(Object.entries(request.steps).map(([id, state]) => [nameOf(id), state])),
    stack: request.ctx.stack.stack.map(nameOf),
    answer: [status, ...ops].join(" "),
  };
}

/** The version is -1 in a run's first request, then what the SDK answered. The memo names the steps of the stack. */
function complete(facts: Fact[], maxAttempts: number): Required<Fact>[] {
  return facts.map((fact, index) => ({ stepId: "step", version: index === 0 ? -1 : 2, attempt: 0, maxAttempts, isBranch: false, memo: {}, stack: Object.keys(fact.memo ?? {}), ...fact }));
}

test("a run goes one step a request, through every kind of memoised state", async () => {
  let flakyCalls = 0;
  const { inngest, exchanges, executor, clock } = await database.start((client) => [
    client.createFunction({ id: "flow", triggers: [{ event: "demo/flow.started" }], retries: 3 }, async ({ event, step }) => {
      const one = await step.run("one", () => ({ v: event.data.n + 1 }));
      const [p, q] = await Promise.all([step.run("par-a", () => `A${one.v}`), step.run("par-b", () => `B${one.v}`)]);
      await step.sleep("nap", "2h");
      const flaky = await step.run("flaky", () => {
        flakyCalls += 1;
        if (flakyCalls < 3) throw new Error(`boom ${flakyCalls}`);
        return "ok";
      });
      const approval = await step.waitForEvent("approval", { event: "demo/flow.approved", timeout: "1d", if: "async.data.orderId == event.data.orderId" });
      const late = await step.waitForEvent("late", { event: "demo/never", timeout: "1d" });
      return { p, q, flaky, approved: approval?.data.ok, late };
    }),
  ]);
  await inngest.send({ id: "flow-1", name: "demo/flow.started", data: { orderId: "o1", n: 1 } });
  // An answer is seen here before its wait begins.
  const rest = (requests: number) => exchanges.length === requests && executor.status().waiting === 1;
  await waitFor("the sleep", () => rest(5));
  clock.advance(2 * 3_600_000);
  await waitFor("the wait", () => rest(9));
  await inngest.send({ id: "flow-2", name: "demo/flow.approved", ts: 5, data: { orderId: "o1", ok: true } });
  await waitFor("the second wait", () => rest(10));
  clock.advance(24 * 3_600_000);
  await waitFor("the end", () => exchanges.length === 11);

  const one = { one: { data: { v: 2 } } };
  const parallel = { ...one, "par-a": { data: "A2" }, "par-b": { data: "B2" } };
  const slept = { ...parallel, nap: null };
  const recovered = { ...slept, flaky: { data: "ok" } };
  const approved = { ...recovered, approval: { id: "flow-2", name: "demo/flow.approved", ts: 5, data: { orderId: "o1", ok: true }, user: {} } };
  const facts: Fact[] = [
    { answer: "206 StepRun one" },
    { memo: one, answer: "206 StepPlanned par-a StepPlanned par-b" },
    { memo: one, stepId: "par-a", isBranch: true, answer: "206 StepRun par-a" },
    { memo: one, stepId: "par-b", isBranch: true, answer: "206 StepRun par-b" },
    { memo: parallel, answer: "206 Sleep nap" },
    { memo: slept, answer: "206 StepError flaky" },
    { memo: slept, attempt: 1, answer: "206 StepError flaky" },
    { memo: slept, attempt: 2, answer: "206 StepRun flaky" },
    { memo: recovered, answer: "206 WaitForEvent approval" },
    { memo: approved, answer: "206 WaitForEvent late" },
    { memo: { ...approved, late: null }, answer: "200" },
  ];
  const seen = exchanges.map(readFact);
  // The two branches run side by side: their order is nobody's promise.
  seen.splice(2, 2, ...seen.slice(2, 4).sort((a, b) => a.stepId.localeCompare(b.stepId)));
  expect(seen).toEqual(complete(facts, 4));
  expect(exchanges.at(-1)?.body).toEqual({ p: "A2", q: "B2", flaky: "ok", approved: true, late: null });
  expect(exchanges.every(({ host, functionId, request }) => host === "embedded.invalid" && functionId === "app-flow" && request.ctx.stack.current === request.ctx.stack.stack.length)).toBe(true);
});

test("a step that fails for good is memoised as an error, and the function's own failure is an event", async () => {
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "failing", triggers: [{ event: "demo/fail" }], retries: 0, onFailure: async ({ error, event }) => ({ got: error.message, fn: event.data.function_id }) }, async ({ step }) => {
      await step.run("x", () => {
        throw new NonRetriableError("no way");
      });
    }),
  ]);
  await inngest.send({ id: "fail-1", name: "demo/fail", data: {} });
  await waitFor("the failure handler", () => exchanges.length === 3);

  const [failed, rejected, handled] = exchanges.map(readFact);
  expect(failed).toMatchObject({ maxAttempts: 1, answer: "206 StepFailed x" });
  expect(rejected).toMatchObject({ memo: { x: { error: { name: "NonRetriableError", message: "no way" } } }, answer: "400" });
  expect(handled).toMatchObject({ version: -1, maxAttempts: 2, answer: "200" });
  const handler = exchanges[2];
  expect(handler?.functionId).toBe("app-failing-failure");
  expect(handler?.request.event).toMatchObject({
    name: "inngest/function.failed",
    data: { function_id: "app-failing", run_id: exchanges[0]?.request.ctx.run_id, error: { name: "NonRetriableError", message: "no way" }, event: { id: "fail-1", name: "demo/fail" } },
  });
  expect(handler?.body).toEqual({ got: "no way", fn: "app-failing" });
});

test("an invoked function gets its own run, and its result is memoised", async () => {
  const { inngest, exchanges } = await database.start((client) => {
    const child = client.createFunction({ id: "child", triggers: [{ event: "demo/child" }] }, async ({ event }) => Number(event.data.x) * 2);
    return [child, client.createFunction({ id: "parent", triggers: [{ event: "demo/parent" }] }, async ({ step }) => step.invoke("call-child", { function: child, data: { x: 21 } }))];
  });
  await inngest.send({ id: "parent-1", name: "demo/parent", data: {} });
  await waitFor("both to end", () => exchanges.length === 3);
  // Where `retries` is unset, the real server makes four more attempts.
  expect(exchanges.map(readFact)).toMatchObject([
    { maxAttempts: 5, answer: "206 InvokeFunction call-child" },
    { maxAttempts: 5, version: -1, answer: "200" },
    { memo: { "call-child": { data: 42 } }, answer: "200" },
  ]);
  expect(exchanges[1]?.request.event).toMatchObject({ name: "inngest/function.invoked", data: { x: 21 } });
  expect(exchanges[1]?.request.ctx.run_id).not.toBe(exchanges[0]?.request.ctx.run_id);
});

test("a repeated step id is told apart, and memoised steps are not run again", async () => {
  const runs: string[] = [];
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "twice", triggers: [{ event: "demo/twice" }] }, async ({ step }) => {
      await step.run("twice", () => void runs.push("first"));
      await step.run("twice", () => void runs.push("second"));
    }),
  ]);
  await inngest.send({ id: "twice-1", name: "demo/twice", data: {} });
  await waitFor("the end", () => exchanges.length === 3);
  expect(readFact(exchanges[2] ?? failTest()).memo).toEqual({ twice: { data: null }, "twice:1": { data: null } });
  expect(runs).toEqual(["first", "second"]);
});

const at = { attempt: 0, maxAttempts: 4, startedMs: 0, nowMs: 1_000_000, retryDelayMs: () => 15_000 };
const answer = (status: number, body: unknown, more: Partial<Answer> = {}): Answer => ({ status, body, isFinal: false, retryAfter: null, version: 2, ...more });
const error = { name: "Error", message: "boom" };

test.each([
  ["200 ends the run", answer(200, 42), at, { kind: "finished", output: 42 }],
  ["500 is tried again", answer(500, error), at, { kind: "retry", atMs: 1_015_000 }],
  ["500 on the last attempt fails the run", answer(500, error), { ...at, attempt: 3 }, { kind: "failed", error }],
  ["400 with no-retry fails the run", answer(400, error, { isFinal: true }), at, { kind: "failed", error }],
  ["a wrong signature is tried again", answer(401, { message: "Unauthorized" }), at, { kind: "retry", atMs: 1_015_000 }],
  ["retry-after in seconds", answer(500, error, { retryAfter: "3" }), at, { kind: "retry", atMs: 1_003_000 }],
  ["retry-after as an instant", answer(500, error, { retryAfter: "1970-01-01T01:00:00.000Z" }), at, { kind: "retry", atMs: 3_600_000 }],
  ["a failed attempt of a step is tried again", answer(206, [{ id: "a", op: "StepError", error }]), at, { kind: "retry", atMs: 1_015_000 }],
  ["the last failed attempt of a step is memoised", answer(206, [{ id: "a", op: "StepError", error }]), { ...at, attempt: 3 }, { kind: "ops", ops: [{ kind: "settled", id: "a", state: { error } }] }],
  ["a step that returns nothing", answer(206, [{ id: "a", op: "StepRun" }]), at, { kind: "ops", ops: [{ kind: "settled", id: "a", state: { data: null } }] }],
  ["a sleep carries its duration in its name", answer(206, [{ id: "a", op: "Sleep", name: "1d2h" }]), at, { kind: "ops", ops: [{ kind: "sleep", id: "a", dueMs: 1_000_000 + 26 * 3_600_000 }] }],
  ["a sleep until an instant", answer(206, [{ id: "a", op: "Sleep", name: "1970-01-02T00:00:00.000Z" }]), at, { kind: "ops", ops: [{ kind: "sleep", id: "a", dueMs: 86_400_000 }] }],
  ["one operation outside a list", answer(206, { id: "a", op: "StepPlanned" }), at, { kind: "ops", ops: [{ kind: "planned", id: "a" }] }],
  ["a wait carries its event in its name", answer(206, [{ id: "a", op: "WaitForEvent", name: "demo/x", opts: { timeout: "1m", if: "async.data.a == event.data.a" } }]), at, { kind: "ops", ops: [{ kind: "wait", id: "a", eventName: "demo/x", expression: "async.data.a == event.data.a", expiresMs: 1_060_000 }] }],
  ["a wait with an expression that is none", answer(206, [{ id: "a", op: "WaitForEvent", name: "demo/x", opts: { timeout: "1m", if: "async.data." } }]), at, { kind: "failed", error: { name: "EngineError" } }],
  ["an answer that is no operation", answer(206, "garbage"), at, { kind: "failed", error: { name: "EngineError" } }],
])("%s", (_what, given, circumstances, expected) => {
  expect(interpretAnswer(given, circumstances)).toMatchObject(expected);
});

function failTest(): never {
  throw new Error("There is no such exchange");
}
