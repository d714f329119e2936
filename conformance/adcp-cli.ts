import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const cli = path.join(path.dirname(createRequire(import.meta.url).resolve("@adcp/sdk/package.json")), "bin/adcp.js");

/** The protocol's command line tool, as `npx adcp` starts it. */
export async function runAdcp(args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [child.stdout, child.stderr].map(collect);
  const exitCode = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  return { exitCode, stdout: stdout?.() ?? "", stderr: stderr?.() ?? "" };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
