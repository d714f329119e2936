import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

/** A run of tests with the project's own setup, as a process: what CI sees of it. */
function exitCodeOf(probe: string): number | null {
  const env = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"))), NODE_ENV: "test" as const };
  return spawnSync(process.execPath, [path.resolve("node_modules/vitest/vitest.mjs"), "run", "--config", "test/probes/vitest.config.ts", `test/probes/${probe}.probe.ts`], { env, stdio: "ignore", timeout: 280_000 }).status;
}

test.each([["passes", 0], ["fails", 1], ["rejects", 1]] as const)("a run that %s exits %i, whatever the embedded database does at the end of a process", (probe, code) => {
  expect(exitCodeOf(probe)).toBe(code);
}, 300_000);
