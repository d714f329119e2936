"use client";

import { ArrowRight, Check, RotateCcw, X } from "lucide-react";
import Link from "next/link";
import { useParams } from "next/navigation";
import { type FormEvent, startTransition, useEffect, useRef, useState } from "react";
import { ActionStatus } from "@/components/forms/action-status";
import { useReportedAction } from "@/components/forms/use-reported-action";
import { Button } from "@/components/ui/button";
import { AlertDialog, AlertDialogCancel } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { type AdminAction, IDLE } from "@/lib/auth/action-state";
import { type CreativeStatus } from "@/lib/creatives/transitions";

type Decision = "approve" | "reject" | "review_again";

/** What may be decided on a creative of each status. */
const CHOICES: Record<CreativeStatus, readonly Decision[]> = {
  processing: ["approve", "reject", "review_again"],
  pending_review: ["approve", "reject"],
  approved: ["reject", "review_again"],
  rejected: ["approve", "review_again"],
  archived: [],
};

/**
 * Stays in place whatever is decided: the words of the last answer, and the way to the next creative that waits, are here. Each dialog is about
 * the version that was shown when it opened.
 */
export function ReviewBar({ creative, buyer, effect, nextHref, action }: {
  creative: { id: string; version: number; status: CreativeStatus; name: string };
  buyer: string;
  /** Where it runs, in words. */
  effect: string;
  nextHref: string | null;
  action: AdminAction;
}) {
  const { publisher } = useParams<{ publisher: string }>();
  const [asked, setAsked] = useState<{ decision: Decision; version: number } | null>(null);
  const result = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [state, dispatch, isPending] = useReportedAction(action, (answer) => {
    // Only what is wrong with the reason keeps the dialog open; anything else is said in the bar.
    if (answer.status !== "invalid" || !answer.fieldErrors.reason) setAsked(null);
  });
  const reasonError = state.status === "invalid" ? state.fieldErrors.reason : undefined;
  const { status } = creative;
  const statusBefore = useRef(status);
  useEffect(() => {
    if (statusBefore.current === status) return;
    statusBefore.current = status;
    // The button that was pressed is gone: whoever pressed it goes on from what was decided.
    if (state.status !== "idle") document.getElementById("review")?.focus();
  }, [status, state]);

  const open = (decision: Decision, button: HTMLButtonElement) => {
    opener.current = button;
    setAsked({ decision, version: creative.version });
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!asked || isPending) return;
    const reason = new FormData(event.currentTarget).get("reason");
    startTransition(() => dispatch({ publisher, input: { creativeId: creative.id, ...asked, ...(typeof reason === "string" ? { reason } : {}) } }));
  };
  const choices = CHOICES[status];
  const words = asked ? WORDS[asked.decision] : null;
  return (
    <div className="sticky bottom-0 z-10 -mx-4 mt-5 border-t border-line bg-surface/95 px-4 py-3 shadow-pop backdrop-blur lg:-mx-6 lg:px-6">
      <div ref={result} tabIndex={-1} className="outline-none"><ActionStatus state={reasonError ? IDLE : state} className="mb-3" /></div>
      <div className="flex flex-wrap items-center gap-2">
        {choices.map((decision) => {
          const { icon: Icon, label } = WORDS[decision];
          return <Button key={decision} variant={decision === "approve" ? "primary" : undefined} onClick={(event) => open(decision, event.currentTarget)}><Icon aria-hidden />{label}</Button>;
        })}
        {nextHref ? <Button asChild className="sm:ml-auto"><Link href={nextHref}>Next in review<ArrowRight aria-hidden /></Link></Button> : null}
      </div>
      <AlertDialog
        open={asked !== null}
        onOpenChange={(isOpen) => { if (!isOpen) setAsked(null); }}
        returnFocus={() => (opener.current?.isConnected ? opener.current : document.getElementById("review") ?? result.current)?.focus()}
        title={words?.title(creative.name) ?? ""}
        description={words ? <p>{words.effect(buyer)} {effect}</p> : ""}
      >
        <form onSubmit={submit} className="grid gap-4">
          {asked && asked.decision !== "approve" ? (
            <Field label={asked.decision === "reject" ? "Why it is rejected" : "Why it is looked at again"} name="reason" required={asked.decision === "reject"} hint={asked.decision === "reject" ? "The buyer will read it, as you write it." : "For your colleagues. The buyer does not read it."} error={reasonError}>
              {(control) => <Textarea {...control} maxLength={1_000} rows={4} />}
            </Field>
          ) : null}
          <div className="flex flex-wrap justify-end gap-2">
            <AlertDialogCancel />
            <Button type="submit" variant={asked?.decision === "reject" ? "danger" : "primary"} isPending={isPending}>{words?.confirm}</Button>
          </div>
        </form>
      </AlertDialog>
    </div>
  );
}

const WORDS = {
  approve: { icon: Check, label: "Approve", title: (name: string) => `Approve “${name}”?`, confirm: "Approve creative", effect: (buyer: string) => `${buyer} is told, and it goes on air where it is assigned.` },
  reject: { icon: X, label: "Reject", title: (name: string) => `Reject “${name}”?`, confirm: "Reject creative", effect: (buyer: string) => `${buyer} is told, and can send it again with other content. It is taken off air where it runs.` },
  review_again: { icon: RotateCcw, label: "Review again", title: (name: string) => `Review “${name}” again?`, confirm: "Put back in review", effect: (buyer: string) => `It waits in the queue, and is off air until somebody decides. ${buyer} sees that it is in review.` },
} as const satisfies Record<Decision, unknown>;
