"use client";

import { RefreshCw, WifiOff } from "lucide-react";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState, useTransition } from "react";

/** What a screen can watch; `reset` reaches every watcher. */
export type WatchedTopic = "media_buy" | "sync_job" | "connection" | "product" | "queue" | "buyer" | "creative" | "staff";

type Watcher = (topic: string, id: string) => void;
type Live = { isStale: boolean; watch(watcher: Watcher): () => void; refresh(): void };

const LiveContext = createContext<Live | null>(null);

const SILENCE_MS = 40_000;
const POLL_MS = 5_000;
const DEBOUNCE_MS = 250;
/** A screen that was rendered before a change and shown after it still hears of it. */
const REMEMBERED_MS = 5_000;
/** Any small file without a session. */
const PROBE = "/icon.svg";

/** One stream of changes for the whole tab. While it is down, screens are read anew every five seconds and say so. */
export function LiveProvider({ publisher, children }: { publisher: string; children: ReactNode }) {
  const router = useRouter();
  const [isStale, setStale] = useState(false);
  const [, startRefresh] = useTransition();
  const watchers = useRef(new Set<Watcher>());
  const recent = useRef<{ topic: string; id: string; at: number }[]>([]);
  const refreshTimer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const refresh = useCallback(() => {
    clearTimeout(refreshTimer.current);
    refreshTimer.current = setTimeout(() => startRefresh(() => router.refresh()), DEBOUNCE_MS);
  }, [router]);

  useEffect(() => {
    let hasEnded = false;
    let source: EventSource | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;
    let poll: ReturnType<typeof setInterval> | undefined;

    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(down, SILENCE_MS);
    };
    // Down until it is up: what changed between the server's rendering and the first sign of life is read once.
    let isDown = true;
    const up = () => {
      heard();
      clearInterval(poll);
      setStale(false);
      if (isDown) refresh();
      isDown = false;
    };
    const down = () => {
      source?.close();
      source = undefined;
      clearTimeout(silence);
      clearInterval(poll);
      isDown = true;
      setStale(true);
      poll = setInterval(lookAgain, POLL_MS);
    };
    // Refreshing while the server cannot be reached would leave the screen for the browser's own error page.
    const lookAgain = () => {
      fetch(PROBE, { method: "HEAD", cache: "no-store" }).then((answer) => {
        if (hasEnded || document.hidden || !answer.ok) return;
        refresh();
        connect();
      }, () => undefined);
    };
    const connect = () => {
      source?.close();
      source = new EventSource(`/live?publisher=${encodeURIComponent(publisher)}`);
      source.addEventListener("ready", up);
      source.addEventListener("ping", heard);
      source.addEventListener("change", (event: MessageEvent<string>) => {
        heard();
        const [topic = "reset", id = ""] = event.data.split(" ");
        recent.current = [...recent.current.filter((change) => change.at > Date.now() - REMEMBERED_MS), { topic, id, at: Date.now() }];
        for (const watcher of watchers.current) watcher(topic, id);
      });
      source.addEventListener("error", down);
      heard();
    };
    // A hidden tab gives its connection back: browsers allow few per site.
    const onVisibility = () => {
      if (document.hidden) {
        source?.close();
        source = undefined;
        clearTimeout(silence);
        clearInterval(poll);
      } else {
        lookAgain();
        poll = setInterval(lookAgain, POLL_MS);
      }
    };
    connect();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      hasEnded = true;
      document.removeEventListener("visibilitychange", onVisibility);
      source?.close();
      clearTimeout(silence);
      clearInterval(poll);
      clearTimeout(refreshTimer.current);
    };
  }, [publisher, refresh]);

  const watch = useCallback((watcher: Watcher) => {
    watchers.current.add(watcher);
    for (const change of recent.current) if (change.at > Date.now() - REMEMBERED_MS) watcher(change.topic, change.id);
    return () => void watchers.current.delete(watcher);
  }, []);
  const live = useMemo(() => ({ isStale, watch, refresh }), [isStale, watch, refresh]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** Reads the screen anew when one of these topics changes; with `id`, only for that object. */
export function useLive(topics: WatchedTopic[], id?: string): void {
  const live = useContext(LiveContext);
  const key = topics.join(" ");
  useEffect(() => {
    if (!live) return;
    const wanted = new Set(key.split(" "));
    return live.watch((topic, changedId) => {
      if (topic === "reset" || (wanted.has(topic) && (id === undefined || id === changedId))) live.refresh();
    });
  }, [live, key, id]);
}

/** For server-rendered screens: watches, shows nothing. */
export function LiveRefresh({ topics, id }: { topics: WatchedTopic[]; id?: string }) {
  useLive(topics, id);
  return null;
}

/** The visible hint that what is shown may be some seconds old. Its region exists beforehand. */
export function LiveStatus() {
  const live = useContext(LiveContext);
  return (
    <div role="status">
      {live?.isStale ? (
        <p className="flex items-center gap-2 border-b border-warning/30 bg-warning-soft px-4 py-1.5 text-[0.8125rem] text-warning">
          <WifiOff aria-hidden className="size-4 shrink-0" />
          Live updates are interrupted. What you see is read anew every 5 seconds.
          <RefreshCw aria-hidden className="size-3.5 shrink-0" />
        </p>
      ) : null}
    </div>
  );
}
