import Link from "next/link";
import { cn } from "@/components/ui/cn";

export type FilterTab = { label: string; href: string; count: number; isCurrent: boolean };

/** One filter as links with counts: each is an address of its own, to be kept and shared. */
export function FilterTabs({ label, tabs }: { label: string; tabs: FilterTab[] }) {
  return (
    <nav aria-label={label} className="-mx-1 overflow-x-auto px-1">
      <ul className="flex gap-1 py-1">
        {tabs.map((tab) => (
          <li key={tab.href}>
            <Link
              href={tab.href}
              prefetch={false}
              aria-current={tab.isCurrent ? "true" : undefined}
              className={cn("flex h-8 items-center gap-1.5 rounded-md px-2.5 text-[0.8125rem] font-medium whitespace-nowrap", tab.isCurrent ? "bg-accent-soft text-accent" : "text-ink-2 hover:bg-surface-3/70 hover:text-ink")}
            >
              {tab.label}
              <span className={cn("tabular rounded-full px-1.5 text-xs", tab.isCurrent ? "bg-accent/15" : "bg-surface-3")}>{tab.count.toLocaleString("en-US")}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
