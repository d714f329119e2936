import { CircleCheck, CircleX, type LucideIcon, TriangleAlert } from "lucide-react";
import { Card } from "@/components/ui/card";
import { cn } from "@/components/ui/cn";
import { type Review } from "@/lib/approvals/review";

type Check = Review["checks"][number];

const LOOKS: Record<Check["outcome"], { icon: LucideIcon; label: string; classes: string }> = {
  block: { icon: CircleX, label: "Blocks", classes: "text-danger" },
  warn: { icon: TriangleAlert, label: "Warning", classes: "text-warning" },
  pass: { icon: CircleCheck, label: "Passes", classes: "text-success" },
};

const NAMES: Record<Check["name"], string> = {
  budget: "Budget", dates: "Dates", creatives: "Creatives", targeting: "Targeting", connection: "Ad server", advertiser: "Advertiser", availability: "Availability", currency: "Currency", governance: "Governance", plan: "Plan",
};

/** What was looked at before a person decides. What blocks comes first. */
export function Checks({ checks }: { checks: Check[] }) {
  const order = ["block", "warn", "pass"] as const;
  const sorted = order.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  const count = (outcome: Check["outcome"]) => checks.filter((check) => check.outcome === outcome).length;
  const summary = [count("block") ? `${count("block")} blocking` : "", count("warn") ? `${count("warn")} to consider` : "", `${count("pass")} passed`].filter(Boolean).join(" · ");
  return (
    <Card title="Checks" description={summary} flush>
      <ul className="divide-y divide-line">
        {sorted.map((check) => {
          const { icon: Icon, label, classes } = LOOKS[check.outcome];
          return (
            <li key={`${check.name}:${check.message}`} className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 px-4 py-2 sm:grid-cols-[6rem_7rem_minmax(0,1fr)]">
              <span className={cn("flex items-center gap-1.5 self-start text-[0.8125rem] font-medium", classes)}><Icon aria-hidden className="size-4 shrink-0" />{label}</span>
              <span className="font-medium">{NAMES[check.name]}</span>
              <span className="col-span-2 text-ink-2 sm:col-span-1">{check.message}</span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
