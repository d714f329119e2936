import { type ReactNode } from "react";
import { CopyableId } from "@/components/ui/copy-button";
import { Card } from "@/components/ui/card";
import { DescriptionList } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";
import { toWireId } from "@/lib/ids";
import { formatMoney } from "@/lib/money";
import { formatDateTime } from "@/lib/time";

/** How much, when, how long we have to answer, and the ids under which others know the order. */
export function OrderSummary({ review, now, timeZone }: { review: Review; now: Date; timeZone: string }) {
  const { mediaBuy, account, openStep, steps } = review;
  const start = mediaBuy.effectiveStartsAt ?? mediaBuy.startsAt;
  const taskId = steps.find((step) => step.taskId)?.taskId;
  const facts: { term: string; description: ReactNode }[] = [
    { term: "Budget", description: <span className="tabular font-semibold">{formatMoney(mediaBuy.budgetMicros, mediaBuy.currency)} {mediaBuy.currency}</span> },
    { term: "Starts", description: <time dateTime={start.toISOString()}>{formatDateTime(start, timeZone)}</time> },
    { term: "Ends", description: <time dateTime={mediaBuy.endsAt.toISOString()}>{formatDateTime(mediaBuy.endsAt, timeZone)}</time> },
    { term: "Account", description: account.name },
    { term: "Requested", description: <TimeAgo at={mediaBuy.createdAt} now={now} timeZone={timeZone} /> },
    ...(openStep?.dueAt ? [{ term: openStep.dueAt < now ? "Answer was due" : "Answer due", description: <TimeAgo at={openStep.dueAt} now={now} timeZone={timeZone} className={openStep.dueAt < now ? "font-semibold text-danger" : "font-semibold"} /> }] : []),
    ...(mediaBuy.confirmedAt ? [{ term: "Confirmed", description: <TimeAgo at={mediaBuy.confirmedAt} now={now} timeZone={timeZone} /> }] : []),
  ];
  const ids = [
    { term: "Media buy", value: toWireId("mediaBuy", mediaBuy.id) },
    ...(taskId ? [{ term: "Task", value: toWireId("task", taskId) }] : []),
    ...(mediaBuy.poNumber ? [{ term: "Purchase order", value: mediaBuy.poNumber }] : []),
  ];
  return (
    <Card aria-label="Order" flush>
      <DescriptionList items={facts} className="p-4" />
      <dl className="flex flex-wrap gap-x-6 gap-y-1 border-t border-line px-4 py-2">
        {ids.map(({ term, value }) => (
          <div key={term} className="flex min-w-0 flex-wrap items-center gap-x-2"><dt className="text-xs text-ink-2">{term}</dt><dd className="min-w-0"><CopyableId value={value} label={`Copy id: ${term.toLowerCase()}`} /></dd></div>
        ))}
      </dl>
    </Card>
  );
}
