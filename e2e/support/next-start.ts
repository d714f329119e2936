import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { freePort } from "@/scripts/embedded-postgres";
import { readEmbeddedUrls } from "@/test/embedded-url";
import { waitFor } from "@/test/wait";

const secretsSchema = z.object({ ENCRYPTION_KEY: z.string(), AUTH_SECRET: z.string() });

/** Plain `next start` on the database of a running stack: no server.ts stands before Next's own routes. */
export async function startNext(dataDir: string, publicUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const { appUrl } = await readEmbeddedUrls(dataDir);
  const secrets = secretsSchema.parse(JSON.parse(await readFile(path.join(dataDir, "demo-secrets.json"), "utf8")));
  const lines: string[] = [];
  const child = spawn(process.execPath, ["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1", "--port", String(port)], {
    env: { ...process.env, NODE_ENV: "production", DEMO: "1", LOG_LEVEL: "warn", DATABASE_URL: appUrl, PUBLIC_URL: publicUrl, PORT: String(port), ...secrets },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await waitFor("next start to answer", async () => {
    if (hasEnded()) throw new Error(`next start ended:\n${lines.join("")}`);
    return fetch(`${url}/.well-known/jwks.json`).then(({ ok }) => ok, () => false);
  }, 240_000);
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      await waitFor("next start to end", hasEnded, 60_000);
    },
  };
}
