import { FlaskConical } from "lucide-react";
import { cn } from "@/components/ui/cn";

export function Brand({ className }: { className?: string }) {
  return (
    <span className={cn("inline-flex items-center gap-2 font-semibold tracking-tight", className)}>
      <svg viewBox="0 0 32 32" aria-hidden className="size-6 shrink-0">
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path d="M9 16.6l4.8 4.8L23.2 11" fill="none" className="stroke-accent-ink" strokeWidth="3.4" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      Greenlight
    </span>
  );
}

/** On every screen of a demo. */
export function DemoBanner() {
  return (
    <aside aria-label="Demo mode" data-banner className="z-30 border-b border-info/25 bg-info-soft px-4 py-1 text-info lg:sticky lg:top-0 lg:h-(--banner)">
      <p className="flex items-center justify-center gap-2 text-center text-[0.8125rem] font-medium">
        <FlaskConical aria-hidden className="size-4 shrink-0" />
        Demo: simulated ad server, nothing real is booked
      </p>
    </aside>
  );
}

export function SkipLink() {
  return <a href="#content" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-accent-ink">Skip to content</a>;
}
