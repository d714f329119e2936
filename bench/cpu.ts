import { readFile } from "node:fs/promises";
import { SANDBOX_ACCOUNT } from "@/test/buyer";
import { type BenchClient } from "./client";
import { nextOrder } from "./place";
import { title } from "./report";
import { measure } from "./statistics";

/** /proc counts in hundredths of a second, whatever the kernel's own tick. */
const TICK_MS = 10;
const CALLS = 200;

/** Processor time of the web process per call of each tool, over REST, 4 connections, worker paused. Linux only. */
export async function benchCpuByTool(client: BenchClient, webPid: number, mediaBuyId: string): Promise<void> {
  title(`CPU of the web process per call, by tool (${CALLS} calls each)`);
  let serial = 0;
  const key = () => `bench-cpu-${process.pid}-${String((serial += 1)).padStart(6, "0")}`;
  const creative = (id: string) => ({ creative_id: id, name: id, format_id: { agent_url: client.url, id: "display_300x250_image" }, assets: { image: { asset_type: "image", url: `https://cdn.acmeoutdoor.example/${id}.png`, width: 300, height: 250 }, click_url: { asset_type: "url", url: "https://acmeoutdoor.example/" } } });
  const calls: Record<string, () => Record<string, unknown>> = {
    get_adcp_capabilities: () => ({}),
    get_products: () => ({ buying_mode: "wholesale" }),
    list_creative_formats: () => ({}),
    list_authorized_properties: () => ({}),
    list_accounts: () => ({}),
    list_creatives: () => ({}),
    get_media_buys: () => ({ media_buy_ids: [mediaBuyId] }),
    get_media_buy_delivery: () => ({ media_buy_ids: [mediaBuyId] }),
    tasks_list: () => ({}),
    sync_creatives: () => ({ idempotency_key: key(), account: SANDBOX_ACCOUNT, creatives: [creative(`bench-cpu-${serial % 50}`)] }),
    create_media_buy: nextOrder,
    update_media_buy: () => ({ idempotency_key: key(), account: SANDBOX_ACCOUNT, media_buy_id: mediaBuyId, paused: serial % 2 === 1 }),
  };
  for (const [tool, request] of Object.entries(calls)) {
    await measure(20, 4, async () => void (await client.call(tool, request())));
    const before = await cpuMs(webPid);
    const { perSecond } = await measure(CALLS, tool === "update_media_buy" ? 1 : 4, async () => void (await client.call(tool, request())));
    console.log(`  ${tool.padEnd(28)} ${((await cpuMs(webPid) - before) / CALLS).toFixed(2).padStart(6)} ms  ${perSecond.toFixed(0).padStart(6)}/s`);
  }
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
