import { writeFileSync } from "node:fs";
import { readOptions } from "@/scripts/arguments";
import { startStack } from "@/test/stack";
import { explanation, judge, readAllowList } from "./allow-list";
import { findFailures, findSkips, gradeAgent } from "./grade";

/**
 * `npm run conformance`: AdCP's full capability-driven run against the production build on a fresh database. Exits non-zero on a failure or
 * a skip that allow.json does not explain, on a line there that explains nothing any more, and when fewer steps pass than before.
 */
const STEPS_PASSED_MIN = 221;

const options = readOptions("usage: npm run conformance -- [--storyboards a,b] [--url http://…/mcp] [--out report.json]", [], ["storyboards", "url", "out"]);

async function main(): Promise<boolean> {
  const storyboards = options.storyboards?.split(",");
  const report = await withAgent((mcpUrl) => gradeAgent(mcpUrl, storyboards));
  if (options.out) writeFileSync(options.out, JSON.stringify(report, null, 1));

  const allowed = readAllowList();
  const failures = findFailures(report);
  const skips = findSkips(report);
  const verdict = judge(allowed, failures, skips);
  for (const { key, text } of failures) console.log(key in allowed.failures ? `allowed  ${key}: ${allowed.failures[key]}` : `FAIL     ${key}: ${text}`);
  for (const skip of skips) {
    const line = explanation(allowed, skip);
    console.log(`${line === undefined ? "SKIP    " : "skipped "} ${skip.storyboard}: ${skip.step} (${skip.reason}): ${line === undefined ? skip.detail : allowed.skips[line]}`);
  }
  // Of a partial run nothing can be said about what did not run.
  const stale = storyboards ? [] : verdict.stale;
  for (const key of stale) console.log(`STALE    ${key} is in allow.json but neither fails nor is skipped`);

  const { steps_passed: passed, steps_failed: failed, steps_skipped: skipped, total_steps: total } = report.summary;
  const isEnough = storyboards !== undefined || passed >= STEPS_PASSED_MIN;
  console.log(`\nconformance: ${passed} passed, ${failed} failed, ${skipped} skipped of ${total} steps; ${verdict.unexplainedFailures.length} failures and ${verdict.unexplainedSkips.length} skips unexplained, ${stale.length} lines stale${isEnough ? "" : `; at least ${STEPS_PASSED_MIN} must pass`}`);
  return isEnough && verdict.unexplainedFailures.length + verdict.unexplainedSkips.length + stale.length === 0;
}

async function withAgent<T>(use: (mcpUrl: string) => Promise<T>): Promise<T> {
  if (options.url) return use(options.url);
  const stack = await startStack();
  try {
    return await use(`${stack.url}/mcp`);
  } finally {
    await stack.stop();
  }
}

process.exit((await main()) ? 0 : 1);
