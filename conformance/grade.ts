import { readFileSync } from "node:fs";
import path from "node:path";
import { comply, type ComplyOptions, type StoryboardRunOptions } from "@adcp/sdk/testing";
import { parse } from "yaml";
import { z } from "zod";
import { prepareStoryboards, PUBLISHED } from "./storyboards";

/** The buyer of the demo's first publisher, which the protocol's test kit "acme-outdoor" names. */
export const BUYER_TOKEN = "demo-acme-outdoor-v1";
/** The buyer of the demo's other publisher. */
export const OTHER_TOKEN = "demo-other-publisher-v1";

/** Vectors for agents that demand or forbid a signed content digest; this one's capabilities say "either". */
const OTHER_DIGEST_POLICIES = ["007-missing-content-digest", "018-digest-covered-when-forbidden"];

const kitSchema = z.looseObject({ auth: z.looseObject({}).optional() });

const reportSchema = z.object({
  overall_status: z.string(),
  summary: z.object({ steps_passed: z.number(), steps_failed: z.number(), steps_skipped: z.number(), total_steps: z.number() }),
  failures: z.array(z.object({
    storyboard_id: z.string(), step_id: z.string(), error: z.string().optional(), expected: z.unknown(),
    validation: z.object({ description: z.string().optional(), expected: z.unknown(), actual: z.unknown() }).partial().optional(),
  })).default([]),
  tracks: z.array(z.object({
    scenarios: z.array(z.object({
      /** `storyboard/phase` */
      scenario: z.string(),
      steps: z.array(z.object({ step: z.string(), skipped: z.boolean().optional(), skip_reason: z.string().optional(), warnings: z.array(z.string()).optional() })).default([]),
    })),
  })),
});

export type Report = z.infer<typeof reportSchema>;
export type Failure = { key: string; text: string };
export type Skip = { storyboard: string; step: string; reason: string; detail: string };

/**
 * AdCP's own harness against a running agent, over MCP and without any other machine: the storyboards that its capabilities call for, or
 * only those named. The agent's database must be fresh: several storyboards carry fixed idempotency keys.
 */
export async function gradeAgent(mcpUrl: string, storyboards?: string[]): Promise<Report> {
  process.env.ADCP_COMPLIANCE_DIR = prepareStoryboards();
  const kit = kitSchema.parse(parse(readFileSync(path.join(PUBLISHED, "test-kits/acme-outdoor.yaml"), "utf8")));
  const options: ComplyOptions & Pick<StoryboardRunOptions, "request_signing"> = {
    protocol: "mcp", allow_http: true, timeout_ms: 1_800_000,
    auth: { type: "bearer", token: BUYER_TOKEN },
    test_kit: { ...kit, auth: { ...kit.auth, api_key: BUYER_TOKEN, probe_task: "list_creatives" } },
    webhook_receiver: { mode: "loopback_mock" },
    contracts: ["webhook_receiver_runner", "signed_requests_runner"],
    request_signing: { transport: "mcp", allowLiveSideEffects: true, skipRateAbuse: false, skipVectors: OTHER_DIGEST_POLICIES },
    ...(storyboards ? { storyboards } : {}),
  };
  return reportSchema.parse(await comply(mcpUrl, options));
}

export function findFailures(report: Report): Failure[] {
  return report.failures.map(({ storyboard_id: storyboard, step_id: step, error, expected, validation }) => ({
    key: `${storyboard}/${step}`,
    text: `${error ?? validation?.description ?? ""}  expected ${shorten(validation?.expected ?? expected)} got ${shorten(validation?.actual)}`,
  }));
}

export function findSkips(report: Report): Skip[] {
  return report.tracks.flatMap(({ scenarios }) => scenarios.flatMap(({ scenario, steps }) => steps.filter((step) => step.skipped).map((step) => ({
    storyboard: scenario.slice(0, scenario.lastIndexOf("/")), step: step.step, reason: step.skip_reason ?? "unknown", detail: step.warnings?.join(" ") ?? "",
  }))));
}

function shorten(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 160) ?? "nothing";
}
