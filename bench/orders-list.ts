import type postgres from "postgres";
import { copyRows } from "./catalogue";
import { type BenchClient } from "./client";
import { goal, title } from "./report";
import { describeSample, measure, percentile } from "./statistics";

const SIZES = [1_000, 1_000_000] as const;
/** One order in twenty runs; the others have ended. */
const ACTIVE_SHARE = 20;

/** get_media_buys of a buyer who has that many orders: a page of the running ones, and one by its id. */
export async function benchOrdersList(client: BenchClient, admin: postgres.Sql, mediaBuyId: string): Promise<void> {
  title("get_media_buys, one buyer's stored orders (1 in 20 active), 4 connections");
  const p50: Record<string, number[]> = {};
  let stored = 0;
  for (const size of SIZES) {
    await addOrders(admin, stored, size);
    stored = size;
    const { media_buys: page } = JSON.parse(await client.call("get_media_buys", {})) as { media_buys: unknown[] };
    if (page.length !== 50) throw new Error(`The page of active orders holds ${page.length}, not 50.`);
    for (const [label, request] of [["a page of 50 active ones", {}], ["one by its id", { media_buy_ids: [mediaBuyId] }]] as const) {
      await measure(100, 4, async () => void (await client.call("get_media_buys", request)));
      const { sample, perSecond } = await measure(120, 4, async () => void (await client.call("get_media_buys", request)));
      (p50[label] ??= []).push(percentile(sample, 0.5));
      console.log(`  ${String(size).padStart(9)} stored, ${label.padEnd(24)}  ${perSecond.toFixed(0)}/s  ${describeSample(sample)}`);
    }
  }
  for (const [label, [few = NaN, many = NaN]] of Object.entries(p50)) console.log(`  p50 ratio 1,000,000 : 1,000, ${label}  ${(many / few).toFixed(2)}  ${goal(many / few <= 2, "≤ 2")}`);
}

/** Copies of one order with its packages and fulfilments, in blocks, over the past two years: beside those that the run placed itself, of which none is active. */
async function addOrders(admin: postgres.Sql, present: number, wanted: number): Promise<void> {
  const [source] = await admin`select b.id, b.principal_id, b.tenant_id from media_buys b join tenants t on t.id = b.tenant_id where t.slug = 'demo' order by b.created_at limit 1`;
  for (let from = present; from < wanted; from += 50_000) {
    await admin.begin(async (tx) => {
      await tx`set local synchronous_commit = off`;
      await tx`create temporary table copies on commit drop as select gen_random_uuid() as id, i, now() - i * interval '1 minute' as at, case when i % ${ACTIVE_SHARE} = 0 then 'active' else 'completed' end as status from generate_series(${from}::int, ${Math.min(wanted, from + 50_000) - 1}::int) as i`;
      await copyRows(tx, "media_buys", `id = '${source?.id}'`, { id: "c.id", status: "c.status", created_at: "c.at", updated_at: "c.at", confirmed_at: "c.at" });
      await copyRows(tx, "media_packages", `media_buy_id = '${source?.id}' and s.position = 0`, { id: "gen_random_uuid()", media_buy_id: "c.id" });
      await copyRows(tx, "fulfilments", `media_buy_id = '${source?.id}'`, { id: "gen_random_uuid()", media_buy_id: "c.id", state: "'in_sync'", external_order_number: "null" });
    });
  }
  for (const table of ["media_buys", "media_packages", "fulfilments"]) await admin.unsafe(`vacuum (analyze) ${table}`);
}
