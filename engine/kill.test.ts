import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { waitFor } from "@/test/wait";
import { useEngineDatabase } from "@/test/engine/harness";

const KILLS = 20;
const ORDERS = 40;
/** Every fourth worker dies while it starts; the others after a step of theirs and so many in all, or when they come to a halt after it. */
const LONGEST_START_MS = 1_200;
const MOST_STEPS = 12;
const LONGEST_LIFE_MS = 5_000;
const STEPS = ["check", "first", "flaky", "last", "left", "right"];

const database = useEngineDatabase();
const sentSchema = z.object({ sent: z.array(z.string()) });
let admin: postgres.Sql;
let child: ChildProcess | undefined;

beforeAll(async () => {
  admin = postgres(database.adminUrl, { max: 2, onnotice: () => undefined });
  const role = admin(decodeURIComponent(new URL(database.appUrl).username));
  await admin`create table public.executions (order_id text, step text, pid int, at timestamptz default clock_timestamp())`;
  await admin`create table public.effects (order_id text, step text, primary key (order_id, step))`;
  await admin`grant select, insert on public.executions, public.effects to ${role}`;
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await admin.end();
});

test(
  `${ORDERS} orders survive ${KILLS} kills: none lost, none doubled, only steps in flight repeated`,
  async () => {
    const acknowledged = new Set<string>();
    const orders = Array.from({ length: ORDERS }, (_, index) => ({ id: `order-${index}`, name: "kill/order", data: { order: `o${index}`, key: index % 4 } }));
    let errors = "";

    function spawn(): ChildProcess {
      const worker = fork(path.resolve("test/engine/kill-child.ts"), [database.appUrl], { execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "pipe", "ipc"] });
      worker.stderr?.on("data", (chunk) => (errors += String(chunk)));
      worker.on("message", (message) => {
        for (const id of sentSchema.safeParse(message).data?.sent ?? []) acknowledged.add(id);
      });
      child = worker;
      return worker;
    }
    async function spawnAndSend(): Promise<ChildProcess> {
      const worker = spawn();
      let isUp = false;
      worker.on("message", (message) => (isUp ||= message === "up"));
      await waitFor("the worker to come up", () => isUp || worker.exitCode !== null);
      expect(worker.exitCode).toBeNull();
      // Whoever gets no answer sends again, with the same id; some of what was answered is sent again too.
      const unsent = orders.filter((order) => !acknowledged.has(order.id)).slice(0, 3);
      const again = orders.filter((order) => acknowledged.has(order.id)).slice(-1);
      worker.send([...unsent, ...again]);
      return worker;
    }
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const countSteps = async () => (await admin<{ count: number }[]>`select count(*)::int as count from public.executions`)[0]?.count ?? 0;
    const isDone = async () => (await admin`select 1 from public.effects where step like 'done %'`).length >= ORDERS;
    const hasWorked = async (pid = 0) => (await admin`select 1 from public.executions where pid = ${pid} limit 1`).length > 0;
    async function killAtRandom(kill: number): Promise<void> {
      const worker = kill % 4 === 3 ? spawn() : await spawnAndSend();
      const ended = once(worker, "exit");
      if (kill % 4 === 3) await pause(Math.random() * LONGEST_START_MS);
      else {
        const enough = (await countSteps()) + Math.random() * MOST_STEPS;
        const deadline = Date.now() + LONGEST_LIFE_MS;
        while ((await countSteps()) < enough && Date.now() < deadline) await pause(5);
        await waitFor("a step of this life", async () => (await hasWorked(worker.pid)) || isDone());
        await pause(Math.random() * 30);
      }
      worker.kill("SIGKILL");
      await ended;
    }

    for (let kill = 0; kill < KILLS; kill += 1) await killAtRandom(kill);
    await spawnAndSend();
    await waitFor("the last orders to be accepted", () => {
      const unsent = orders.filter((order) => !acknowledged.has(order.id));
      if (unsent.length > 0) child?.send(unsent);
      return unsent.length === 0;
    });
    await waitFor("every order to end", isDone, 300_000).catch(async (error) => {
      throw new Error(`${String(error)}\n${JSON.stringify(await admin`select step, count(*)::int from public.effects group by step`)}\n${errors.slice(-2_000)}`);
    });

    const ends = await admin<{ order_id: string; count: number }[]>`select order_id, count(*)::int as count from public.effects where step like 'done %' group by order_id`;
    expect(ends).toHaveLength(ORDERS);
    // One run an order, although every order was sent several times.
    expect(ends.every((row) => row.count === 1)).toBe(true);
    const effects = await admin<{ steps: string[] }[]>`select array_agg(step order by step) as steps from public.effects where step not like 'done %' and step not like 'approve %' group by order_id`;
    expect(effects.every((row) => JSON.stringify(row.steps) === JSON.stringify(STEPS))).toBe(true);
    // One approval an order, although the event that asks for it carries no id.
    const asked = await admin<{ count: number }[]>`select count(*)::int as count from public.effects where step like 'approve %' group by order_id`;
    expect(asked).toHaveLength(ORDERS);
    expect(asked.every((row) => row.count === 1)).toBe(true);
    // Within one life no step runs twice (the flaky one runs twice by its own will); a repeat is always another life's.
    const doubled = await admin`select order_id, step, pid, count(*)::int as count from public.executions where step <> 'flaky' group by order_id, step, pid having count(*) > 1`;
    expect(doubled).toEqual([]);
    // Memoised steps are not run again: nothing of an earlier step comes after a later one has begun.
    const reversed = await admin`
      select a.order_id, a.step, b.step as later from public.executions a join public.executions b using (order_id)
      join (values ('first', 'left'), ('first', 'right'), ('left', 'check'), ('right', 'check'), ('check', 'flaky'), ('flaky', 'last')) as flow (earlier, later)
        on a.step = flow.earlier and b.step = flow.later
      where a.at > b.at`;
    expect(reversed).toEqual([]);
    const lives = await admin<{ pids: number }[]>`select count(distinct pid)::int as pids from public.executions`;
    expect(lives[0]?.pids).toBeGreaterThan(KILLS / 2);
  },
  900_000,
);
