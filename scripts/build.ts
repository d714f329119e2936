import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const SOURCES = ["app", "components", "lib", "proxy.ts", "instrumentation.ts", "next.config.mjs", "postcss.config.mjs", "package-lock.json", "tsconfig.json"];
const NOTE = ".next/greenlight-build";

/** Builds the app when its sources are not those of the last build. */
export function buildIfNeeded(say: (line: string) => void): void {
  const wanted = hashSources();
  if (existsSync(".next/BUILD_ID") && existsSync(NOTE) && readFileSync(NOTE, "utf8") === wanted) return;
  say("Building the app (about a minute) …");
  const built = spawnSync(process.execPath, ["node_modules/next/dist/bin/next", "build"], { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" } });
  if (built.status !== 0) throw new Error(`The build failed:\n${built.stdout}\n${built.stderr}`);
  writeFileSync(NOTE, wanted);
}

function hashSources(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap(listFiles)) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

function listFiles(entry: string): string[] {
  if (!existsSync(entry)) return [];
  if (path.extname(entry) && !readdirSafe(entry)) return [entry];
  return (readdirSafe(entry) ?? []).sort().flatMap((name) => listFiles(path.join(entry, name)));
}

function readdirSafe(entry: string): string[] | undefined {
  try {
    return readdirSync(entry);
  } catch {
    return undefined;
  }
}
