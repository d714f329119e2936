"use client";

import { type ReactNode, useState } from "react";
import { AlertDialog, AlertDialogCancel } from "@/components/ui/dialog";
import { Button } from "@/components/ui/button";
import { type AdminAction } from "@/lib/auth/action-state";
import { ActionForm } from "./action-form";

/** Asks before an action. The dialog stays open, with the reason, when the action was refused. */
export function ConfirmAction({ action, fields, trigger, title, description, confirmLabel, variant = "danger" }: {
  action: AdminAction;
  fields: Record<string, string>;
  trigger: ReactNode;
  title: string;
  description: ReactNode;
  confirmLabel: string;
  variant?: "danger" | "primary";
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <AlertDialog open={isOpen} onOpenChange={setOpen} trigger={trigger} title={title} description={description}>
      <ActionForm action={action} onOk={() => setOpen(false)}>
        {({ isPending }) => (
          <>
            {Object.entries(fields).map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
            <div className="flex flex-wrap justify-end gap-2"><AlertDialogCancel /><Button type="submit" variant={variant} isPending={isPending}>{confirmLabel}</Button></div>
          </>
        )}
      </ActionForm>
    </AlertDialog>
  );
}
