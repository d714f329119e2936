import { Bell, CircleCheck, CircleX, Clock, LoaderCircle, type LucideIcon, PencilLine, ServerCog, ShieldCheck } from "lucide-react";
import { Card } from "@/components/ui/card";
import { cn } from "@/components/ui/cn";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";

type Entry = Review["timeline"][number];

const KINDS: Record<Entry["kind"], LucideIcon> = { change: PencilLine, operation: ServerCog, notification: Bell, governance: ShieldCheck };
const OUTCOMES: Record<NonNullable<Entry["outcome"]>, { icon: LucideIcon; label: string; classes: string }> = {
  done: { icon: CircleCheck, label: "Done", classes: "text-success" },
  running: { icon: LoaderCircle, label: "Running", classes: "text-info" },
  failed: { icon: CircleX, label: "Failed", classes: "text-danger" },
  waiting: { icon: Clock, label: "Waiting", classes: "text-warning" },
};

/** Everything that happened, newest first. */
export function Timeline({ entries, now, timeZone }: { entries: Entry[]; now: Date; timeZone: string }) {
  return (
    <Card title="Timeline" description={`Newest first, times in ${timeZone}`}>
      <ol className="grid gap-0">
        {entries.toReversed().map((entry) => {
          const Icon = KINDS[entry.kind];
          const outcome = entry.outcome ? OUTCOMES[entry.outcome] : null;
          return (
            <li key={entry.key} className="group relative grid grid-cols-[1.75rem_minmax(0,1fr)] gap-x-3 pb-4 last:pb-0">
              <span aria-hidden className="absolute top-7 bottom-0 left-[0.85rem] w-px bg-line group-last:hidden" />
              <span className="grid size-7 place-items-center rounded-full bg-surface-3 text-ink-2"><Icon aria-hidden className="size-3.5" /></span>
              <div className="min-w-0 pt-1">
                <p className="flex flex-wrap items-baseline gap-x-2">
                  <span className="min-w-0 font-medium break-words">{entry.title}</span>
                  {outcome ? <span className={cn("inline-flex items-center gap-1 text-xs font-medium", outcome.classes)}><outcome.icon aria-hidden className="size-3.5 self-center" />{outcome.label}</span> : null}
                </p>
                <p className="text-xs text-ink-2">{entry.actor} · <TimeAgo at={entry.at} now={now} timeZone={timeZone} /></p>
                {entry.kind !== "change" && entry.details.length > 0 ? <p className="mt-0.5 text-[0.8125rem] break-words text-ink-2">{entry.details.join(" · ")}</p> : null}
                <Changes before={entry.before} after={entry.after} />
              </div>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

/** Before and after, for the values that differ. */
function Changes({ before, after }: Pick<Entry, "before" | "after">) {
  if (!before || !after) return null;
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  if (changed.length === 0) return null;
  return (
    <details className="mt-1 text-[0.8125rem]">
      <summary className="w-fit rounded text-ink-2">What changed</summary>
      <dl className="mt-1 grid gap-1">
        {changed.map((key) => (
          <div key={key} className="flex flex-wrap gap-x-2">
            <dt className="text-ink-2">{key.replaceAll("_", " ")}</dt>
            <dd className="break-all"><del className="text-ink-2">{valueText(before[key])}</del> <span aria-hidden>→</span> <ins className="font-medium no-underline">{valueText(after[key])}</ins></dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
