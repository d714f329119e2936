import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { freePort } from "@/scripts/embedded-postgres";
import { readEmbeddedUrls } from "./embedded-url";
import { waitFor } from "./wait";

/** One more web process over the database of a running `npm start`, as behind a balancer: the same public address, a port of its own. */
export async function startWebProcess(dataDir: string, publicUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const { appUrl } = await readEmbeddedUrls(dataDir);
  const secrets = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(path.join(dataDir, "demo-secrets.json"), "utf8")));
  const child = fork("server.ts", [], {
    execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...secrets, NODE_ENV: "production", LOG_LEVEL: "warn", DEMO: "1", DATABASE_URL: appUrl, DATABASE_ADMIN_URL: "", DATA_DIR: dataDir, PORT: String(port), PUBLIC_URL: publicUrl, EXIT_WITH_PARENT: "1" },
  });
  let isListening = false;
  child.on("message", (message: { type?: string }) => {
    isListening ||= message.type === "listening";
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await waitFor("the web process to listen", () => isListening || hasEnded(), 240_000);
  if (hasEnded()) throw new Error(`The web process ended with ${child.exitCode ?? child.signalCode}.`);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGTERM");
      await waitFor("the web process to stop", hasEnded, 60_000);
    },
  };
}
