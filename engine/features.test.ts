import { NonRetriableError, RetryAfterError, StepError } from "inngest";
import { expect, test } from "vitest";
import { waitFor } from "@/test/wait";
import { MovableClock } from "@/test/engine/clock";
import { useEngineDatabase } from "@/test/engine/harness";

const database = useEngineDatabase();

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

test("one event starts every function that is meant, and no other", async () => {
  const started: string[] = [];
  const note = (name: string) => async () => void started.push(name);
  const { inngest } = await database.start((client) => [
    client.createFunction({ id: "fan-a", triggers: [{ event: "fan/x" }] }, note("a")),
    client.createFunction({ id: "fan-b", triggers: [{ event: "fan/x", if: "event.data.n > 1" }] }, note("b")),
    client.createFunction({ id: "fan-c", triggers: [{ event: "fan/x", if: "event.data.n > 5" }] }, note("c")),
    client.createFunction({ id: "fan-d", triggers: [{ event: "fan/y" }, { event: "fan/x" }] }, note("d")),
    client.createFunction({ id: "fan-e", triggers: [{ event: "fan/y" }] }, note("e")),
  ]);
  await inngest.send({ id: "fan-1", name: "fan/x", data: { n: 2 } });
  await waitFor("all three", () => started.length === 3);
  expect(started.sort()).toEqual(["a", "b", "d"]);
});

test("the same event id starts nothing twice, in one request, in two, or after a restart", async () => {
  const started: string[] = [];
  const define: Parameters<typeof database.start>[0] = (client) => [client.createFunction({ id: "dup", triggers: [{ event: "dup/x" }] }, async ({ event }) => void started.push(String(event.id)))];
  const first = await database.start(define);
  const answer = await first.inngest.send([
    { id: "dup-1", name: "dup/x", data: {} },
    { id: "dup-1", name: "dup/x", data: {} },
  ]);
  expect(answer.ids).toEqual(["dup-1", "dup-1"]);
  await waitFor("the run", () => started.length === 1);
  await first.inngest.send({ id: "dup-1", name: "dup/x", data: {} });
  await first.executor.stop();
  const second = await database.start(define);
  await second.inngest.send({ id: "dup-1", name: "dup/x", data: {} });
  await second.inngest.send({ id: "dup-2", name: "dup/x", data: {} });
  await waitFor("the other run", () => started.includes("dup-2"));
  expect(started).toEqual(["dup-1", "dup-2"]);
});

test("the function's idempotency key starts one run a day", async () => {
  const started: string[] = [];
  const { inngest, clock } = await database.start((client) => [
    client.createFunction({ id: "idem", triggers: [{ event: "idem/x" }], idempotency: "event.data.orderId" }, async ({ event }) => void started.push(String(event.id))),
  ]);
  await inngest.send({ id: "idem-1", name: "idem/x", data: { orderId: "o1" } });
  await waitFor("the first", () => started.length === 1);
  await inngest.send({ id: "idem-2", name: "idem/x", data: { orderId: "o1" } });
  await inngest.send({ id: "idem-3", name: "idem/x", data: { orderId: "o2" } });
  await waitFor("the other order", () => started.length === 2);
  clock.advance(25 * 3_600_000);
  await inngest.send({ id: "idem-4", name: "idem/x", data: { orderId: "o1" } });
  await waitFor("the next day", () => started.length === 3);
  expect(started).toEqual(["idem-1", "idem-3", "idem-4"]);
});

