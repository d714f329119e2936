import postgres from "postgres";
import { readEmbeddedUrls } from "@/test/embedded-url";
import { findChildren } from "@/test/processes";
import { startStack, type Stack } from "@/test/stack";
import { waitFor } from "@/test/wait";
import { prepareBareInsert } from "./bare-insert";
import { benchCatalogue } from "./catalogue";
import { BenchClient } from "./client";
import { benchCpuByTool } from "./cpu";
import { benchOrdersList } from "./orders-list";
import { placeOrder } from "./place";
import { goal, title } from "./report";
import { describeSample, measure, type Measured, percentile } from "./statistics";

/**
 * `npm run bench`: what a request costs, as ratios measured in one run on this machine, load generator beside the server.
 * It prints; it does not judge: whether a goal was met is said beside each figure. `npm run bench -- bare cpu` runs those sections alone.
 */
const TOKEN = "demo-acme-outdoor-v1";

const SECTIONS = ["first-call", "delay", "bare", "cpu", "catalogue", "orders-list"] as const;
type Section = (typeof SECTIONS)[number];

function isAsked(section: Section): boolean {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !SECTIONS.some((known) => known === name));
  if (unknown) throw new Error(`There is no section ${unknown}: ${SECTIONS.join(", ")}.`);
  return asked.length === 0 || asked.includes(section);
}

async function main(): Promise<void> {
  const startedAt = Date.now();
  const stack = await startStack({ LOG_LEVEL: "silent", BUYER_WRITES_PER_SECOND: "100000" });
  const { appUrl, adminUrl } = await readEmbeddedUrls(stack.dataDir);
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  const client = new BenchClient(stack.url, TOKEN);
  const [[worker], [web]] = await Promise.all([findChildren(stack.process.pid ?? 0, "worker.ts"), findChildren(stack.process.pid ?? 0, "server.ts")]);
  if (!worker || !web) throw new Error("The worker or the web process is not running.");
  try {
    await measure(60, 4, async () => void (await placeOrder(client)));
    await settle(admin);
    if (isAsked("first-call")) await benchFirstCall(stack, client, admin);
    if (isAsked("delay")) await benchByDelay(stack, client, admin);

    // From here on nothing executes: what is measured has the machine to itself.
    process.kill(worker, "SIGSTOP");
    if (isAsked("bare")) await benchBare(client, appUrl, adminUrl);
    const mediaBuyId = await placeOrder(client);
    if (isAsked("cpu")) await benchCpuByTool(client, web, mediaBuyId);
    if (isAsked("catalogue")) await benchCatalogue(client, admin);
    if (isAsked("orders-list")) await benchOrdersList(client, admin, mediaBuyId);
    console.log(`\nTook ${Math.round((Date.now() - startedAt) / 1_000)} s.`);
  } finally {
    process.kill(worker, "SIGCONT");
    await admin.end();
    await stack.stop();
  }
}

async function benchFirstCall(stack: Stack, client: BenchClient, admin: postgres.Sql): Promise<void> {
  title("Commit to first ad-server call (request sent → first request in the ad server's journal; idle system)");
  const sample: number[] = [];
  for (let index = 0; index < 30; index += 1) {
    const before = await journal(stack, 0);
    const sentAt = Date.now();
    await placeOrder(client);
    const first = await waitFor("the first ad-server call", async () => (await journal(stack, before.lastId)).entries[0]);
    sample.push(Math.max(0, Date.parse(first.at) - sentAt));
    await settle(admin);
  }
  console.log(`  ${describeSample(sample)}  ${goal(percentile(sample, 0.5) <= 100, "p50 ≤ 100 ms")}`);
}

async function benchByDelay(stack: Stack, client: BenchClient, admin: postgres.Sql): Promise<void> {
  title("create_media_buy, two packages, by the ad server's delay");
  const fast = await benchCreate(client, "0 s ");
  await settle(admin);
  await fetch(`${stack.simulatorUrl}/__sim/faults`, { method: "POST", body: JSON.stringify({ kind: "latency", ms: 30_000 }) });
  const slow = await benchCreate(client, "30 s");
  for (const width of [1, 16] as const) {
    const ratio = percentile(slow[width].sample, 0.5) / percentile(fast[width].sample, 0.5);
    console.log(`  p50 ratio 30 s : 0 s at ${String(width).padStart(2)} connections  ${ratio.toFixed(2)}  ${goal(ratio <= 1.1, "≤ 1.1")}`);
  }
}

async function benchCreate(client: BenchClient, label: string): Promise<Record<1 | 16, Measured>> {
  const one = await measure(60, 1, async () => void (await placeOrder(client)));
  const sixteen = await measure(150, 16, async () => void (await placeOrder(client)));
  console.log(`  ${label}   1 connection   ${describeSample(one.sample)}  ${one.perSecond.toFixed(0)}/s`);
  console.log(`  ${label}  16 connections  ${describeSample(sixteen.sample)}  ${sixteen.perSecond.toFixed(0)}/s`);
  return { 1: one, 16: sixteen };
}

/** In turns, because the machine's own pace changes within seconds; the middle one of the turns' ratios counts. */
const TURNS = 7;

async function benchBare(client: BenchClient, appUrl: string, adminUrl: string): Promise<void> {
  title(`create_media_buy, two packages, against the same rows by bare postgres.js (fsync on, 16 connections, worker paused, both warm, ${TURNS} turns each)`);
  await measure(1_500, 16, async () => void (await placeOrder(client)));
  const bare = await prepareBareInsert(adminUrl, appUrl, 16);
  const turns: { ours: Measured; bare: Measured }[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    turns.push({ ours: await measure(400, 16, async () => void (await placeOrder(client))), bare: await bare.measure(400) });
  }
  await bare.end();
  const shares = turns.map((turn) => turn.ours.perSecond / turn.bare.perSecond).sort((a, b) => a - b);
  const share = percentile(shares, 0.5);
  const together = (which: "ours" | "bare") => turns.flatMap((turn) => turn[which].sample);
  const middle = (which: "ours" | "bare") => percentile(turns.map((turn) => turn[which].perSecond), 0.5).toFixed(0);
  const [oursP99, bareP99] = [percentile(together("ours"), 0.99), percentile(together("bare"), 0.99)];
  console.log(`  bare inserts         ${middle("bare")}/s  ${describeSample(together("bare"))}`);
  console.log(`  ours                 ${middle("ours")}/s  ${describeSample(together("ours"))}  ${goal(oursP99 <= 40, "p99 ≤ 40 ms")}`);
  console.log(`  ratio ours : bare    ${share.toFixed(2)}  ${goal(share >= 0.5, "≥ 0.5")}  (turns: ${shares.map((one) => one.toFixed(2)).join(" ")})`);
  console.log(`  p99 ours : bare      ${(oursP99 / bareP99).toFixed(2)}  (bare inserts alone ${bareP99 <= 40 ? "keep" : "miss"} 40 ms on this machine)`);
}

async function journal(stack: Stack, since: number): Promise<{ entries: { at: string }[]; lastId: number }> {
  return (await (await fetch(`${stack.simulatorUrl}/__sim/journal?since=${since}`)).json()) as { entries: { at: string }[]; lastId: number };
}

/** Waits until the worker has nothing left to do, so that one measurement does not run into the next. */
async function settle(admin: postgres.Sql): Promise<void> {
  await waitFor("execution to settle", async () => (await admin`select 1 from fulfilments where state in ('pending', 'applying') limit 1`).length === 0, 600_000);
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
