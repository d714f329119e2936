import { readFile } from "node:fs/promises";

/** Pids of the children of `npm start` whose command names this file, such as `worker.ts`. Linux only. */
export async function findChildren(parentPid: number, file: string): Promise<number[]> {
  const text = await readFile(`/proc/${parentPid}/task/${parentPid}/children`, "utf8").catch(() => "");
  const pids = text.trim().split(/\s+/).filter(Boolean).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes(file) ? pid : undefined)));
  return found.filter((pid) => pid !== undefined);
}
