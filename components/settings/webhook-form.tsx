"use client";

import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { ActionButton } from "@/components/forms/action-button";
import { ActionForm } from "@/components/forms/action-form";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { useOpened } from "@/components/forms/use-opened";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";

/** The staff webhook: its address goes in and never comes out. */
export function WebhookForm({ hint, save, remove, test }: { hint: string | null; save: AdminAction; remove: AdminAction; test: AdminAction }) {
  const [saves, setSaves] = useState(0);
  const { opened, markSaved } = useOpened(hint, (shown) => shown ?? "");
  return (
    <div className="grid gap-4">
      {hint ? (
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p>Messages go to <strong className="font-medium break-all">{hint}</strong></p>
          <div className="flex flex-wrap gap-2">
            <ActionButton action={test} fields={{}} size="small"><Send aria-hidden />Send a test message</ActionButton>
            <ConfirmAction action={remove} fields={{ seen: hint }} title="Remove the staff webhook?" description="Nobody is told any more when an order waits. The address is forgotten." confirmLabel="Remove" trigger={<Button size="small"><Trash2 aria-hidden />Remove</Button>} />
          </div>
        </div>
      ) : null}
      <ActionForm action={save} onOk={() => { setSaves((count) => count + 1); markSaved(); }}>
        {({ isPending, error }) => (
          <div key={saves} className="flex flex-wrap items-end gap-3">
            <input type="hidden" name="seen" value={opened ?? ""} />
            <Field label={hint ? "Replace the address" : "Address"} name="url" required error={error("url")} hint="An incoming webhook of Slack, or of anything that takes its messages. Stored encrypted, and never shown again." className="min-w-0 flex-1 basis-72">
              {(control) => <Input {...control} type="url" autoComplete="off" spellCheck={false} placeholder="https://hooks.slack.com/services/…" />}
            </Field>
            <Button type="submit" variant={hint ? "secondary" : "primary"} isPending={isPending}>{hint ? "Replace" : "Save"}</Button>
          </div>
        )}
      </ActionForm>
    </div>
  );
}
