import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { callTool, orderRequest } from "@/test/buyer";
import { findChildren } from "@/test/processes";
import { startStack, type Stack } from "@/test/stack";
import { waitFor } from "@/test/wait";

const TOKEN = "demo-acme-outdoor-v1";

async function countOrders(stack: Stack, mediaBuyId: unknown): Promise<number> {
  const { body } = await callTool(stack.url, TOKEN, "get_media_buys", { media_buy_ids: [mediaBuyId] });
  return (body.media_buys as unknown[]).length;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("npm start: Ctrl-C is clean, a killed start is cleaned up after, and the data is found again", async () => {
  test.setTimeout(1_800_000);
  const dataDir = await mkdtemp(path.join(tmpdir(), "greenlight-operations-"));
  let stack = await startStack({}, dataDir);
  try {
    const placed = await callTool(stack.url, TOKEN, "create_media_buy", orderRequest(`operations-${Date.now()}-0001`, [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 500 }]));
    expect(placed.body.media_buy_id).toMatch(/^mb_/);
    expect(await countOrders(stack, placed.body.media_buy_id)).toBe(1);

    // Nothing of it survives, and nothing complains.
    const pids = (await Promise.all(["worker.ts", "server.ts", "simulators/gam/main.ts"].map((file) => findChildren(stack.process.pid ?? 0, file)))).flat();
    expect(pids).toHaveLength(3);
    await stack.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(stack.output()).not.toContain('"level":"error"');

    stack = await startStack({}, dataDir);
    expect(await countOrders(stack, placed.body.media_buy_id)).toBe(1);

    // The worst end: the process that holds everything together is killed; its children end by themselves, its database is found.
    const [main] = await findChildren(stack.process.pid ?? 0, "scripts/start.ts");
    const [web] = await findChildren(stack.process.pid ?? 0, "server.ts");
    if (!main || !web) throw new Error("no process to kill");
    process.kill(main, "SIGKILL");
    await waitFor("the web process to end by itself", () => !isAlive(web), 120_000);
    stack = await startStack({}, dataDir);
    expect(await countOrders(stack, placed.body.media_buy_id)).toBe(1);
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
});

test("what must not start says why in one line", async () => {
  test.setTimeout(600_000);
  const fails = (env: Record<string, string>) => startStack(env).then(async (stack) => {
    await stack.stop();
    throw new Error("it started");
  }, (error: unknown) => String(error instanceof Error ? error.message : error));
  expect(await fails({ DEMO: "0" })).toContain("ENCRYPTION_KEY is not set");
  expect(await fails({ PUBLIC_URL: "https://sales.publisher.example" })).toContain("is not a loopback address");
  expect(await fails({ PORT: "seventy" })).toContain("Configuration is wrong: PORT");
});
