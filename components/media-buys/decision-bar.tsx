"use client";

import { Check, MessageSquareText, X } from "lucide-react";
import { useParams } from "next/navigation";
import { type FormEvent, type ReactNode, startTransition, useEffect, useId, useRef, useState } from "react";
import { ActionStatus } from "@/components/forms/action-status";
import { useReportedAction } from "@/components/forms/use-reported-action";
import { Button } from "@/components/ui/button";
import { AlertDialog, AlertDialogCancel } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { type AdminAction, IDLE } from "@/lib/auth/action-state";

type Decision = "approve" | "reject" | "ask_for_changes";

/** What the person sees now; frozen when a dialog opens, so that nobody approves what came in behind it. */
export type Question = { stepId: string; shownHash: string };

/**
 * Stays in place when the question has been answered, so that its status region can still say that somebody else was first.
 */
export function DecisionBar({ question, order, effects, blocks, action }: {
  question: Question | null;
  /** Name and amount, for the dialogs. */
  order: { name: string; amount: string; buyer: string };
  /** What approving sets in motion, a line each. */
  effects: string[];
  /** Why it cannot be approved; empty when it can. */
  blocks: string[];
  action: AdminAction;
}) {
  const { publisher } = useParams<{ publisher: string }>();
  const [asked, setAsked] = useState<{ decision: Decision; question: Question } | null>(null);
  const result = useRef<HTMLDivElement>(null);
  const whyId = useId();
  const [state, dispatch, isPending] = useReportedAction(action, (answer) => {
    // Only what is wrong with the reason keeps the dialog open; anything else is said in the bar.
    if (answer.status !== "invalid" || !answer.fieldErrors.reason) setAsked(null);
  });
  const reasonError = state.status === "invalid" ? state.fieldErrors.reason : undefined;
  const isAnswered = question === null;
  useEffect(() => {
    // The buttons are gone: whoever pressed one goes on reading where the order goes on, or why it was not their answer that counted.
    if (!isAnswered || state.status === "idle") return;
    const next = state.status === "ok" ? (document.getElementById("execution") ?? document.getElementById("decision")) : result.current;
    next?.focus();
  }, [isAnswered, state]);
  const isBlocked = blocks.length > 0;

  const opener = useRef<HTMLButtonElement>(null);
  const open = (decision: Decision, button: HTMLButtonElement) => {
    opener.current = button;
    if (question && !(decision === "approve" && isBlocked)) setAsked({ decision, question });
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!asked || isPending) return;
    const reason = new FormData(event.currentTarget).get("reason");
    startTransition(() => dispatch({ publisher, input: { ...asked.question, decision: asked.decision, ...(typeof reason === "string" ? { reason } : {}) } }));
  };
  const words = asked ? WORDS[asked.decision] : null;

  return (
    <div className={question ? "sticky bottom-0 z-10 -mx-4 mt-5 border-t border-line bg-surface/95 px-4 py-3 shadow-pop backdrop-blur lg:-mx-6 lg:px-6" : "mt-5"}>
      <div ref={result} tabIndex={-1} className="outline-none"><ActionStatus state={reasonError ? IDLE : state} className={question ? "mb-3" : undefined} /></div>
      {question ? (
        <div className="flex flex-wrap items-center gap-2">
          <Button variant="primary" aria-disabled={isBlocked || undefined} aria-describedby={isBlocked ? whyId : undefined} onClick={(event) => open("approve", event.currentTarget)}><Check aria-hidden />Approve</Button>
          <Button onClick={(event) => open("reject", event.currentTarget)}><X aria-hidden />Reject</Button>
          <Button onClick={(event) => open("ask_for_changes", event.currentTarget)}><MessageSquareText aria-hidden />Ask for changes</Button>
          {isBlocked ? <p id={whyId} className="min-w-0 flex-1 basis-60 text-[0.8125rem] text-danger">Cannot be approved: {blocks.join(" ")}</p> : null}
        </div>
      ) : null}
      <AlertDialog
        open={asked !== null}
        onOpenChange={(isOpen) => { if (!isOpen) setAsked(null); }}
        returnFocus={() => {
          if (opener.current?.isConnected) opener.current.focus();
          // Unless the answer, which may have come before the dialog was gone, has led on already.
          else if (document.activeElement === document.body) result.current?.focus();
        }}
        title={words?.title(order.name) ?? ""}
        description={asked ? <DialogText decision={asked.decision} order={order} effects={effects} /> : ""}
      >
        <form onSubmit={submit} className="grid gap-4">
          {words && asked?.decision !== "approve" ? (
            <Field label={words.reasonLabel} name="reason" required hint="The buyer will read it, as you write it." error={reasonError}>
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

const WORDS: Record<Decision, { title: (name: string) => string; confirm: string; reasonLabel: string }> = {
  approve: { title: (name) => `Approve “${name}”?`, confirm: "Approve order", reasonLabel: "" },
  reject: { title: (name) => `Reject “${name}”?`, confirm: "Reject order", reasonLabel: "Why it is rejected" },
  ask_for_changes: { title: (name) => `Ask for changes to “${name}”?`, confirm: "Send to the buyer", reasonLabel: "What should change" },
};

function DialogText({ decision, order, effects }: { decision: Decision; order: { amount: string; buyer: string }; effects: string[] }): ReactNode {
  if (decision === "reject") return <p>{order.buyer} is told at once. Nothing is written to any ad server, and the order cannot be approved afterwards.</p>;
  if (decision === "ask_for_changes") return <p>This request ends, and {order.buyer} is told what to correct before placing it again. Nothing is written to any ad server.</p>;
  return (
    <>
      <p>{order.amount} from {order.buyer}. The buyer is told at once that you have accepted.</p>
      {effects.length > 0 ? <ul className="mt-2 list-disc pl-5">{effects.map((effect) => <li key={effect}>{effect}</li>)}</ul> : null}
    </>
  );
}
