import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { readOptions } from "@/scripts/arguments";
import { startStack } from "@/test/stack";

/**
 * `npm run mcp-conformance`: the official MCP test suite for servers against the production build. Runs every scenario that applies and
 * lists the others with their reason; a scenario that is in neither list, as after an upgrade, fails.
 */
const APPLIES = ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"];

const FIXTURE = "calls a tool of the suite's own, which a server has only for the test";
const NO_RESOURCES = "the server offers tools only: no resources";
const NO_PROMPTS = "the server offers tools only: no prompts";
const NO_SESSION = "the server keeps no sessions, so there is no stream to resume or to open twice";

const DOES_NOT_APPLY: Record<string, string> = {
  "logging-set-level": "the server does not declare logging",
  "completion-complete": "the server does not declare completions",
  "tools-call-simple-text": FIXTURE, "tools-call-image": FIXTURE, "tools-call-audio": FIXTURE, "tools-call-embedded-resource": FIXTURE, "tools-call-mixed-content": FIXTURE, "tools-call-error": FIXTURE,
  "tools-call-with-logging": FIXTURE, "tools-call-with-progress": FIXTURE, "tools-call-sampling": FIXTURE, "tools-call-elicitation": FIXTURE, "json-schema-2020-12": FIXTURE,
  "elicitation-sep1034-defaults": FIXTURE, "elicitation-sep1330-enums": FIXTURE,
  "server-sse-polling": NO_SESSION, "server-sse-multiple-streams": NO_SESSION,
  "resources-list": NO_RESOURCES, "resources-read-text": NO_RESOURCES, "resources-read-binary": NO_RESOURCES, "resources-templates-read": NO_RESOURCES, "resources-subscribe": NO_RESOURCES, "resources-unsubscribe": NO_RESOURCES,
  "prompts-list": NO_PROMPTS, "prompts-get-simple": NO_PROMPTS, "prompts-get-with-args": NO_PROMPTS, "prompts-get-embedded-resource": NO_PROMPTS, "prompts-get-with-image": NO_PROMPTS,
};

const CLI = path.join("node_modules", ".bin", "conformance");
const checksSchema = z.array(z.looseObject({ name: z.string(), status: z.string(), errorMessage: z.string().optional() }));
const options = readOptions("usage: npm run mcp-conformance -- [--url http://…/mcp]", [], ["url"]);

async function main(): Promise<boolean> {
  const offered = listScenarios();
  const unknown = offered.filter((name) => !APPLIES.includes(name) && !(name in DOES_NOT_APPLY));
  const gone = [...APPLIES, ...Object.keys(DOES_NOT_APPLY)].filter((name) => !offered.includes(name));
  for (const name of unknown) console.log(`FAIL     ${name}: a scenario that is in no list here`);
  for (const name of gone) console.log(`FAIL     ${name}: the suite has no such scenario`);
  for (const [name, reason] of Object.entries(DOES_NOT_APPLY)) console.log(`skipped  ${name}: ${reason}`);
  let failed = unknown.length + gone.length;
  let passed = 0;
  await withServer((url) => {
    for (const name of APPLIES) {
      const checks = runScenario(name, url);
      const wrong = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
      const right = checks.filter(({ status }) => status === "SUCCESS");
      for (const check of wrong) console.log(`FAIL     ${name}: ${check.name}: ${check.errorMessage ?? check.status}`);
      if (right.length === 0 && wrong.length === 0) console.log(`FAIL     ${name}: nothing was checked`);
      else if (wrong.length === 0) console.log(`passed   ${name}: ${right.length} check${right.length === 1 ? "" : "s"}`);
      passed += right.length;
      failed += right.length === 0 ? Math.max(1, wrong.length) : wrong.length;
    }
  });
  console.log(`\nmcp-conformance: ${passed} checks passed, ${failed} failed, ${Object.keys(DOES_NOT_APPLY).length} scenarios do not apply`);
  return failed === 0;
}

function listScenarios(): string[] {
  const [servers = ""] = spawnSync(CLI, ["list"], { encoding: "utf8" }).stdout.split("Client scenarios");
  return [...servers.matchAll(/^\s+- (\S+)$/gm)].flatMap(([, name]) => name ?? []);
}

function runScenario(name: string, url: string): z.infer<typeof checksSchema> {
  const folder = mkdtempSync(path.join(tmpdir(), "greenlight-mcp-"));
  try {
    spawnSync(CLI, ["server", "--url", url, "--scenario", name, "--output-dir", folder], { encoding: "utf8", timeout: 300_000 });
    const file = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((entry) => path.basename(entry) === "checks.json");
    return file ? checksSchema.parse(JSON.parse(readFileSync(path.join(folder, file), "utf8"))) : [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withServer(use: (url: string) => void): Promise<void> {
  if (options.url) return use(options.url);
  const stack = await startStack();
  try {
    use(`${stack.url}/mcp`);
  } finally {
    await stack.stop();
  }
}

process.exit((await main()) ? 0 : 1);
