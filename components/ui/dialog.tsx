"use client";

import { X } from "lucide-react";
import { AlertDialog as RadixAlertDialog, Dialog as RadixDialog } from "radix-ui";
import { type ReactNode } from "react";
import { Button } from "./button";
import { cn } from "./cn";

const OVERLAY = "fixed inset-0 z-40 bg-black/45";
const PANEL = "fixed top-1/2 left-1/2 z-50 grid max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 gap-4 overflow-y-auto rounded-lg border border-line bg-surface p-5 shadow-pop";

type Controlled = { open: boolean; onOpenChange: (isOpen: boolean) => void };

/** A window for a task of its own. Esc and the close button leave it; focus returns to what opened it. */
export function Dialog({ trigger, title, description, children, className, ...state }: { trigger?: ReactNode; title: ReactNode; description?: ReactNode; children: ReactNode; className?: string } & Partial<Controlled>) {
  return (
    <RadixDialog.Root {...state}>
      {trigger ? <RadixDialog.Trigger asChild>{trigger}</RadixDialog.Trigger> : null}
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={OVERLAY} />
        <RadixDialog.Content className={cn(PANEL, className)} {...(description ? {} : { "aria-describedby": undefined })}>
          <div className="flex items-start justify-between gap-4">
            <div className="grid gap-1">
              <RadixDialog.Title className="text-base font-semibold">{title}</RadixDialog.Title>
              {description ? <RadixDialog.Description className="text-ink-2">{description}</RadixDialog.Description> : null}
            </div>
            <RadixDialog.Close asChild><Button variant="ghost" size="icon" aria-label="Close"><X aria-hidden /></Button></RadixDialog.Close>
          </div>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/**
 * Asks before something that cannot simply be undone. Opens with focus on Cancel; Esc cancels; focus returns to the trigger.
 * `children` is the form or buttons; put `<AlertDialogCancel />` first in it.
 */
export function AlertDialog({ trigger, title, description, children, returnFocus, ...state }: {
  trigger?: ReactNode;
  title: ReactNode;
  description: ReactNode;
  children: ReactNode;
  /** For a dialog that was opened without `trigger`: gives focus back. */
  returnFocus?: () => void;
} & Partial<Controlled>) {
  return (
    <RadixAlertDialog.Root {...state}>
      {trigger ? <RadixAlertDialog.Trigger asChild>{trigger}</RadixAlertDialog.Trigger> : null}
      <RadixAlertDialog.Portal>
        <RadixAlertDialog.Overlay className={OVERLAY} />
        <RadixAlertDialog.Content className={PANEL} onCloseAutoFocus={returnFocus && ((event) => { event.preventDefault(); returnFocus(); })}>
          <div className="grid gap-1">
            <RadixAlertDialog.Title className="text-base font-semibold">{title}</RadixAlertDialog.Title>
            <RadixAlertDialog.Description asChild><div className="text-ink-2">{description}</div></RadixAlertDialog.Description>
          </div>
          {children}
        </RadixAlertDialog.Content>
      </RadixAlertDialog.Portal>
    </RadixAlertDialog.Root>
  );
}

export function AlertDialogCancel({ children = "Cancel" }: { children?: ReactNode }) {
  return <RadixAlertDialog.Cancel asChild><Button>{children}</Button></RadixAlertDialog.Cancel>;
}
