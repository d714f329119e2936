import { execFile } from "node:child_process";
import { promisify } from "node:util";
import postgres from "postgres";
import { callTool, orderRequest } from "@/test/buyer";
import { readEmbeddedUrls } from "@/test/embedded-url";
import { findChildren } from "@/test/processes";
import { startStack, type Stack } from "@/test/stack";
import { waitFor } from "@/test/wait";
import { measureBareInsert } from "./bare-insert";
import { describeSample, measure, percentile } from "./statistics";

/**
 * `npm run bench`: what a request costs, as ratios measured in one run on this machine, load generator beside the server.
 * It prints; it does not judge: whether a goal was met is said beside each figure.
 */
const TOKEN = "demo-acme-outdoor-v1";
const run = Math.random().toString(36).slice(2, 10);
let placed = 0;

function nextOrder(): Record<string, unknown> {
  placed += 1;
  return orderRequest(`bench-${run}-${String(placed).padStart(6, "0")}`, [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 500 }, { productId: "video_preroll", pricingOptionId: "cpm_usd_fixed", budget: 800 }]);
}

async function place(stack: Stack): Promise<void> {
  const reply = await callTool(stack.url, TOKEN, "create_media_buy", nextOrder());
  if (reply.status !== 200 || !("media_buy_id" in reply.body)) throw new Error(`create_media_buy answered ${reply.status}: ${JSON.stringify(reply.body).slice(0, 400)}`);
}

const goal = (isMet: boolean, text: string) => `${isMet ? "met" : "MISSED"} (goal ${text})`;

async function main(): Promise<void> {
  const stack = await startStack({ LOG_LEVEL: "silent", BUYER_WRITES_PER_SECOND: "100000" });
  try {
    const { appUrl, adminUrl } = await readEmbeddedUrls(stack.dataDir);
    await measure(60, 4, () => place(stack));
    await settle(adminUrl);

    console.log("\nCommit to first ad-server call (request sent → first request in the ad server's journal; idle system)");
    await benchFirstCall(stack, adminUrl);

    console.log("\ncreate_media_buy, two packages, against the same rows by bare postgres.js (fsync on, 16 connections)");
    await benchBare(stack, appUrl, adminUrl);

    console.log("\nget_products over MCP, 20 products, 16 connections, load generator on the same two cores");
    await fillCatalogue(adminUrl, 20);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "bench/load.ts", stack.url, TOKEN, "16", "8"]);
    const load = JSON.parse(stdout) as { perSecond: number; p50Ms: number; p99Ms: number; errors: number };
    console.log(`  ${load.perSecond.toFixed(0)}/s  p50 ${load.p50Ms} ms  p99 ${load.p99Ms} ms  errors ${load.errors}  ${goal(load.perSecond >= 1_500, "≥ 1,500/s")}`);

    console.log("\ncreate_media_buy, two packages, by the ad server's delay");
    const fast = await benchCreate(stack, "0 s ");
    await settle(adminUrl);
    await fetch(`${stack.simulatorUrl}/__sim/faults`, { method: "POST", body: JSON.stringify({ kind: "latency", ms: 30_000 }) });
    const slow = await benchCreate(stack, "30 s");
    for (const width of [1, 16] as const) {
      const ratio = percentile(slow[width].sample, 0.5) / percentile(fast[width].sample, 0.5);
      console.log(`  p50 ratio 30 s : 0 s at ${String(width).padStart(2)} connections  ${ratio.toFixed(2)}  ${goal(ratio <= 1.1, "≤ 1.1")}`);
    }
  } finally {
    await stack.stop();
  }
}

