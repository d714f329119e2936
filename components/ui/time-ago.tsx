"use client";

import { useEffect, useState } from "react";
import { formatDateTime, formatRelative } from "@/lib/time";

const STEP_MS = 15_000;

/** An age that keeps counting. `now` is the server's, so that a wrong clock in the browser does no harm; the exact time is the tooltip. */
export function TimeAgo({ at, now, timeZone, className }: { at: Date; now: Date; timeZone: string; className?: string }) {
  const shownSince = now.getTime();
  const [elapsed, setElapsed] = useState({ since: shownSince, ms: 0 });
  useEffect(() => {
    const started = performance.now();
    const timer = setInterval(() => setElapsed({ since: shownSince, ms: performance.now() - started }), STEP_MS);
    return () => clearInterval(timer);
  }, [shownSince]);
  const current = new Date(shownSince + (elapsed.since === shownSince ? elapsed.ms : 0));
  return <time dateTime={at.toISOString()} title={formatDateTime(at, timeZone)} className={className}>{formatRelative(at, current)}</time>;
}
