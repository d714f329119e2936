"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useQueryState } from "nuqs";
import { cn } from "@/components/ui/cn";
import { searchParam } from "./list-params";

export type FilterTab = { label: string; href: string; count: number; isCurrent: boolean };

/** One filter as links with counts: each is an address of its own, to be kept and shared. What is being searched for goes along, also while the page that was made with it is still on its way. */
export function FilterTabs({ label, tabs }: { label: string; tabs: FilterTab[] }) {
  const [search, setSearch] = useQueryState("search", searchParam);
  const router = useRouter();
  return (
    <nav aria-label={label} className="-mx-1 overflow-x-auto px-1">
      <ul className="flex gap-1 py-1">
        {tabs.map((tab) => (
          <li key={tab.href}>
            <Link
              href={withSearch(tab.href, search)}
              // A search that is on its way into the address goes first: it would replace the tab's address.
              onNavigate={(event) => {
                event.preventDefault();
                void setSearch(search || null).then(() => router.push(withSearch(tab.href, search)));
              }}
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

function withSearch(href: string, search: string): string {
  const [path = "", query] = href.split("?");
  const params = new URLSearchParams(query);
  if (search === "") params.delete("search");
  else params.set("search", search);
  return params.size === 0 ? path : `${path}?${params.toString()}`;
}
