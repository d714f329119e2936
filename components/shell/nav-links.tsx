"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { cn } from "@/components/ui/cn";
import { navigationFor, publisherPath } from "./navigation";

/** `waiting` is the number beside Approvals. */
export function NavLinks({ publisher, waiting, isAdmin, onNavigate }: { publisher: string; waiting: number; isAdmin: boolean; onNavigate?: () => void }) {
  const pathname = usePathname();
  return (
    <ul className="grid gap-0.5">
      {navigationFor({ isAdmin }).map(({ path, label, icon: Icon }) => {
        const href = publisherPath(publisher, path);
        const isCurrent = pathname === href || pathname.startsWith(`${href}/`);
        return (
          <li key={path}>
            <Link
              href={href}
              onNavigate={onNavigate}
              aria-current={isCurrent ? (pathname === href ? "page" : "true") : undefined}
              className={cn("flex h-8 items-center gap-2.5 rounded-md px-2.5 font-medium", isCurrent ? "bg-accent-soft text-accent" : "text-ink-2 hover:bg-surface-3/70 hover:text-ink")}
            >
              <Icon aria-hidden className="size-4 shrink-0" />
              <span className="flex-1 truncate">{label}</span>
              {path === "approvals" && waiting > 0 ? (
                <span className="tabular rounded-full bg-accent px-1.5 text-xs leading-5 font-semibold text-accent-ink">
                  {waiting > 999 ? "999+" : waiting}
                  <span className="sr-only"> waiting</span>
                </span>
              ) : null}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
