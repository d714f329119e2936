import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "@/scripts/embedded-postgres";
import { waitFor } from "./wait";

export type Stack = { url: string; simulatorUrl: string; dataDir: string; process: ChildProcess; output(): string; stop(): Promise<void> };

/** `npm start` as an operator runs it, on free ports with a data folder of its own: database, simulator, web, worker. */
export async function startStack(env: Record<string, string> = {}, keepDataDir?: string): Promise<Stack> {
  const [port, simPort, workerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const dataDir = keepDataDir ?? (await mkdtemp(path.join(tmpdir(), "greenlight-")));
  const lines: string[] = [];
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    env: { ...process.env, NODE_ENV: "production", LOG_LEVEL: "warn", PORT: String(port), SIM_PORT: String(simPort), WORKER_PORT: String(workerPort), DATA_DIR: dataDir, DATABASE_URL: "", DATABASE_ADMIN_URL: "", PUBLIC_URL: `http://127.0.0.1:${port}`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  const output = () => lines.join("");
  const stack: Stack = {
    url: `http://127.0.0.1:${port}`,
    simulatorUrl: `http://127.0.0.1:${simPort}`,
    dataDir,
    process: child,
    output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGINT");
        await waitFor("the stack to stop", () => child.exitCode !== null || child.signalCode !== null, 120_000);
      }
      if (!keepDataDir) await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
  const ended = new Promise<never>((_resolve, reject) => {
    // Its last words may come after its end; a process that it left behind may hold the stream open.
    child.once("exit", (code) => {
      const tell = () => reject(new Error(`npm start ended with ${code}:\n${output()}`));
      child.once("close", tell);
      setTimeout(tell, 5_000).unref();
    });
  });
  ended.catch(() => undefined);
  await Promise.race([waitFor("the stack to be ready", () => output().includes("Greenlight is ready"), 600_000), ended]).catch((error: unknown) => {
    child.kill("SIGINT");
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output()}`);
  });
  return stack;
}
