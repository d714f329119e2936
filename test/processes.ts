import { readFile } from "node:fs/promises";

/** Pids below this process whose command names the file, such as `worker.ts`. Linux only. */
export async function findChildren(parentPid: number, file: string): Promise<number[]> {
  const text = await readFile(`/proc/${parentPid}/task/${parentPid}/children`, "utf8").catch(() => "");
  const pids = text.trim().split(/\s+/).filter(Boolean).map(Number);
  const found = await Promise.all(pids.map(async (pid) => {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return command.includes(file) ? [pid] : findChildren(pid, file);
  }));
  return found.flat();
}
