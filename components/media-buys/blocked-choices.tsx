"use client";

import { useState } from "react";
import { ActionButton } from "@/components/forms/action-button";
import { ActionForm } from "@/components/forms/action-form";
import { AlertDialog, AlertDialogCancel } from "@/components/ui/dialog";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";

type Choice = { id: string; label: string };

/** The answers to a blocked order. Giving it up ends the order for the buyer too: that asks once more, with a reason. */
export function BlockedChoices({ stepId, choices, action }: { stepId: string; choices: Choice[]; action: AdminAction }) {
  return (
    <div role="group" aria-label="What to do about it" className="mt-3 flex flex-wrap items-start gap-2">
      {choices.map((choice, index) => (choice.id === "give_up"
        ? <GiveUp key={choice.id} stepId={stepId} choice={choice} action={action} />
        : <ActionButton key={choice.id} action={action} fields={{ stepId, choiceId: choice.id }} size="small" variant={index === 0 ? "primary" : "secondary"}>{choice.label}</ActionButton>
      ))}
    </div>
  );
}

function GiveUp({ stepId, choice, action }: { stepId: string; choice: Choice; action: AdminAction }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <AlertDialog
      open={isOpen}
      onOpenChange={setOpen}
      trigger={<Button size="small">{choice.label}…</Button>}
      title={`${choice.label}?`}
      description="The whole order ends, in every ad server, and the buyer is told. This cannot be undone."
    >
      <ActionForm action={action} onOk={() => setOpen(false)} className="grid gap-4">
        {(form) => (
          <>
            <input type="hidden" name="stepId" value={stepId} />
            <input type="hidden" name="choiceId" value={choice.id} />
            <Field label="Reason" name="note" hint="The buyer will read it." required error={form.error("note")}>
              {(control) => <Textarea {...control} maxLength={1_000} defaultValue={form.value("note")} />}
            </Field>
            <div className="flex flex-wrap justify-end gap-2"><AlertDialogCancel /><Button type="submit" variant="danger" isPending={form.isPending}>{choice.label}</Button></div>
          </>
        )}
      </ActionForm>
    </AlertDialog>
  );
}