test("a failing step is tried again by its own count, waits as long as it asks, and its error can be caught", async () => {
  const attempts: string[] = [];
  const { inngest, exchanges, executor, clock } = await database.start((client) => [
    client.createFunction({ id: "retry", triggers: [{ event: "retry/x" }], retries: 2 }, async ({ step, attempt }) => {
      await step.run("asks", () => {
        attempts.push(`asks ${attempt}`);
        if (attempt === 0) throw new RetryAfterError("slow down", "1h");
      });
      const caught = await step.run("never", () => { attempts.push(`never ${attempt}`); throw new Error("never works"); }).catch((error) => (error instanceof StepError ? error.message : "?"));
      return caught;
    }),
  ]);
  await inngest.send({ id: "retry-1", name: "retry/x", data: {} });
  await waitFor("the first attempt", () => exchanges.length === 1);
  await waitFor("it to wait", () => executor.status().waiting === 1);
  clock.advance(3_480_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(executor.status().waiting).toBe(1);
  clock.advance(120_000);
  await waitFor("the end", () => exchanges.at(-1)?.status === 200);
  expect(exchanges.at(-1)?.body).toBe("never works");
  expect(attempts).toEqual(["asks 0", "asks 1", "never 0", "never 1", "never 2"]);
});

test("a function that keeps failing is given up after its retries, and onFailure learns why", async () => {
  let attempts = 0;
  const failures: string[] = [];
  const { inngest } = await database.start((client) => [
    client.createFunction({ id: "giveup", triggers: [{ event: "giveup/x" }], retries: 2, onFailure: async ({ error, event }) => void failures.push(`${error.message} of ${event.data.event.id}`) }, async () => {
      attempts += 1;
      throw new Error("out of order");
    }),
  ]);
  await inngest.send({ id: "giveup-1", name: "giveup/x", data: {} });
  await waitFor("the failure handler", () => failures.length === 1);
  expect(attempts).toBe(3);
  expect(failures).toEqual(["out of order of giveup-1"]);
});

test("a wait takes the event that matches, and only that", async () => {
  const ended: unknown[] = [];
  const { inngest, executor } = await database.start((client) => [
    client.createFunction({ id: "wait", triggers: [{ event: "wait/x" }] }, async ({ event, step }) => {
      const got = await step.waitForEvent("w", { event: "wait/go", timeout: "1h", if: "async.data.id == event.data.id && async.data.ok" });
      ended.push([event.data.id, got?.data.by]);
    }),
  ]);
  await inngest.send([1, 2].map((id) => ({ id: `wait-${id}`, name: "wait/x", data: { id } })));
  await waitFor("both to wait", () => executor.status().waiting === 2);
  await inngest.send([
    { id: "wait-no", name: "wait/go", data: { id: 1, ok: false, by: "nobody" } },
    { id: "wait-other", name: "wait/go", data: { id: 3, ok: true, by: "nobody" } },
    { id: "wait-yes", name: "wait/go", data: { id: 2, ok: true, by: "ann" } },
  ]);
  await waitFor("the second to end", () => ended.length === 1);
  expect(ended).toEqual([[2, "ann"]]);
  await waitFor("it to be over", () => executor.status().running === 0);
  expect(executor.status()).toEqual({ running: 0, waiting: 1, ready: true });
  await inngest.send({ id: "wait-late", name: "wait/go", data: { id: 1, ok: true, by: "bob" } });
  await waitFor("the first to end", () => ended.length === 2);
});

test("invoke: the child's error, an unknown child and a child that takes too long are errors of the step", async () => {
  const { inngest, exchanges, executor, clock } = await database.start((client) => {
    const broken = client.createFunction({ id: "broken", triggers: [{ event: "invoke/broken" }], retries: 0 }, async () => { throw new NonRetriableError("broken inside"); });
    const slow = client.createFunction({ id: "slow", triggers: [{ event: "invoke/slow" }] }, async ({ step }) => step.sleep("long", "2d"));
    const elsewhere = client.createFunction({ id: "elsewhere", triggers: [{ event: "invoke/elsewhere" }] }, async () => undefined);
    const parent = client.createFunction({ id: "invoker", triggers: [{ event: "invoke/x" }], retries: 0 }, async ({ step }) => {
      const say = (error: unknown) => (error instanceof Error ? error.message : "?");
      return [
        await step.invoke("a", { function: broken, data: {} }).catch(say),
        await step.invoke("b", { function: elsewhere, data: {} }).catch(say),
        await step.invoke("c", { function: slow, data: {}, timeout: "1d" }).catch(say),
      ];
    });
    return [broken, slow, parent];
  });
  await inngest.send({ id: "invoke-1", name: "invoke/x", data: {} });
  await waitFor("the slow one", () => executor.status().waiting === 2);
  clock.advance(24 * 3_600_000);
  const end = await waitFor("the parent", () => exchanges.find((exchange) => exchange.functionId === "app-invoker" && exchange.status === 200));
  expect(end.body).toEqual(["broken inside", 'Function "app-elsewhere" is not registered', 'Function "app-slow" did not finish within the timeout']);
  clock.advance(24 * 3_600_000);
  await waitFor("the slow one to end", () => executor.status().waiting === 0);
});

test("concurrency limits the steps that execute: by number, by key, and across functions", async () => {
  const inside = new Map<string, number>();
  const most = new Map<string, number>();
  const { opened, open } = gate();
  let steps = 0;
  const work = (names: string[]) => async () => {
    for (const name of names) {
      inside.set(name, (inside.get(name) ?? 0) + 1);
      most.set(name, Math.max(most.get(name) ?? 0, inside.get(name) ?? 0));
    }
    await opened;
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const name of names) inside.set(name, (inside.get(name) ?? 0) - 1);
    steps += 1;
  };
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "limit", triggers: [{ event: "limit/x" }], concurrency: 3 }, async ({ step }) => {
      await step.run("a", work(["limit"]));
      await step.run("b", work(["limit"]));
    }),
    client.createFunction({ id: "keyed", triggers: [{ event: "keyed/x" }], concurrency: [{ limit: 2, key: "event.data.key" }] }, async ({ event, step }) => {
      await step.run("a", work(["keyed", `keyed ${event.data.key}`]));
      await step.run("b", work(["keyed", `keyed ${event.data.key}`]));
    }),
    ...["shared-1", "shared-2"].map((id) =>
      client.createFunction({ id, triggers: [{ event: "shared/x" }], concurrency: [{ limit: 2, key: "event.data.key", scope: "env" }] }, async ({ step }) => void (await step.run("a", work(["shared"])))),
    ),
  ]);
  await inngest.send(Array.from({ length: 12 }, (_, index) => ({ id: `limit-${index}`, name: "limit/x", data: {} })));
  await inngest.send(Array.from({ length: 12 }, (_, index) => ({ id: `keyed-${index}`, name: "keyed/x", data: { key: index % 2 } })));
  await inngest.send(Array.from({ length: 8 }, (_, index) => ({ id: `shared-${index}`, name: "shared/x", data: { key: "same" } })));
  // As many as may be inside come in and stay there; whoever is too many comes in beside them or, once they leave, too early.
  await waitFor("as many as may be inside", () => inside.get("limit") === 3 && inside.get("keyed") === 4 && inside.get("shared") === 2);
  open();
  await waitFor("all steps", () => steps === 24 + 24 + 16 && exchanges.filter((exchange) => exchange.status === 200).length === 12 + 12 + 16);
  expect(Object.fromEntries(most)).toEqual({ limit: 3, keyed: 4, "keyed 0": 2, "keyed 1": 2, shared: 2 });
});

