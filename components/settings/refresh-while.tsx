"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";

const INTERVAL_MS = 2_000;

/** Reads the screen anew while something on it is under way that no live topic tells of. */
export function RefreshWhile({ isWaiting }: { isWaiting: boolean }) {
  const router = useRouter();
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => {
      if (!document.hidden) router.refresh();
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [isWaiting, router]);
  return null;
}
