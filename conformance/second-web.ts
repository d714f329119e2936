import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { freePort } from "@/scripts/embedded-postgres";
import { readEmbeddedUrls } from "@/test/embedded-url";
import { type Stack } from "@/test/stack";
import { z } from "zod";

const secretsSchema = z.record(z.string(), z.string());

/** A second web process over a running stack's database, as behind a balancer: same secrets, same public address, a port of its own. */
export async function startSecondWeb(stack: Stack): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const { appUrl } = await readEmbeddedUrls(stack.dataDir);
  const secrets = secretsSchema.parse(JSON.parse(await readFile(path.join(stack.dataDir, "demo-secrets.json"), "utf8")));
  const child = fork("server.ts", [], {
    execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env, ...secrets, NODE_ENV: "production", DEMO: "1", LOG_LEVEL: "error", PORT: String(port), HOST: "127.0.0.1", PUBLIC_URL: stack.url, DATABASE_URL: appUrl, DATABASE_ADMIN_URL: "",
      DATA_DIR: stack.dataDir, GAM_SIMULATOR_URL: stack.simulatorUrl, EXIT_WITH_PARENT: "1",
    },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.on("message", (message: { type?: string }) => message.type === "listening" && resolve());
    child.once("exit", (code) => reject(new Error(`The second web process ended with ${code}.`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