test("steps of a group run side by side, are tried again apart, and one that fails for good does not lose the others", async () => {
  const both = [gate(), gate()];
  let flaky = 0;
  const { inngest, exchanges } = await database.start((client) => [
    client.createFunction({ id: "group", triggers: [{ event: "group/x" }], retries: 1 }, async ({ step }) => {
      const meet = (index: number) => async () => {
        both[index]?.open();
        await both[1 - index]?.opened;
        return index;
      };
      const ends = await Promise.allSettled([
        step.run("left", meet(0)),
        step.run("right", meet(1)),
        step.sleep("nap", "1s"),
        step.run("flaky", () => { flaky += 1; if (flaky === 1) throw new Error("once"); return "again"; }),
        step.run("bad", () => { throw new NonRetriableError("never"); }),
      ]);
      return ends.map((end) => (end.status === "fulfilled" ? (end.value ?? null) : end.reason.message));
    }),
  ]);
  await inngest.send({ id: "group-1", name: "group/x", data: {} });
  const end = await waitFor("the end", () => exchanges.find((exchange) => exchange.status === 200));
  expect(end.body).toEqual([0, 1, null, "again", "never"]);
  expect(flaky).toBe(2);
});

test("a run that fails does not wait for the rest of its group", async () => {
  let bodies = 0;
  const { inngest, executor, lines } = await database.start((client) => [
    client.createFunction({ id: "hasty", triggers: [{ event: "hasty/x" }], retries: 0 }, async ({ step }) => {
      bodies += 1;
      if (bodies > 1) throw new NonRetriableError("changed its mind");
      await Promise.all([step.sleep("long", "1d"), step.waitForEvent("w", { event: "hasty/never", timeout: "1d" }), step.run("a", () => 1)]);
    }),
  ]);
  await inngest.send({ id: "hasty-1", name: "hasty/x", data: {} });
  const line = await waitFor("the failure", () => lines.find((entry) => entry.message === "A run was given up"));
  expect(JSON.stringify(line.fields)).toContain("changed its mind");
  await waitFor("it to be over", () => executor.status().running + executor.status().waiting === 0);
});

test("cancelOn ends a run that waits, sleeps or stands in the queue, and tells of it", async () => {
  const done: string[] = [];
  const cancelled: string[] = [];
  const held = gate();
  const { inngest, executor, lines } = await database.start((client) => [
    client.createFunction({ id: "cancel", triggers: [{ event: "cancel/x" }], concurrency: 1, cancelOn: [{ event: "cancel/stop", if: "async.data.id == event.data.id" }] }, async ({ event, step }) => {
      if (event.data.how === "wait") await step.waitForEvent("w", { event: "cancel/never", timeout: "1d" });
      if (event.data.how === "sleep") await step.sleep("s", "1d");
      await step.run("work", () => held.opened);
      done.push(String(event.data.id));
    }),
    client.createFunction({ id: "cancelled", triggers: [{ event: "inngest/function.cancelled" }] }, async ({ event }) => void cancelled.push(String(event.data.event.data.id))),
  ]);
  const send = (id: string, how: string) => inngest.send({ id: `cancel-${id}`, name: "cancel/x", data: { id, how } });
  await send("waits", "wait");
  await send("sleeps", "sleep");
  await waitFor("both to park", () => executor.status().waiting === 2);
  await send("works", "work");
  await waitFor("it to work", () => executor.status().running === 1);
  await send("queues", "work");
  await waitFor("it to queue", () => executor.status().running === 2);
  await inngest.send(["waits", "sleeps", "queues", "nobody"].map((id) => ({ id: `stop-${id}`, name: "cancel/stop", data: { id } })));
  await waitFor("three cancellations", () => cancelled.length === 3);
  held.open();
  await waitFor("the last run", () => done.length === 1);
  expect(cancelled.sort()).toEqual(["queues", "sleeps", "waits"]);
  expect(done).toEqual(["works"]);
  await waitFor("all to be over", () => executor.status().running === 0);
  expect(executor.status()).toEqual({ running: 0, waiting: 0, ready: true });
  expect(lines.filter((line) => line.message === "A run was cancelled")).toHaveLength(3);
});

