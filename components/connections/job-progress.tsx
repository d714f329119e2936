import { Check, Circle, CircleX, LoaderCircle } from "lucide-react";
import { Notice } from "@/components/ui/notice";
import { Progress } from "@/components/ui/progress";

export type ShownJob = {
  state: "queued" | "running" | "succeeded" | "failed";
  phases: { name: string; state: "waiting" | "running" | "done" | "failed"; done: number; total?: number }[];
  error: { code: string; message: string; correlationId?: string } | null;
};

const ICONS = { waiting: Circle, running: LoaderCircle, done: Check, failed: CircleX } as const;
/** Kinds of inventory, by which drivers name their phases; others are named in words already. */
const PHASES: Readonly<Record<string, string>> = { ad_unit: "Ad units", placement: "Placements", targeting_key: "Targeting keys", targeting_value: "Targeting values", advertiser: "Advertisers" };
const WORDS = { waiting: "waiting", running: "running", done: "done", failed: "failed" } as const;

/** The phases of a test or sync as it runs, and what went wrong. */
export function JobProgress({ job }: { job: ShownJob }) {
  return (
    <div className="grid gap-3">
      {job.state === "queued" && !job.error ? <p className="text-ink-2">Queued: a worker takes it up in a moment.</p> : null}
      {job.phases.length > 0 ? (
        <ul className="grid gap-2.5">
          {job.phases.map((phase) => {
            const Icon = ICONS[phase.state];
            const name = PHASES[phase.name] ?? phase.name;
            return (
              <li key={phase.name} className="grid gap-1">
                <p className="flex items-center gap-2">
                  <Icon aria-hidden className={phase.state === "running" ? "size-4 animate-spin text-accent" : phase.state === "failed" ? "size-4 text-danger" : phase.state === "done" ? "size-4 text-success" : "size-4 text-ink-2"} />
                  <span className="flex-1">{name}<span className="sr-only">: {WORDS[phase.state]}</span></span>
                  {phase.state === "waiting" || (phase.done === 0 && phase.total === undefined) ? null : <span className="tabular text-[0.8125rem] text-ink-2">{phase.done.toLocaleString("en-US")}{phase.total === undefined ? "" : ` of ${phase.total.toLocaleString("en-US")}`}</span>}
                </p>
                {phase.state === "running" ? <Progress label={name} done={phase.done} total={phase.total} /> : null}
              </li>
            );
          })}
        </ul>
      ) : null}
      {job.error ? (
        <Notice tone={job.state === "failed" ? "danger" : "warning"} title={job.state === "failed" ? "It failed" : "It failed for now, and is tried again soon"}>
          <p>{job.error.message}</p>
          {job.error.correlationId ? <p className="text-[0.8125rem] text-ink-2">Reference for the ad server&apos;s support: <code className="font-mono">{job.error.correlationId}</code></p> : null}
        </Notice>
      ) : null}
    </div>
  );
}
