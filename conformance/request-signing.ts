import { z } from "zod";
import { startStack } from "@/test/stack";
import { runAdcp } from "./adcp-cli";

/** `npm run request-signing`: the protocol's grader of signed requests against the production build, every vector that applies to its policy. */
const reportSchema = z.looseObject({
  passed: z.boolean(), passed_count: z.number(), failed_count: z.number(), skipped_count: z.number(),
  positive: z.array(z.unknown()).default([]), negative: z.array(z.unknown()).default([]),
});
const vectorSchema = z.looseObject({ vector_id: z.string(), passed: z.boolean(), skipped: z.boolean().optional(), skip_reason: z.string().optional(), diagnostic: z.string().optional(), expected_error_code: z.string().optional(), actual_error_code: z.string().optional() });

/** Why a vector cannot be sent here. */
const SKIPS: Record<string, string> = {
  capability_profile_mismatch: "for agents that demand or forbid a signed content digest; this one takes either",
  mcp_mode_flattens_url_edges: "an address of its own, where over MCP every vector goes to one; the verifier's canonical addresses are the SDK's",
  transport_ungradable: "no HTTP client sends such a host name",
};

const stack = await startStack({ LOG_LEVEL: "error" });
let failures = 1;
try {
  const run = await runAdcp(["grade", "request-signing", `${stack.url}/mcp`, "--allow-http", "--transport", "mcp", "--covers-content-digest", "either", "--json"]);
  const report = reportSchema.parse(JSON.parse(run.stdout.slice(run.stdout.indexOf("{"))));
  const vectors = [...report.positive, ...report.negative].map((vector) => vectorSchema.parse(vector));
  const failed = vectors.filter(({ passed, skipped }) => !passed && !skipped);
  const skipped = vectors.filter((vector) => vector.skipped);
  const unexplained = skipped.filter(({ skip_reason: reason }) => !(reason !== undefined && reason in SKIPS));
  for (const vector of skipped) console.log(`${unexplained.includes(vector) ? "SKIP    " : "skipped "} ${vector.vector_id}: ${SKIPS[vector.skip_reason ?? ""] ?? `${vector.skip_reason}: ${vector.diagnostic ?? ""}`}`);
  for (const vector of failed) console.log(`FAIL     ${vector.vector_id}: expected ${vector.expected_error_code ?? "acceptance"}, got ${vector.actual_error_code ?? "nothing"}: ${vector.diagnostic ?? ""}`);
  console.log(`request signing: ${report.passed_count} passed, ${report.failed_count} failed, ${report.skipped_count} skipped of ${vectors.length} vectors`);
  failures = failed.length + unexplained.length + (report.passed && report.passed_count > 0 ? 0 : 1);
} finally {
  await stack.stop();
}
process.exit(failures === 0 ? 0 : 1);
