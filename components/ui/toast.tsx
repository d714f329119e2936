"use client";

import { Toaster as Sonner, toast as sonner } from "sonner";
import { announce } from "./announcer";

export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast: "flex w-full font-sans items-center gap-2.5 rounded-md border border-line bg-surface px-3.5 py-3 text-sm text-ink shadow-pop",
          success: "[&_[data-icon]]:text-success",
          error: "[&_[data-icon]]:text-danger",
        },
      }}
    />
  );
}

/** A passing message, also announced. What must be read and acted on belongs on the screen, not here. */
export function showToast(kind: "success" | "error", message: string): void {
  sonner[kind](message);
  announce(message);
}
