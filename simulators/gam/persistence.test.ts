import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { objectsOf } from "./json";
import { keyFilePath, keyFileSchema } from "./keys";
import { startGamSimulator, type Simulator } from "./server";
import { admin, associate, createClient, createCreative, createFixture, createLineItems, createOrder, idOf, nameOf, NETWORK, orderInput, storedRows } from "./test-client";

let dataDir: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "gam-sim-"));
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

type Running = Pick<Simulator, "url" | "serviceAccountKey"> & { child: ChildProcess };

/** A simulator in a process of its own, as the product starts it. */
async function startChild(env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, ["--import", "tsx", path.join(import.meta.dirname, "main.ts")], {
    env: { NODE_ENV: "test", PATH: process.env["PATH"], SIM_PORT: "0", DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  children.push(child);
  const [message] = await once(child, "message");
  const { port } = z.object({ type: z.literal("listening"), port: z.number() }).parse(message);
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    serviceAccountKey: (network) => keyFileSchema.parse(JSON.parse(readFileSync(keyFilePath(path.join(dataDir, "gam-sim"), network), "utf8"))),
  };
}

async function kill(running: Running): Promise<void> {
  running.child.kill("SIGKILL");
  await once(running.child, "exit");
}

describe("the state survives", () => {
  test("SIGKILL under load loses nothing that was acknowledged, and the key stays good", async () => {
    const first = await startChild();
    const client = await createClient(first);
    const fixture = await createFixture(client);
    const order = await createOrder(fixture, { externalOrderId: 7 });
    const [item] = await createLineItems(fixture, nameOf(order), 2);
    await associate(fixture, nameOf(item), nameOf(await createCreative(fixture)));
    await client.post("/orders:batchApprove", { names: [nameOf(order)] });
    const ready = await client.get(`/lineItems/${idOf(item)}`);
    expect(ready["status"]).toBe("READY");

    const acknowledged: string[] = [];
    const writers = Array.from({ length: 8 }, async () => {
      for (;;) {
        const parent = `networks/${NETWORK}`;
        const answer = await client.request("POST", "/orders:batchCreate", { requests: [{ parent, order: orderInput(fixture) }] }).catch(() => undefined);
        if (!answer) return;
        acknowledged.push(...objectsOf(answer.body, "orders").map(nameOf));
      }
    });
    await expect.poll(() => acknowledged.length, { timeout: 120_000, interval: 5 }).toBeGreaterThan(200);
    await kill(first);
    await Promise.all(writers);

    const second = await startChild();
    const stored = new Set((await storedRows(second.url, "orders")).map(nameOf));
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
    const again = await createClient(second);
    expect(await again.get(`/lineItems/${idOf(item)}`)).toEqual(ready);
    const fresh = await createOrder(await createFixture(again));
    expect(stored.has(nameOf(fresh))).toBe(false);
    await kill(second);
  });

  test("a last record cut short is passed over, and a clean stop keeps everything", async () => {
    const directory = path.join(dataDir, "gam-sim");
    const log = readdirSync(directory).find((file) => file.startsWith("changes-")) ?? "";
    const before = await startGamSimulator({ dataDir });
    const orders = (await storedRows(before.url, "orders")).length;
    await before.close();
    const next = readdirSync(directory).filter((file) => file.startsWith("changes-"));
    expect(next).toHaveLength(1);
    expect(next[0]).not.toBe(log);
    appendFileSync(path.join(directory, next[0] ?? ""), '{"type":"rows","network":"217000');
    const after = await startGamSimulator({ dataDir });
    expect(await storedRows(after.url, "orders")).toHaveLength(orders);
    await after.close();
  });

  test("a revoked account stays revoked, and a reset stays reset", async () => {
    const first = await startGamSimulator({ dataDir });
    const { client_email: email } = first.serviceAccountKey("21700000002");
    await admin(first.url, "DELETE", `/service-accounts/${encodeURIComponent(email)}`);
    await admin(first.url, "DELETE", `/state?network=${NETWORK}`);
    await first.close();
    const second = await startGamSimulator({ dataDir });
    expect((await (await createClient(second, "21700000002")).request("GET", "")).status).toBe(401);
    expect(await storedRows(second.url, "orders")).toEqual([]);
    await second.close();
  });

  test("the key file is the owner's alone", () => {
    const file = keyFilePath(path.join(dataDir, "gam-sim"), NETWORK);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keyFileSchema.parse(JSON.parse(readFileSync(file, "utf8"))).type).toBe("service_account");
  });
});

test("it ends with its parent when asked to", async () => {
  // A parent in between, killed without a chance to clean up.
  const script = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["--import", "tsx", ${JSON.stringify(path.join(import.meta.dirname, "main.ts"))}], { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.once("data", (line) => process.send({ pid: child.pid, line: String(line) }));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["-e", script], {
    env: { NODE_ENV: "test", PATH: process.env["PATH"], SIM_PORT: "0", DATA_DIR: path.join(dataDir, "orphan"), EXIT_WITH_PARENT: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  children.push(parent);
  const [message] = await once(parent, "message");
  const { line } = z.object({ line: z.string() }).parse(message);
  expect(line).toMatch(/^gam simulator on http:\/\/127\.0\.0\.1:\d+\n$/);
  const url = line.trim().split(" ").at(-1) ?? "";
  expect(await admin(url, "GET", "/health")).toMatchObject({ status: "ok" });
  parent.kill("SIGKILL");
  await expect.poll(() => admin(url, "GET", "/health").then(() => "up", () => "down"), { timeout: 120_000, interval: 100 }).toBe("down");
});
