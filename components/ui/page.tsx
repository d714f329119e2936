import { type LucideIcon } from "lucide-react";
import { type ReactNode } from "react";
import { cn } from "./cn";

/** The one h1 of a screen, what it is about, and its actions. */
export function PageHeader({ title, description, actions, children }: { title: ReactNode; description?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  return (
    <header className="mb-5 grid gap-3">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-xl leading-7 font-semibold tracking-tight break-words">{title}</h1>
          {description ? <div className="mt-0.5 text-ink-2">{description}</div> : null}
        </div>
        {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
      </div>
      {children}
    </header>
  );
}

/** What a screen says when there is nothing to show, and what to do next. */
export function EmptyState({ icon: Icon, title, children, action, className }: { icon: LucideIcon; title: string; children?: ReactNode; action?: ReactNode; className?: string }) {
  return (
    <div className={cn("grid justify-items-center gap-2 px-6 py-14 text-center", className)}>
      <span className="grid size-10 place-items-center rounded-full bg-surface-3 text-ink-2"><Icon aria-hidden className="size-5" /></span>
      <p className="font-semibold">{title}</p>
      {children ? <div className="max-w-prose text-ink-2">{children}</div> : null}
      {action ? <div className="mt-2">{action}</div> : null}
    </div>
  );
}

/** Terms and their values, in columns where there is room. */
export function DescriptionList({ items, className }: { items: { term: ReactNode; description: ReactNode }[]; className?: string }) {
  return (
    <dl className={cn("grid grid-cols-[repeat(auto-fit,minmax(11rem,1fr))] gap-x-6 gap-y-3", className)}>
      {items.map((item, index) => (
        <div key={index} className="min-w-0">
          <dt className="text-xs text-ink-2">{item.term}</dt>
          <dd className="mt-0.5 break-words">{item.description}</dd>
        </div>
      ))}
    </dl>
  );
}
