import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { type Failure, type Skip } from "./grade";

const allowListSchema = z.strictObject({
  /** `storyboard/step` → why it cannot pass. */
  failures: z.record(z.string(), z.string().min(20)),
  /** storyboard, or `storyboard: step` → why it, or that step of it, does not run. */
  skips: z.record(z.string(), z.string().min(20)),
});

export type AllowList = z.infer<typeof allowListSchema>;
export type Verdict = { unexplainedFailures: Failure[]; unexplainedSkips: Skip[]; stale: string[] };

export function readAllowList(): AllowList {
  return allowListSchema.parse(JSON.parse(readFileSync(path.join(import.meta.dirname, "allow.json"), "utf8")));
}

/** What the list does not explain, and what it explains that does not happen any more: it may only shrink. */
export function judge(allowed: AllowList, failures: Failure[], skips: Skip[]): Verdict {
  const failed = new Set(failures.map(({ key }) => key));
  const used = new Set(skips.flatMap((skip) => explanation(allowed, skip) ?? []));
  return {
    unexplainedFailures: failures.filter(({ key }) => !(key in allowed.failures)),
    unexplainedSkips: skips.filter((skip) => explanation(allowed, skip) === undefined),
    stale: [...Object.keys(allowed.failures).filter((key) => !failed.has(key)), ...Object.keys(allowed.skips).filter((key) => !used.has(key))],
  };
}

/** The line of the list that explains a skip. */
export function explanation(allowed: AllowList, { storyboard, step }: Skip): string | undefined {
  return [`${storyboard}: ${step}`, storyboard].find((key) => key in allowed.skips);
}
