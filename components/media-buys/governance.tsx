import { type ComponentProps } from "react";
import { Card } from "@/components/ui/card";
import { StatusBadge } from "@/components/ui/badge";
import { Notice } from "@/components/ui/notice";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";
import { type AdminAction } from "@/lib/auth/action-state";
import { BlockedChoices } from "./blocked-choices";

type Governance = NonNullable<Review["governance"]>;
type Answer = Governance["answers"][number]["check"];

const STATES: Record<Answer["state"], { tone: ComponentProps<typeof StatusBadge>["tone"]; label: string }> = {
  pending: { tone: "waiting", label: "Being asked" },
  approved: { tone: "success", label: "Agreed" },
  conditions: { tone: "warning", label: "Agreed with conditions" },
  denied: { tone: "danger", label: "Refused" },
  unanswered: { tone: "danger", label: "No decision" },
  withdrawn: { tone: "neutral", label: "Not asked" },
};

type Props = { governance: Governance; steps: Review["steps"]; action: AdminAction | null; now: Date; timeZone: string };

/** What the buyer's governance agents say of the order. Without every agent's agreement nobody can accept it. */
export function GovernanceCard({ governance, steps, action, now, timeZone }: Props) {
  const { review, answers } = governance;
  const question = steps.find((step) => step.kind === "governance_stopped" && step.state === "pending");
  return (
    <Card title="Governance" description={`Plan ${review.planId}`} flush>
      {question ? (
        <div className="border-b border-line p-4">
          <Notice tone="danger" title="A governance agent gives no decision"><p>{question.payload.reason}</p></Notice>
          {action ? <BlockedChoices stepId={question.id} choices={question.payload.choices ?? []} action={action} /> : null}
        </div>
      ) : null}
      <ul className="divide-y divide-line">
        {answers.map(({ check, url }) => (
          <li key={check.id} className="grid gap-1 px-4 py-2.5">
            <p className="flex flex-wrap items-center gap-2"><span className="font-medium break-all">{new URL(url).host}</span><StatusBadge tone={STATES[check.state].tone}>{STATES[check.state].label}</StatusBadge><When check={check} now={now} timeZone={timeZone} /></p>
            {check.explanation ? <p className="break-words text-ink-2">{check.explanation}</p> : null}
            <Remarks remarks={[...check.conditions.map(({ field, reason }) => `${field}: ${reason}`), ...check.findings.map(({ severity, explanation }) => `${severity}: ${explanation}`)]} />
            {check.lastError ? <p className="break-words text-danger">{check.lastError}</p> : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function When({ check, now, timeZone }: { check: Answer; now: Date; timeZone: string }) {
  if (check.answeredAt === null) return null;
  return <span className="text-[0.8125rem] text-ink-2"><TimeAgo at={check.answeredAt} now={now} timeZone={timeZone} />{check.expiresAt ? <>, stands until <TimeAgo at={check.expiresAt} now={now} timeZone={timeZone} /></> : null}</span>;
}

function Remarks({ remarks }: { remarks: string[] }) {
  if (remarks.length === 0) return null;
  return <ul className="list-disc pl-5 text-ink-2">{remarks.map((remark) => <li key={remark} className="break-words">{remark}</li>)}</ul>;
}
