import { fork, spawn, type ChildProcess } from "node:child_process";
import { eq } from "drizzle-orm";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { migrateEngine } from "@/engine/migrate";
import { adServerDriver } from "@/lib/ad-servers/drivers";
import { withTenant, withWorkerRole } from "@/lib/db/client";
import { workers } from "@/lib/events/schema";
import { fulfilments } from "@/lib/fulfilment/schema";
import { toWireId } from "@/lib/ids";
import { useTestDatabase } from "@/test/db";
import { createOrder } from "@/test/fixtures/order";
import { createPublisher } from "@/test/fixtures/publisher";
import { type Gam, KIND, NETWORK, startGam } from "@/test/gam";
import { waitFor } from "@/test/wait";

/** The worker as a process of its own: how it starts, ends and is killed. */
const database = useTestDatabase();
let gam: Gam;
let admin: postgres.Sql;
const children: ChildProcess[] = [];

beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
  admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  await migrateEngine(database.adminUrl, decodeURIComponent(new URL(database.appUrl).username));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await admin`delete from workers`;
});
afterAll(async () => {
  await admin.end();
  await gam.close();
});

type Worker = { child: ChildProcess; lines(): string[]; stdout: string[]; ready: Promise<void>; exited: Promise<number | null> };

function start(env: Record<string, string> = {}): Worker {
  const child = fork("worker.ts", [], {
    execArgv: ["--import", "tsx"], stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, DATABASE_URL: database.appUrl, DATABASE_ADMIN_URL: "", GAM_SIMULATOR_URL: gam.url, LOG_LEVEL: "info", WORKER_PORT: "0", ...env },
  });
  children.push(child);
  let stderr = "";
  const stdout: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk.toString("utf8")));
  return {
    child, stdout, lines: () => stderr.split("\n").filter(Boolean),
    ready: new Promise((resolve) => child.on("message", (message: { type?: string }) => message.type === "ready" && resolve())),
    // Once all that it wrote has been read, too.
    exited: new Promise((resolve) => child.once("close", resolve)),
  };
}
const listWorkers = () => withWorkerRole((tx) => tx.select().from(workers));
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("the worker process", () => {
  test("says when it is ready, beats, and leaves nothing behind on SIGTERM; it prints JSON alone", async () => {
    const worker = start();
    await worker.ready;
    await waitFor("the heartbeat to say so", async () => (await listWorkers())[0]?.info.ready === true);
    expect(await listWorkers()).toMatchObject([{ info: { pid: worker.child.pid, target: "embedded", relay: { isFailing: false } } }]);
    worker.child.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    expect(await listWorkers()).toEqual([]);
    expect(worker.stdout).toEqual([]);
    expect(worker.lines().length).toBeGreaterThan(0);
    for (const line of worker.lines()) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.any(String) });
  });

  test.each([
    ["an owner's connection", () => ({ DATABASE_URL: database.adminUrl }), "superuser"],
    ["no encryption key", () => ({ ENCRYPTION_KEY: "" }), "ENCRYPTION_KEY is not set"],
    ["a wrong variable", () => ({ WORKER_PORT: "many" }), "WORKER_PORT"],
    ["an Inngest server whose calls could be forged", () => ({ INNGEST_BASE_URL: "http://127.0.0.1:9" }), "INNGEST_SIGNING_KEY is not set"],
  ])("refuses %s in one readable line", async (_what, env, words) => {
    const worker = start(env());
    expect(await worker.exited).toBe(1);
    expect(worker.lines()).toHaveLength(1);
    expect(worker.lines()[0]).toContain(words);
  });

  test("ends at once when the connection that holds the executor's lock is lost; a standby takes over", async () => {
    const first = start();
    await first.ready;
    const second = start();
    await waitFor("the standby to say that it lives", async () => (await listWorkers()).length === 2);
    await admin`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`;
    expect(await first.exited).toBe(1);
    await waitFor("the standby to run", async () => (await listWorkers()).some(({ info }) => info.pid === second.child.pid && info.ready === true));
  });

  test("ends when its parent is killed", async () => {
    const script = `const { fork } = require("node:child_process"); const child = fork("worker.ts", [], { execArgv: ["--import", "tsx"] }); child.on("message", () => console.log("ready " + child.pid));`;
    const parent = spawn(process.execPath, ["-e", script], { env: { ...process.env, DATABASE_URL: database.appUrl, DATABASE_ADMIN_URL: "", GAM_SIMULATOR_URL: gam.url, EXIT_WITH_PARENT: "1", LOG_LEVEL: "silent" }, stdio: ["ignore", "pipe", "ignore"] });
    children.push(parent);
    let output = "";
    parent.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    const pid = Number(await waitFor("the worker to be ready", () => /ready (\d+)/.exec(output)?.[1]));
    parent.kill("SIGKILL");
    await waitFor("the orphan to end", () => !isAlive(pid));
  });

  test("killed again and again while replies are dropped, it books every order once", async () => {
    const inventory = await gam.inventory();
    const publisher = await createPublisher({ connectionConfig: { networkCode: NETWORK, lookUpPauseMs: 50 }, credentials: JSON.stringify(gam.simulator.serviceAccountKey(NETWORK)), timeZone: "America/New_York", ratePerSecond: 200 });
    await gam.addFault({ kind: "dropAfterCommit", match: { method: "POST", path: ":batch" }, probability: 0.15, seed: 7 });
    await gam.addFault({ kind: "latency", minMs: 20, maxMs: 150, seed: 8 });
    const orders = await Promise.all(Array.from({ length: 6 }, () => createOrder(publisher, { packages: 2, advertiser: inventory.advertiserId, target: { adUnitIds: [inventory.adUnitId], placementIds: [], lineItemType: "STANDARD", priority: 8 } })));
    for (const writes of [2, 8, 14]) {
      const worker = start({ LOG_LEVEL: "silent" });
      await waitFor(`${writes} writes`, async () => (await gam.journal(":batch")).length >= writes);
      worker.child.kill("SIGKILL");
      await worker.exited;
    }
    await gam.clearFaults();
    const last = start({ LOG_LEVEL: "warn" });
    const states = () => withTenant(publisher.tenantId, (tx) => tx.select({ state: fulfilments.state, reason: fulfilments.blockedReason }).from(fulfilments).where(eq(fulfilments.tenantId, publisher.tenantId)));
    await waitFor("every order to be in sync", async () => {
      const rows = await states();
      if (rows.some(({ state }) => state !== "in_sync")) throw new Error(JSON.stringify(rows) + last.lines().slice(-3).join("\n"));
      return true;
    }, 300_000);
    const [remoteOrders, remoteLines] = await Promise.all([gam.rows("orders"), gam.rows("lineItems")]);
    for (const order of orders) {
      const own = remoteOrders.filter(({ displayName }) => String(displayName).includes(toWireId("mediaBuy", order.mediaBuyId)));
      expect(own).toHaveLength(1);
      expect(remoteLines.filter((line) => line.order === own[0]?.name).map((line) => line.externalLineItemId).sort()).toEqual(order.packageIds.map((id) => toWireId("package", id)).sort());
    }
  }, 600_000);
});
