import { Inngest } from "inngest";
import { serve } from "inngest/edge";
import postgres from "postgres";
import { createExecutor } from "@/engine/executor";

/** A worker that kill.test.ts ends with SIGKILL again and again. Every execution of a step leaves a row. */

const databaseUrl = process.argv[2] ?? "";
const sql = postgres(databaseUrl, { max: 4, onnotice: () => undefined });
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const executor = createExecutor({
  handler: (request) => handler(request),
  databaseUrl,
  log: { ...quiet, error: (message, fields) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
  onLockLost: () => process.exit(3),
  retryDelayMs: () => 50,
});
const inngest = new Inngest({ id: "kill", isDev: true, baseUrl: "http://embedded.invalid", fetch: executor.fetch, logger: quiet });

async function work(order: string, step: string): Promise<string> {
  await sql`insert into public.executions (order_id, step, pid) values (${order}, ${step}, ${process.pid})`;
  await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 25));
  await sql`insert into public.effects (order_id, step) values (${order}, ${step}) on conflict do nothing`;
  return `${order} ${step}`;
}

const checkUp = inngest.createFunction({ id: "check", triggers: [{ event: "kill/check" }], retries: 3 }, async ({ event, step }) => step.run("check", () => work(event.data.order, "check")));

const order = inngest.createFunction(
  { id: "order", triggers: [{ event: "kill/order" }], retries: 3, concurrency: [{ limit: 2, key: "event.data.key" }] },
  async ({ event, step, runId }) => {
    const id = String(event.data.order);
    await step.run("first", () => work(id, "first"));
    await Promise.all([step.run("left", () => work(id, "left")), step.run("right", () => work(id, "right"))]);
    // No id on purpose: repeated after a kill, it must not be sent twice.
    const [approval] = await Promise.all([
      step.waitForEvent("approval", { event: "kill/approved", timeout: "10m", if: `async.data.order == event.data.order` }),
      step.sendEvent("ask", { name: "kill/asked", data: { order: id } }),
    ]);
    if (!approval) throw new Error("never approved");
    await step.sleep("nap", "1s");
    await step.invoke("check", { function: checkUp, data: { order: id } });
    await step.run("flaky", async () => {
      const [row] = await sql<{ count: number }[]>`select count(*)::int as count from public.executions where order_id = ${id} and step = 'flaky'`;
      await work(id, "flaky");
      if (row?.count === 0) throw new Error("once");
    });
    await step.run("last", () => work(id, "last"));
    await sql`insert into public.effects (order_id, step) values (${id}, ${`done ${runId}`}) on conflict do nothing`;
  },
);

const approver = inngest.createFunction({ id: "approver", triggers: [{ event: "kill/asked" }], retries: 3 }, async ({ event, step }) => {
  await step.run("approve", () => work(event.data.order, `approve ${event.id}`));
  await step.sendEvent("answer", { name: "kill/approved", data: { order: event.data.order } });
});

const handler = serve({ client: inngest, functions: [order, checkUp, approver] });

process.on("disconnect", () => process.exit(0));
process.on("message", (events: { id: string; name: string; data: Record<string, unknown> }[]) => {
  void inngest.send(events).then(() => process.send?.({ sent: events.map((event) => event.id) }));
});
await executor.start();
process.send?.("up");
