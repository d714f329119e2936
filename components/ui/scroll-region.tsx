"use client";

import { type ReactNode, useEffect, useRef } from "react";
import { cn } from "./cn";

/** Scrolls sideways by itself. A tab stop only while there is something to scroll, so that keyboards reach it and others skip it. */
export function ScrollRegion({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  const region = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = region.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    });
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  return <div ref={region} role="group" aria-label={label} className={cn("relative overflow-x-auto", className)}>{children}</div>;
}
