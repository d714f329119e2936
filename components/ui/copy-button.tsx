"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { announce } from "./announcer";
import { cn } from "./cn";

/** Copies `value`. `label` says what: "Copy order id". */
export function CopyButton({ value, label, className }: { value: string; label: string; className?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
      announce("Copied.");
    } catch {
      announce("The browser did not allow copying. Select the text instead.");
    }
  }

  return (
    <button type="button" onClick={copy} aria-label={label} title={label} className={cn("inline-grid size-6 shrink-0 place-items-center rounded text-ink-2 hover:bg-surface-3 hover:text-ink", className)}>
      {isCopied ? <Check aria-hidden className="size-3.5 text-success" /> : <Copy aria-hidden className="size-3.5" />}
    </button>
  );
}

/** An id in full, with its copy button. */
export function CopyableId({ value, label }: { value: string; label: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <code className="min-w-0 font-mono text-xs break-all">{value}</code>
      <CopyButton value={value} label={label} />
    </span>
  );
}