test("a cancellation sent right after the event reaches the run; the event that starts a run never cancels it", async () => {
  const done: string[] = [];
  const { inngest, executor, clock, lines } = await database.start((client) => [
    client.createFunction({ id: "newer", triggers: [{ event: "newer/x" }], cancelOn: [{ event: "newer/x", if: "async.data.id == event.data.id && async.data.version > event.data.version" }] }, async ({ event, step }) => {
      await step.sleep("s", "1h");
      done.push(`${event.data.id} ${event.data.version}`);
    }),
  ]);
  await inngest.send([1, 2, 3].map((version) => ({ id: `newer-${version}`, name: "newer/x", data: { id: "a", version } })));
  await waitFor("the older versions to be cancelled", () => lines.filter((line) => line.message === "A run was cancelled").length === 2 && executor.status().waiting === 1);
  clock.advance(3_600_000);
  await waitFor("the last version", () => done.length > 0);
  await waitFor("the rest to end", () => executor.status().running + executor.status().waiting === 0);
  expect(done).toEqual(["a 3"]);
});

test("cron: one run a tick, also across restarts", async () => {
  const ticks: string[] = [];
  const define: Parameters<typeof database.start>[0] = (client) => [client.createFunction({ id: "cron", triggers: [{ cron: "0 * * * *" }] }, async ({ event }) => void ticks.push(JSON.stringify(event.data)))];
  const first = await database.start(define, { clock: new MovableClock(3_600_000) });
  first.clock.advance(3_600_000);
  await waitFor("the first tick", () => ticks.length === 1);
  await first.executor.stop();
  const second = await database.start(define, { clock: first.clock });
  first.clock.advance(3_600_000);
  await waitFor("the second tick", () => ticks.length === 2);
  await second.executor.stop();
  first.clock.advance(5 * 3_600_000);
  await database.start(define, { clock: first.clock });
  await waitFor("the tick that was missed", () => ticks.length === 3);
  expect(new Set(ticks).size).toBe(3);
  expect(ticks.every((tick) => /"scheduledAt":"\d{4}-\d\d-\d\dT\d\d:00:00Z"/.test(tick))).toBe(true);
});

test("what only shows at run time fails the run with a readable reason", async () => {
  const { inngest, lines } = await database.start((client) => [
    client.createFunction({ id: "signal", triggers: [{ event: "late/signal" }] }, async ({ step }) => step.waitForSignal("s", { signal: "x", timeout: "1m", onConflict: "fail" })),
    client.createFunction({ id: "old", triggers: [{ event: "late/old" }], optimizeParallelism: false }, async ({ step }) => step.run("a", () => 1)),
  ]);
  await inngest.send([{ id: "late-1", name: "late/signal", data: {} }, { id: "late-2", name: "late/old", data: {} }]);
  await waitFor("both to fail", () => lines.filter((line) => line.message === "A run was given up").length === 2);
  const reasons = lines.map((line) => JSON.stringify(line.fields));
  expect(reasons.some((reason) => reason.includes("app-signal") && reason.includes("needs WaitForSignal, which the embedded executor does not do"))).toBe(true);
  expect(reasons.some((reason) => reason.includes("app-old") && reason.includes("protocol version 1"))).toBe(true);
});

test("events with a reserved name, without a name or out of form are refused", async () => {
  const { inngest, executor } = await database.start(() => []);
  await expect(inngest.send({ name: "inngest/function.failed", data: {} })).rejects.toThrow();
  const post = (body: string) => executor.fetch("http://embedded.invalid/e/key", { method: "POST", body });
  for (const body of ["not json", '{"data":{}}', '[{"name":1}]', '{"name":"a","data":[]}']) expect((await post(body)).status).toBe(400);
  expect((await executor.fetch("http://embedded.invalid/v1/realtime/publish", { method: "POST", body: "{}" })).status).toBe(501);
});
