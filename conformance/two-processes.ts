import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseStoryboard, runStoryboard, type Storyboard, type StoryboardResult } from "@adcp/sdk/testing";
import { startStack } from "@/test/stack";
import { BUYER_TOKEN } from "./grade";
import { startSecondWeb } from "./second-web";
import { prepareStoryboards } from "./storyboards";

/**
 * `npm run two-processes`: storyboards whose steps go to two web processes in turn, over one database. Whatever one of them kept to itself
 * would be missing in the other.
 */
const FILES = ["specialisms/sales-guaranteed/index.yaml", "universal/idempotency.yaml", "protocols/media-buy/state-machine.yaml"];

/** Not run here, for this reason. */
const EXPECTED_SKIPS: Record<string, string> = { "idempotency/no_duplicate_webhooks_on_replay": "It waits for a webhook that a complete answer does not send." };

/** The account of every step. Left to itself, the runner places the order to be replayed in one account, and the conflicting one in another. */
const ACCOUNT = { brand: { domain: "acmeoutdoor.example" }, operator: "pinnacle-agency.example" };

const folder = prepareStoryboards();
const stack = await startStack({ LOG_LEVEL: "error" });
let failures = 0;
try {
  const second = await startSecondWeb(stack);
  try {
    const urls = [`${stack.url}/mcp`, `${second.url}/mcp`];
    for (const file of FILES) {
      failures += judge(await runStoryboard(urls, load(path.join(folder, file)), { protocol: "mcp", allow_http: true, auth: { type: "bearer", token: BUYER_TOKEN }, context: { account: ACCOUNT } }));
    }
  } finally {
    await second.stop();
  }
} finally {
  await stack.stop();
}
process.exit(failures === 0 ? 0 : 1);

/**
 * Nobody receives webhooks here, so their address is anybody's; and because the runner forgets the key that steps share when it skips the
 * one that counts webhooks, that key is drawn here.
 */
function load(file: string): Storyboard {
  return parseStoryboard(readFileSync(file, "utf8").replaceAll(/\{\{runner\.webhook_url:\w+\}\}/g, "https://buyer.example/webhooks").replaceAll("$generate:uuid_v4#replay_key", randomUUID()));
}

function judge({ storyboard_id: id, phases }: StoryboardResult): number {
  const steps = phases.flatMap((phase) => phase.steps);
  const skipped = steps.filter((step) => step.skipped);
  const failed = steps.filter((step) => !step.passed && !step.skipped);
  const unexplained = skipped.filter((step) => !(`${id}/${step.step_id}` in EXPECTED_SKIPS));
  const passed = steps.length - skipped.length - failed.length;
  for (const step of skipped) console.log(`${unexplained.includes(step) ? "SKIP    " : "skipped "} ${id}/${step.step_id}: ${EXPECTED_SKIPS[`${id}/${step.step_id}`] ?? step.skip?.detail ?? ""}`);
  for (const step of failed) console.log(`FAIL     ${id}/${step.step_id}: ${step.error ?? ""} ${step.validations.filter((validation) => !validation.passed).map((validation) => `${validation.description}: ${validation.error ?? ""}`).join("; ")}`);
  console.log(`two processes: ${id}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return failed.length + unexplained.length + (passed === 0 ? 1 : 0);
}
