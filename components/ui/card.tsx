import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "./cn";

/** A titled region of a screen. `flush` lets a table reach the edges. */
export function Card({ title, description, actions, children, flush = false, className, ...props }: Omit<ComponentProps<"section">, "title"> & { title?: ReactNode; description?: ReactNode; actions?: ReactNode; flush?: boolean }) {
  const titleId = useId();
  return (
    <section aria-labelledby={title ? titleId : undefined} className={cn("min-w-0 rounded-lg border border-line bg-surface shadow-card", className)} {...props}>
      {title ? (
        <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
          <div className="min-w-0">
            <h2 id={titleId} className="text-sm font-semibold">{title}</h2>
            {description ? <p className="text-[0.8125rem] text-ink-2">{description}</p> : null}
          </div>
          {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
        </header>
      ) : null}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}
