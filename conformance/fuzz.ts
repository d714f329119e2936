import { randomInt } from "node:crypto";
import { z } from "zod";
import { readOptions } from "@/scripts/arguments";
import { startStack } from "@/test/stack";
import { runAdcp } from "./adcp-cli";
import { BUYER_TOKEN, OTHER_TOKEN } from "./grade";

/**
 * `npm run fuzz`: the protocol's own fuzzer with seeds 42 and 7 and a random one, which it prints; `-- --seeds 42` chooses others. A second
 * publisher's token probes whether its ids tell a stranger anything.
 */
const options = readOptions("usage: npm run fuzz -- [--seeds 42,7]", [], ["seeds"]);
const seeds = options.seeds?.split(",").map(Number) ?? [42, 7, randomInt(1, 2 ** 31)];

const fuzzReport = z.looseObject({ totalRuns: z.number(), totalFailures: z.number(), failures: z.array(z.unknown()).default([]) });

const stack = await startStack({ LOG_LEVEL: "error" });
let failures = 0;
try {
  for (const seed of seeds) {
    const run = await runAdcp(["fuzz", `${stack.url}/mcp`, "--auth-token", BUYER_TOKEN, "--auth-token-cross-tenant", OTHER_TOKEN, "--seed", String(seed), "--auto-seed", "--format", "json"]);
    const report = fuzzReport.parse(JSON.parse(run.stdout));
    for (const failure of report.failures) console.log(JSON.stringify(failure, null, 1).slice(0, 3_000));
    console.log(`fuzz: seed ${seed}, ${report.totalRuns} runs, ${report.totalFailures} failures, exit ${run.exitCode}`);
    failures += report.totalFailures + (run.exitCode === 0 ? 0 : 1);
  }
} finally {
  await stack.stop();
}
process.exit(failures === 0 ? 0 : 1);
