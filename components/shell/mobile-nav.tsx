"use client";

import { Menu as MenuIcon, X } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";

/** The sidebar as a drawer, below the width where it fits beside the content. Closes when a link in it is followed. */
export function MobileNav({ children }: { children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild><Button variant="ghost" size="icon" aria-label="Open navigation"><MenuIcon aria-hidden /></Button></Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 flex w-[min(17rem,85vw)] flex-col border-r border-line bg-surface shadow-pop"
          onClick={(event) => { if (event.target instanceof Element && event.target.closest("a")) setOpen(false); }}
        >
          <div className="flex items-center justify-between px-3 pt-3">
            <Dialog.Title className="px-2 font-semibold">Navigation</Dialog.Title>
            <Dialog.Close asChild><Button variant="ghost" size="icon" aria-label="Close navigation"><X aria-hidden /></Button></Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
