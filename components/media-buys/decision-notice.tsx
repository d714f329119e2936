import { Notice } from "@/components/ui/notice";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";

const DECIDED: Record<string, { tone: "success" | "danger" | "warning"; verb: string }> = {
  approve: { tone: "success", verb: "approved this order" },
  reject: { tone: "danger", verb: "rejected this order" },
  ask_for_changes: { tone: "warning", verb: "asked the buyer for changes" },
};

/** Who decided, when, and in which words; and how an order ended otherwise. */
export function DecisionNotice({ review, now, timeZone }: { review: Review; now: Date; timeZone: string }) {
  const { mediaBuy, steps } = review;
  const decided = steps.filter((step) => step.kind === "media_buy_approval" && step.decidedAt !== null).at(-1);
  const words = decided?.decision ? DECIDED[decided.decision] : undefined;
  const hasEndedSince = mediaBuy.status === "canceled" || (mediaBuy.status === "rejected" && mediaBuy.confirmedAt !== null);
  const reason = mediaBuy.status === "canceled" ? mediaBuy.cancellationReason : mediaBuy.rejectionReason;
  return (
    <div id="decision" tabIndex={-1} className="grid gap-4 outline-none empty:hidden">
      {decided?.decidedAt && words ? (
        <Notice tone={words.tone}>
          <p><strong>{decided.decidedByLabel ?? "Somebody"}</strong> {words.verb} <TimeAgo at={decided.decidedAt} now={now} timeZone={timeZone} />.{decided.reason ? ` “${decided.reason}”` : ""}</p>
        </Notice>
      ) : null}
      {hasEndedSince ? (
        <Notice tone="warning">
          <p>{mediaBuy.status === "canceled" ? `Canceled by the ${mediaBuy.canceledBy === "buyer" ? "buyer" : "publisher"}` : "Given up by the publisher"}{mediaBuy.canceledAt ? <> <TimeAgo at={mediaBuy.canceledAt} now={now} timeZone={timeZone} /></> : null}.{reason ? ` “${reason}”` : ""}</p>
        </Notice>
      ) : null}
    </div>
  );
}
