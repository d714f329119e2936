import { type ComponentProps, type ReactNode } from "react";
import { cn } from "./cn";
import { ScrollRegion } from "./scroll-region";

/** A real table that scrolls sideways by itself on narrow screens. `caption` names it. */
export function Table({ caption, isCaptionVisible = false, className, children, ...props }: ComponentProps<"table"> & { caption: string; isCaptionVisible?: boolean }) {
  return (
    <ScrollRegion label={caption}>
      <table className={cn("w-full border-collapse text-left text-sm", className)} {...props}>
        <caption className={isCaptionVisible ? "px-4 py-2 text-left text-[0.8125rem] text-ink-2" : "sr-only"}>{caption}</caption>
        {children}
      </table>
    </ScrollRegion>
  );
}

export function TableHead({ children }: { children: ReactNode }) {
  return <thead className="border-b border-line bg-surface-2/70 text-xs text-ink-2"><tr>{children}</tr></thead>;
}

export function TableBody({ children }: { children: ReactNode }) {
  return <tbody className="divide-y divide-line">{children}</tbody>;
}

export function TableRow({ className, ...props }: ComponentProps<"tr">) {
  return <tr className={cn("hover:bg-surface-2/60", className)} {...props} />;
}

export function ColumnHeader({ isNumeric = false, className, ...props }: ComponentProps<"th"> & { isNumeric?: boolean }) {
  return <th scope="col" className={cn("h-9 px-3 font-medium whitespace-nowrap first:pl-4 last:pr-4", isNumeric && "text-right", className)} {...props} />;
}

export function RowHeader({ className, ...props }: ComponentProps<"th">) {
  return <th scope="row" className={cn("px-3 py-2 text-left font-medium first:pl-4 last:pr-4", className)} {...props} />;
}

export function Cell({ isNumeric = false, className, ...props }: ComponentProps<"td"> & { isNumeric?: boolean }) {
  return <td className={cn("px-3 py-2 first:pl-4 last:pr-4", isNumeric && "text-right whitespace-nowrap", className)} {...props} />;
}
