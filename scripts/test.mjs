// `npm test`: every suite on a fresh clone, one closing line that counts them all. `npm test -- types lint` runs only those named.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ensureDependencies } from "./dependencies.mjs";

process.chdir(path.resolve(import.meta.dirname, ".."));
ensureDependencies();
mkdirSync(".cache", { recursive: true });

const bin = (name) => path.join("node_modules", ".bin", name);
const total = { passed: 0, failed: 0, skipped: 0 };

/** A command that passes or fails as one check. */
function check(command, args) {
  const done = run(command, args);
  return done === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function run(command, args, env = {}) {
  const done = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  if (done.error) console.error(done.error.message);
  return done.status ?? 1;
}

function vitest() {
  const file = ".cache/vitest.json";
  rmSync(file, { force: true });
  const status = run(bin("vitest"), ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`]);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const failed = report.numFailedTests + report.testResults.filter((suite) => suite.status === "failed" && suite.assertionResults.length === 0).length;
  return { passed: report.numPassedTests, failed: Math.max(failed, status === 0 ? 0 : 1), skipped: report.numPendingTests + report.numTodoTests };
}

function playwright() {
  const file = ".cache/playwright.json";
  rmSync(file, { force: true });
  const status = run(bin("playwright"), ["test"], { PLAYWRIGHT_JSON_OUTPUT_FILE: file });
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const { stats } = JSON.parse(readFileSync(file, "utf8"));
  return { passed: stats.expected, failed: Math.max(stats.unexpected + stats.flaky, status === 0 ? 0 : 1), skipped: stats.skipped };
}

const suites = {
  types: () => check(bin("tsc"), ["--noEmit"]),
  lint: () => check(bin("eslint"), ["--max-warnings=0", "--cache", "--cache-location", ".cache/eslint", "."]),
  imports: () => check(bin("depcruise"), ["--config", ".dependency-cruiser.cjs", "--output-type", "err", "app", "components", "lib", "inngest", "engine", "proxy.ts", "instrumentation.ts", "server.ts", "worker.ts", "scripts", "simulators"]),
  unit: vitest,
  build: () => check(process.execPath, ["--import", "tsx", "scripts/build-cli.ts"]),
  e2e: playwright,
  mcp: () => check(process.execPath, ["--import", "tsx", "conformance/mcp.ts"]),
  conformance: () => check(process.execPath, ["--import", "tsx", "conformance/main.ts"]),
  fuzz: () => check(process.execPath, ["--import", "tsx", "conformance/fuzz.ts", "--seeds", "42"]),
  signing: () => check(process.execPath, ["--import", "tsx", "conformance/request-signing.ts"]),
  processes: () => check(process.execPath, ["--import", "tsx", "conformance/two-processes.ts"]),
  chaos: () => check(process.execPath, ["--import", "tsx", "scripts/chaos.ts", "--orders", "20"]),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`Unknown suite: ${unknown.join(", ")}. There are: ${Object.keys(suites).join(", ")}.`);
  process.exit(2);
}
const lines = [];
for (const [name, suite] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n── ${name} ${"─".repeat(Math.max(0, 60 - name.length))}`);
  const startedAt = Date.now();
  const result = suite();
  for (const key of Object.keys(total)) total[key] += result[key];
  lines.push(`${name.padEnd(8)} ${String(result.passed).padStart(4)} passed ${String(result.failed).padStart(3)} failed ${String(result.skipped).padStart(3)} skipped  ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
}
console.log(`\n${lines.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
