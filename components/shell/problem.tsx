import { type LucideIcon } from "lucide-react";
import { type ReactNode } from "react";

/** A screen that could not be shown, and what to do about it. */
export function Problem({ icon: Icon, title, children, actions }: { icon: LucideIcon; title: string; children: ReactNode; actions?: ReactNode }) {
  return (
    <div className="mx-auto grid max-w-md flex-1 content-center justify-items-center gap-3 px-4 py-20 text-center">
      <span className="grid size-11 place-items-center rounded-full bg-surface-3 text-ink-2"><Icon aria-hidden className="size-5" /></span>
      <h1 className="text-lg font-semibold">{title}</h1>
      <div className="text-ink-2">{children}</div>
      {actions ? <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div> : null}
    </div>
  );
}
