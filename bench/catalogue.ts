import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type postgres from "postgres";
import { freePort } from "@/scripts/embedded-postgres";
import { waitFor } from "@/test/wait";
import { type BenchClient } from "./client";
import { goal, title } from "./report";

type Load = { perSecond: number; p50Ms: number; p99Ms: number; errors: number };
const SIZES = [20, 1_000] as const;

/** get_products over MCP against the SDK's own serve() on the same products, held in memory: 16 connections, each size in the same run. */
export async function benchCatalogue(client: BenchClient, admin: postgres.Sql): Promise<void> {
  title("get_products over MCP, wholesale, 16 connections, against the SDK's own serve() over the same products (load generator on the same two cores)");
  for (const size of SIZES) {
    await fillCatalogue(admin, size);
    const products = await readProducts(client);
    const ours = await load(`${client.url}/mcp`, client.token);
    const reference = await withReference(products, (url) => load(url, ""));
    const ratio = ours.perSecond / reference.perSecond;
    console.log(`  ${products.length} products shown of ${size}`);
    console.log(`    ours     ${describe(ours)}${size === 20 ? `  ${goal(ours.perSecond >= 1_500, "≥ 1,500/s")}` : ""}`);
    console.log(`    serve()  ${describe(reference)}`);
    console.log(`    ratio ours : serve()  ${ratio.toFixed(2)}${size === 20 ? `  ${goal(ratio >= 3, "≥ 3")}` : ""}`);
  }
}

const describe = ({ perSecond, p50Ms, p99Ms, errors }: Load) => `${perSecond.toFixed(0)}/s  p50 ${p50Ms} ms  p99 ${p99Ms} ms  errors ${errors}`;

/** One page, as the load below asks for it. */
async function readProducts(client: BenchClient): Promise<unknown[]> {
  return (JSON.parse(await client.call("get_products", { buying_mode: "wholesale" })) as { products: unknown[] }).products;
}

async function load(url: string, token: string): Promise<Load> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "bench/load.ts", url, token, "16", "6"]);
  return JSON.parse(stdout) as Load;
}

async function withReference<T>(products: unknown[], work: (url: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), "greenlight-bench-"));
  const [file, port] = [path.join(directory, "products.json"), await freePort()];
  await writeFile(file, JSON.stringify(products));
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", "bench/reference-server.ts", String(port), file], { stdio: ["ignore", "pipe", "inherit"] });
  let isReady = false;
  child.stdout?.on("data", (chunk: Buffer) => (isReady ||= chunk.toString().includes("ready")));
  try {
    await waitFor("the reference server", () => isReady, 60_000);
    return await work(`http://127.0.0.1:${port}/mcp`);
  } finally {
    child.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Copies of the first publisher's product until there are as many as asked for. */
async function fillCatalogue(admin: postgres.Sql, wanted: number): Promise<void> {
  await admin.begin(async (tx) => {
    const [tenant] = await tx`select id from tenants where slug = 'demo'`;
    const [source] = await tx`select id from products where tenant_id = ${tenant?.id} and product_id = 'homepage_display'`;
    const [{ n } = { n: 0 }] = await tx<{ n: number }[]>`select count(*)::int as n from products where tenant_id = ${tenant?.id} and archived_at is null`;
    await tx`create temporary table copies on commit drop as select gen_random_uuid() as id, i from generate_series(${n}::int, ${wanted - 1}::int) as i`;
    await copyRows(tx, "products", `id = '${source?.id}'`, { id: "c.id", product_id: "s.product_id || '_' || c.i", name: "s.name || ' ' || c.i", position: "c.i" });
    await copyRows(tx, "pricing_options", `product_id = '${source?.id}'`, { id: "gen_random_uuid()", product_id: "c.id" });
    await copyRows(tx, "product_targets", `product_id = '${source?.id}'`, { product_id: "c.id" });
  });
}

/** `insert … select` of a table's rows once per copy, with some columns replaced: it survives new columns. */
export async function copyRows(tx: postgres.TransactionSql, table: string, where: string, replaced: Record<string, string>): Promise<void> {
  const columns = await tx<{ name: string }[]>`select column_name as name from information_schema.columns where table_schema = 'public' and table_name = ${table} and is_generated = 'NEVER' and is_identity = 'NO'`;
  const list = columns.map(({ name }) => `"${name}"`).join(", ");
  await tx.unsafe(`insert into "${table}" (${list}) select ${columns.map(({ name }) => replaced[name] ?? `s."${name}"`).join(", ")} from "${table}" s, copies c where s.${where}`);
}
