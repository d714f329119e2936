// `npm test`: every suite on a fresh clone, one closing line that counts them all. `npm test -- types lint` runs only those named.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ensureDependencies } from "./dependencies.mjs";

process.chdir(path.resolve(import.meta.dirname, ".."));
ensureDependencies();
mkdirSync(".cache", { recursive: true });

const bin = (name) => path.join("node_modules", ".bin", name);
const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, said again at the end, where a log that was cut still has it. */
const failures = [];

/** A command that passes or fails as one check. */
async function check(command, args) {
  const { status, lastWords } = await run(command, args);
  if (status === 0) return { passed: 1, failed: 0, skipped: 0 };
  failures.push({ name: path.basename(args.at(-1) === "." ? command : (args.find((argument) => argument.endsWith(".ts")) ?? command)), error: `exit ${status}: its own output above tells why\n${lastWords}` });
  return { passed: 0, failed: 1, skipped: 0 };
}

/** Its exit code, and the end of what it wrote to its standard error. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["inherit", "inherit", "pipe"], env: { ...process.env, ...env } });
    let lastWords = "";
    child.stderr.on("data", (chunk) => {
      process.stderr.write(chunk);
      lastWords = (lastWords + String(chunk)).slice(-4_000);
    });
    child.on("error", (error) => resolve({ status: 1, lastWords: error.message }));
    // A process that it left behind may hold the stream open: its end is not waited for.
    child.on("exit", (code, signal) => setTimeout(() => resolve({ status: code ?? 1, lastWords: `${signal ? `ended by ${signal}\n` : ""}${plain(lastWords).trimEnd().split("\n").slice(-15).join("\n")}` }), 300));
  });
}

async function vitest() {
  const file = ".cache/vitest.json";
  const failed = ".cache/vitest-failures.json";
  for (const old of [file, failed]) rmSync(old, { force: true });
  const { status, lastWords } = await run(bin("vitest"), ["run", "--reporter=default", "--reporter=json", "--reporter=./scripts/vitest-failures.mjs", `--outputFile.json=${file}`]);
  if (!existsSync(file) || !existsSync(failed)) {
    failures.push({ name: "vitest", error: `exit ${status} without a report\n${lastWords}` });
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  const named = JSON.parse(readFileSync(failed, "utf8"));
  if (status !== 0 && named.length === 0) named.push({ name: "vitest", error: `exit ${status} though no test failed\n${lastWords}` });
  failures.push(...named);
  return { passed: report.numPassedTests, failed: named.length, skipped: report.numPendingTests + report.numTodoTests };
}

async function playwright() {
  const file = ".cache/playwright.json";
  rmSync(file, { force: true });
  const { status, lastWords } = await run(bin("playwright"), ["test"], { PLAYWRIGHT_JSON_OUTPUT_FILE: file });
  if (!existsSync(file)) {
    failures.push({ name: "playwright", error: `exit ${status} without a report\n${lastWords}` });
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  const named = [
    ...report.suites.flatMap((suite) => unexpected(suite, [])),
    ...report.errors.map((error) => ({ name: "playwright, outside any test", error: firstLines(error.message) })),
  ];
  if (status !== 0 && named.length === 0) named.push({ name: "playwright", error: `exit ${status} though no test failed\n${lastWords}` });
  failures.push(...named);
  return { passed: report.stats.expected, failed: named.length, skipped: report.stats.skipped };
}

/** The tests of a suite of Playwright's report that failed, or passed only when tried again. */
function unexpected(suite, path) {
  const here = [...path, suite.title];
  return [
    ...(suite.suites ?? []).flatMap((inner) => unexpected(inner, here)),
    ...suite.specs.flatMap((spec) =>
      spec.tests
        .filter((test) => test.status === "unexpected" || test.status === "flaky")
        .map((test) => ({ name: [...here, spec.title].join(" > "), error: firstLines(test.results.find((result) => result.error)?.error.message) })),
    ),
  ];
}

function firstLines(text) {
  return plain(text ?? "no error told").split("\n").slice(0, 12).join("\n");
}

function plain(text) {
  return text.replaceAll(/\u001b\[[0-9;]*m/gu, "");
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
  const result = await suite();
  for (const key of Object.keys(total)) total[key] += result[key];
  lines.push(`${name.padEnd(8)} ${String(result.passed).padStart(4)} passed ${String(result.failed).padStart(3)} failed ${String(result.skipped).padStart(3)} skipped  ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
}
for (const { name, error } of failures) console.log(`\nfailed  ${name}\n${error.replaceAll(/^/gmu, "        ")}`);
console.log(`\n${lines.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
