import { RotateCcw, Webhook } from "lucide-react";
import { ActionButton } from "@/components/forms/action-button";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { type AdminAction } from "@/lib/auth/action-state";
import { type DeadLetter, type ReceiverHealth } from "@/lib/webhooks/receivers";

const STATES: Record<ReceiverHealth["state"], { tone: Tone; label: string }> = {
  unused: { tone: "neutral", label: "Nothing sent yet" },
  healthy: { tone: "success", label: "Works" },
  failing: { tone: "warning", label: "Fails" },
  dead: { tone: "danger", label: "Notices given up" },
};
const PURPOSES: Record<ReceiverHealth["purposes"][number], string> = { task: "decisions on tasks", reporting: "delivery reports", account: "an account", creative: "reviews of creatives" };

export type ReplayActions = { one: AdminAction; all: AdminAction };

/** Where a buyer is told of things, whether it hears, and what was given up. */
export function ReceiversCard({ principalId, receivers, deadLetters, actions, now, timeZone }: {
  principalId: string; receivers: ReceiverHealth[]; deadLetters: DeadLetter[]; actions: ReplayActions | null; now: Date; timeZone: string;
}) {
  return (
    <Card title="Webhook receivers" description="Addresses that the buyer registered, and whether they answer.">
      {receivers.length === 0 ? <EmptyState icon={Webhook} title="None is registered" className="py-6">A buyer names them with its orders and accounts.</EmptyState> : (
        <ul className="grid gap-5">
          {receivers.map((receiver) => (
            <li key={`${receiver.authentication} ${receiver.url}`} className="grid gap-2 border-t border-line pt-4 first:border-0 first:pt-0">
              <Receiver receiver={receiver} now={now} timeZone={timeZone} />
              <DeadLetters principalId={principalId} url={receiver.url} letters={receiver.deadLetters > 0 ? deadLetters.filter(({ url }) => url === receiver.url) : []} actions={actions} now={now} timeZone={timeZone} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Receiver({ receiver, now, timeZone }: { receiver: ReceiverHealth; now: Date; timeZone: string }) {
  const { tone, label } = STATES[receiver.state];
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1"><span className="font-medium break-all">{receiver.url}</span><StatusBadge tone={tone}>{label}</StatusBadge></p>
      <p className="text-[0.8125rem] text-ink-2">
        {receiver.authentication}, for {receiver.purposes.map((purpose) => PURPOSES[purpose]).join(" and ")}.{" "}
        {receiver.lastDeliveredAt ? <>Last delivered <TimeAgo at={receiver.lastDeliveredAt} now={now} timeZone={timeZone} />.</> : "Nothing was delivered yet."}
        {receiver.pending > 0 ? ` ${receiver.pending} on the way.` : ""}
        {receiver.consecutiveFailures > 0 ? ` ${receiver.consecutiveFailures} failed attempts since.` : ""}
      </p>
      {receiver.lastAttempt?.error ? <p className="text-[0.8125rem] break-words text-danger">Last attempt <TimeAgo at={receiver.lastAttempt.at} now={now} timeZone={timeZone} />: {receiver.lastAttempt.error}</p> : null}
    </>
  );
}

function DeadLetters({ principalId, url, letters, actions, now, timeZone }: { principalId: string; url: string; letters: DeadLetter[]; actions: ReplayActions | null; now: Date; timeZone: string }) {
  if (letters.length === 0) return null;
  return (
    <details className="rounded-md border border-line">
      <summary className="rounded-md px-3 py-2 text-[0.8125rem] font-medium">{letters.length} given up</summary>
      <div className="grid gap-3 border-t border-line p-3">
        {actions && letters.some(({ canReplay }) => canReplay) ? <ActionButton action={actions.all} fields={{ principalId, url }} size="small"><RotateCcw aria-hidden />Send all again</ActionButton> : null}
        <ul className="grid gap-2">
          {letters.map((letter) => (
            <li key={letter.deliveryId} className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[0.8125rem]">
              <code className="font-mono break-all">{letter.eventKey}</code>
              <span className="text-ink-2"><TimeAgo at={letter.createdAt} now={now} timeZone={timeZone} />, {letter.attempts} {letter.attempts === 1 ? "attempt" : "attempts"}</span>
              {letter.lastError ? <span className="w-full break-words text-danger">{letter.lastError}</span> : null}
              {letter.canReplay ? actions ? <ActionButton action={actions.one} fields={{ deliveryId: letter.deliveryId }} size="small" aria-label={`Send ${letter.eventKey} again`}>Send again</ActionButton> : null : <span className="text-ink-2">Its content is no longer kept.</span>}
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