/** With the worker paused, so that both sides have the same two cores; and beside a worker that executes what is ordered. */
async function benchBare(stack: Stack, appUrl: string, adminUrl: string): Promise<void> {
  const [worker] = await findChildren(stack.process.pid ?? 0, "worker.ts");
  if (!worker) throw new Error("The worker is not running.");
  process.kill(worker, "SIGSTOP");
  const alone = await measure(400, 16, () => place(stack));
  const bare = await measureBareInsert(adminUrl, appUrl, 400, 16);
  process.kill(worker, "SIGCONT");
  const beside = await measure(150, 16, () => place(stack));
  await settle(adminUrl);
  const share = alone.perSecond / bare.perSecond;
  console.log(`  bare inserts         ${bare.perSecond.toFixed(0)}/s  ${describeSample(bare.sample)}`);
  console.log(`  ours                 ${alone.perSecond.toFixed(0)}/s  ${describeSample(alone.sample)}  ${goal(percentile(alone.sample, 0.99) <= 40, "p99 ≤ 40 ms")}`);
  console.log(`  ours, worker busy    ${beside.perSecond.toFixed(0)}/s  ${describeSample(beside.sample)}`);
  console.log(`  ratio ours : bare    ${share.toFixed(2)}  ${goal(share >= 0.5, "≥ 0.5")}`);
}

async function benchCreate(stack: Stack, label: string): Promise<Record<1 | 16, { sample: number[]; perSecond: number }>> {
  const one = await measure(60, 1, () => place(stack));
  const sixteen = await measure(150, 16, () => place(stack));
  console.log(`  ${label}   1 connection   ${describeSample(one.sample)}  ${one.perSecond.toFixed(0)}/s`);
  console.log(`  ${label}  16 connections  ${describeSample(sixteen.sample)}  ${sixteen.perSecond.toFixed(0)}/s`);
  return { 1: one, 16: sixteen };
}

async function benchFirstCall(stack: Stack, adminUrl: string): Promise<void> {
  const sample: number[] = [];
  for (let index = 0; index < 30; index += 1) {
    const before = await journal(stack, 0);
    const sentAt = Date.now();
    await place(stack);
    const first = await waitFor("the first ad-server call", async () => (await journal(stack, before.lastId)).entries[0]);
    sample.push(Math.max(0, Date.parse(first.at) - sentAt));
    await settle(adminUrl);
  }
  console.log(`  ${describeSample(sample)}  ${goal(percentile(sample, 0.5) <= 100, "p50 ≤ 100 ms")}`);
}

async function journal(stack: Stack, since: number): Promise<{ entries: { at: string }[]; lastId: number }> {
  return (await (await fetch(`${stack.simulatorUrl}/__sim/journal?since=${since}`)).json()) as { entries: { at: string }[]; lastId: number };
}

/** Waits until the worker has nothing left to do, so that one measurement does not run into the next. */
async function settle(adminUrl: string): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await waitFor("execution to settle", async () => (await admin`select 1 from fulfilments where state in ('pending', 'applying') limit 1`).length === 0, 600_000);
  } finally {
    await admin.end();
  }
}

/** Copies of the first publisher's products until there are as many as asked for. */
async function fillCatalogue(adminUrl: string, wanted: number): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  await admin.begin(async (tx) => {
    const [tenant] = await tx`select id from tenants where slug = 'demo'`;
    const [source] = await tx`select * from products where tenant_id = ${tenant?.id} and product_id = 'homepage_display'`;
    const [{ n } = { n: 0 }] = await tx<{ n: number }[]>`select count(*)::int as n from products where tenant_id = ${tenant?.id} and archived_at is null`;
    for (let index = n; index < wanted; index += 1) {
      const [made] = await tx`insert into products (tenant_id, id, product_id, name, description, channels, format_ids, delivery_type, is_review_required, details, position)
        select tenant_id, gen_random_uuid(), product_id || ${`_${index}`}, name || ${` ${index}`}, description, channels, format_ids, delivery_type, is_review_required, details, ${index} from products where id = ${source?.id} returning id`;
      await tx`insert into pricing_options (tenant_id, id, product_id, pricing_option_id, pricing_model, currency, rate_micros) values (${tenant?.id}, gen_random_uuid(), ${made?.id}, 'cpm_usd_fixed', 'cpm', 'USD', ${18_000_000})`;
      await tx`insert into product_targets (tenant_id, product_id, adapter_config_id, config) select tenant_id, ${made?.id}, adapter_config_id, config from product_targets where product_id = ${source?.id}`;
    }
  });
  await admin.end();
}

main().then(() => process.exit(0), (error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
