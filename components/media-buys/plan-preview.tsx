import { Card } from "@/components/ui/card";
import { Badge } from "@/components/ui/badge";
import { Notice } from "@/components/ui/notice";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { type Review } from "@/lib/approvals/review";

type Preview = Review["previews"][number];

/** Exactly what will be written to one ad server: the plan itself, in the ad server's own words. */
export function PlanPreview({ preview, title }: { preview: Preview; title: string }) {
  const { plan, problems } = preview;
  return (
    <Card
      title={<span className="flex flex-wrap items-center gap-2">{title} {preview.connectionName}<Badge>{preview.mode === "live" ? "Live" : "Simulated"}</Badge></span>}
      description={`${adServerDeclaration(preview.kind).label} · the plan that will run`}
    >
      <div className="grid gap-3">
        {problems.map((problem) => <Notice key={`${problem.code}:${problem.packageId ?? ""}`} tone="danger" title="Cannot be expressed">{problem.message}</Notice>)}
        {plan.outcome === "blocked" ? (
          <Notice tone="danger" title="Cannot be written yet">{plan.reason}</Notice>
        ) : plan.operations.length === 0 ? (
          <p className="text-ink-2">Nothing is left to write.</p>
        ) : (
          <ol className="grid gap-3">
            {plan.operations.map((operation, index) => (
              <li key={operation.key} className="grid grid-cols-[1.5rem_minmax(0,1fr)] gap-x-2">
                <span aria-hidden className="tabular grid size-6 place-items-center rounded-full bg-surface-3 text-xs font-semibold text-ink-2">{index + 1}</span>
                <div className="min-w-0 pt-0.5">
                  <p className="font-medium">{operation.summary}</p>
                  {operation.details.length > 0 ? (
                    <ul className="mt-1 grid grid-cols-1 gap-0.5 text-[0.8125rem] text-ink-2">
                      {operation.details.map((detail, position) => <li key={position} className="break-words">{detail}</li>)}
                    </ul>
                  ) : null}
                </div>
              </li>
            ))}
          </ol>
        )}
      </div>
    </Card>
  );
}
