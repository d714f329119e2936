import { randomInt } from "node:crypto";
import postgres from "postgres";
import { callTool, orderRequest, type PackageSpec } from "@/test/buyer";
import { readEmbeddedUrls } from "@/test/embedded-url";
import { findChildren } from "@/test/processes";
import { startStack, type Stack } from "@/test/stack";
import { decideAll } from "./chaos-approve";
import { judge, type Verdict } from "./chaos-judge";
import { readOptions } from "./arguments";

/**
 * `npm run chaos -- --orders 200`: places orders while web and worker are killed with SIGKILL at random instants and the simulator drops
 * replies, before and after it has committed. Prints `orders N lost L doubled D stuck S` and exits non-zero unless all three are 0.
 */
const TOKEN = "demo-acme-outdoor-v1";
const IMAGE = { width: 300, height: 250 };

const options = readOptions("usage: npm run chaos -- [--orders 20] [--seed N] [--settle-seconds 600]", [], ["orders", "seed", "settle-seconds"]);
const orders = Number(options.orders ?? 20);
const seed = Number(options.seed ?? randomInt(1_000_000));
const settleMs = Number(options["settle-seconds"] ?? 600) * 1_000;
const random = seededRandom(seed);

async function main(): Promise<Verdict> {
  const stack = await startStack({ LOG_LEVEL: "silent", BUYER_WRITES_PER_SECOND: "100000" });
  let kills = 0;
  let isKilling = true;
  try {
    await addFaults(stack);
    const killer = (async () => {
      while (isKilling) {
        await pause(600 + random() * 2_400);
        if (isKilling && (await killOne(stack))) kills += 1;
      }
    })();
    console.log(`chaos: seed ${seed}, ${orders} orders`);
    const keys = Array.from({ length: orders }, (_, index) => `chaos-${seed}-${String(index).padStart(6, "0")}`);
    await inParallel(4, keys, (key, index) => placeOrder(stack, key, index));
    console.log(`chaos: every order was answered, after ${kills} kills`);

    const { appUrl, adminUrl } = await readEmbeddedUrls(stack.dataDir);
    await decideAll(appUrl, adminUrl);
    // Execution is under way: keep killing until most of it is through, or for a while. On a fast machine it may be before the first kill.
    const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
    const killUntil = Date.now() + 8_000 + orders * 600;
    while (Date.now() < killUntil && (kills === 0 || (await unsettled(admin)) > orders * 0.15)) await pause(250);
    isKilling = false;
    await killer;
    console.log(`chaos: ${kills} kills; now everything may settle`);
    await fetch(`${stack.simulatorUrl}/__sim/faults`, { method: "DELETE" });
    const deadline = Date.now() + settleMs;
    while (Date.now() < deadline && (await unsettled(admin)) > 0) await pause(500);
    await admin.end();
    if (kills === 0) throw new Error("Nothing was killed: this run proves nothing.");
    return await judge({ adminUrl, simulatorUrl: stack.simulatorUrl, keys });
  } finally {
    isKilling = false;
    await stack.stop();
  }
}

/** Replies dropped after and before committing, slow answers, and bursts of 503. */
async function addFaults(stack: Stack): Promise<void> {
  const writes = { method: "POST", path: ":batch" };
  const faults = [
    { kind: "dropAfterCommit", match: writes, probability: 0.06, seed },
    { kind: "dropBeforeCommit", match: writes, probability: 0.04, seed: seed + 1 },
    { kind: "unavailable", match: writes, probability: 0.03, seed: seed + 2 },
    { kind: "latency", minMs: 5, maxMs: 120, seed: seed + 3 },
  ];
  const answer = await fetch(`${stack.simulatorUrl}/__sim/faults`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(faults) });
  if (!answer.ok) throw new Error(`The simulator refused the faults: ${await answer.text()}`);
}

/** A web process is killed while it starts, too, but not for ever: on a slow machine it would never answer, and nothing would be tried. */
const KILLED_STARTING_MAX = 2;
let killedStarting = 0;

async function killOne(stack: Stack): Promise<boolean> {
  const file = random() < 0.6 ? "worker.ts" : "server.ts";
  const [pid] = await findChildren(stack.process.pid ?? 0, file);
  if (!pid) return false;
  if (file === "server.ts") {
    const isStarting = !(await fetch(`${stack.url}/health`, { signal: AbortSignal.timeout(1_000) }).then(() => true, () => false));
    if (isStarting && killedStarting >= KILLED_STARTING_MAX) return false;
    killedStarting = isStarting ? killedStarting + 1 : 0;
  }
  process.kill(pid, "SIGKILL");
  return true;
}

/** On a slow machine most of it is spent on starting again. */
const ANSWER_MS = 600_000;

/** As a buyer should: the same key again until there is an answer. */
async function placeOrder(stack: Stack, key: string, index: number): Promise<void> {
  const formatId = { agent_url: stack.url, id: "display_300x250_image" };
  const banner = { formatId, image: IMAGE };
  const automatic: PackageSpec[] = [
    { productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 + index, ...banner },
    { productId: "run_of_site_auction", pricingOptionId: "cpm_usd_auction", bidPrice: 3, budget: 600 + index, ...banner },
  ];
  const reviewed: PackageSpec[] = [{ productId: "outdoor_sport_display", pricingOptionId: "cpm_usd_fixed", budget: 2_000 + index, ...banner }];
  const request = orderRequest(key, index % 3 === 0 ? reviewed : automatic);
  const deadline = Date.now() + ANSWER_MS;
  for (;;) {
    const reply = await callTool(stack.url, TOKEN, "create_media_buy", request, 30_000).catch(() => undefined);
    if (reply && reply.status < 300) return;
    if (reply && reply.status < 500 && reply.status !== 429) throw new Error(`Order ${key} was refused: ${JSON.stringify(reply.body)}`);
    if (Date.now() > deadline) throw new Error(`Order ${key} got no answer in ten minutes: ${JSON.stringify(reply?.body)}\n${stack.output()}`);
    await pause(200);
  }
}

async function unsettled(admin: postgres.Sql): Promise<number> {
  const [row] = await admin<{ n: number }[]>`select count(*)::int as n from fulfilments f join media_buys b on b.tenant_id = f.tenant_id and b.id = f.media_buy_id
    where b.confirmed_at is not null and (f.state <> 'in_sync' or f.applied_version < f.desired_version)`;
  return row?.n ?? 0;
}

async function inParallel<T>(width: number, items: T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index);
  }));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** mulberry32: small, and the same on every machine. */
function seededRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

main().then((verdict) => {
  for (const line of verdict.findings.slice(0, 40)) console.log(`  ${line}`);
  console.log(`orders ${verdict.orders} lost ${verdict.lost} doubled ${verdict.doubled} stuck ${verdict.stuck}`);
  process.exit(verdict.lost + verdict.doubled + verdict.stuck === 0 ? 0 : 1);
}, (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
