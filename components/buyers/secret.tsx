"use client";

import { CopyButton } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";

/** A secret that can be read now and never again. */
export function ShownSecret({ label, secret, children }: { label: string; secret: string; children?: React.ReactNode }) {
  return (
    <div className="grid gap-3">
      <Notice tone="warning" title="Copy it now">It is shown this once. Only its hash is stored: nobody can look it up again.</Notice>
      <div className="flex items-center gap-2 rounded-md border border-line bg-surface-2 px-3 py-2">
        <code aria-label={label} className="min-w-0 flex-1 font-mono text-[0.8125rem] break-all select-all">{secret}</code>
        <CopyButton value={secret} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {children}
    </div>
  );
}
