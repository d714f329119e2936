import postgres from "postgres";
import { expect, test } from "vitest";
import { waitFor } from "@/test/wait";
import { type Harness, useEngineDatabase } from "@/test/engine/harness";

const database = useEngineDatabase();
const DAY_MS = 86_400_000;

test("purge removes what is finished and old, and leaves what still runs", async () => {
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  const count = async () => {
    const [row] = await admin`select (select count(*)::int from engine.events) as events, (select count(*)::int from engine_dbos.workflow_status) as runs,
      (select count(*)::int from engine.waits) as waits, (select count(*)::int from engine.idempotency) as keys`;
    return row;
  };
  const { inngest, executor, clock, exchanges }: Harness = await database.start((client) => [
    client.createFunction({ id: "purge", triggers: [{ event: "purge/x" }], idempotency: "event.data.how" }, async ({ event, step }) => {
      if (event.data.how === "wait") await step.waitForEvent("w", { event: "purge/go", timeout: "90d" });
    }),
    client.createFunction({ id: "housekeeping", triggers: [{ event: "purge/now" }], retries: 0 }, async ({ step }) => step.run("purge", () => executor.purge(30))),
  ]);
  await inngest.send(["end", "wait"].map((how) => ({ id: `purge-${how}`, name: "purge/x", data: { how } })));
  await waitFor("one to end and one to wait", () => executor.status().waiting === 1 && exchanges.length === 2);
  await waitFor("all of it to be stored", async () => (await admin`select 1 from engine.events where dispatched_at is null union all select 1 from engine_dbos.workflow_status where status = 'PENDING' having count(*) <> 1`).length === 0);
  expect(await executor.purge(30)).toEqual({ runs: 0, events: 0 });
  clock.advance(31 * DAY_MS);
  expect(await executor.purge(30)).toEqual({ runs: 1, events: 2 });
  expect(await count()).toEqual({ events: 0, runs: 1, waits: 1, keys: 0 });
  // From inside a step, as a housekeeping function does it.
  await inngest.send({ id: "purge-now", name: "purge/now", data: {} });
  await waitFor("the function", () => exchanges.some((exchange) => exchange.functionId === "app-housekeeping" && exchange.status === 200));
  expect(exchanges.at(-1)?.body).toEqual({ runs: 0, events: 0 });
  await inngest.send({ id: "purge-go", name: "purge/go", data: {} });
  await waitFor("the other to end", () => executor.status().waiting === 0);
  await admin.end();
});
