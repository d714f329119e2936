"use client";

import { useParams } from "next/navigation";
import { useEffect, useState } from "react";
import { type InventoryChoice, type InventoryKind } from "@/lib/inventory/queries";

export type InventorySource = {
  connectionId: string;
  kind: InventoryKind;
  /** Only children of this: the values of one key. */
  parentId?: string;
};

type Found = { query: string; rows: InventoryChoice[]; total: number; problem?: string };

const DEBOUNCE_MS = 200;
const NOTHING: Found = { query: "", rows: [], total: 0 };

/** Searches what the last sync found, page by page, while `isOpen`. What was asked before the latest question is dropped. */
export function useInventorySearch({ connectionId, kind, parentId }: InventorySource, text: string, isOpen: boolean) {
  const { publisher } = useParams<{ publisher: string }>();
  const [found, setFound] = useState<Found>(NOTHING);
  const [pages, setPages] = useState({ query: "", count: 1 });
  const [attempt, setAttempt] = useState(0);
  const query = new URLSearchParams({ connection: connectionId, kind, text: text.trim(), ...(parentId === undefined ? {} : { parent: parentId }) }).toString();
  const page = pages.query === query ? pages.count : 1;

  useEffect(() => {
    if (!isOpen) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      fetchPage(`/p/${publisher}/inventory?${query}&page=${page}`, controller.signal).then(
        (answer) => setFound((before) => ({ query, rows: page > 1 && before.query === query ? [...before.rows, ...answer.rows] : answer.rows, total: answer.total })),
        (error: unknown) => {
          if (!controller.signal.aborted) setFound({ query, rows: [], total: 0, problem: error instanceof Error ? error.message : "The search failed." });
        },
      );
    }, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [publisher, query, page, isOpen, attempt]);

  return {
    rows: found.rows,
    total: found.total,
    problem: found.query === query ? found.problem : undefined,
    isLoading: found.query !== query,
    showMore: () => setPages({ query, count: page + 1 }),
    retry: () => {
      setFound(NOTHING);
      setAttempt((number) => number + 1);
    },
  };
}

async function fetchPage(address: string, signal: AbortSignal): Promise<{ rows: InventoryChoice[]; total: number }> {
  const response = await fetch(address, { signal, headers: { accept: "application/json" } });
  if (response.redirected) throw new Error("Your session has ended. Sign in again in another tab, then try again.");
  if (!response.ok) throw new Error("The search failed.");
  return response.json();
}
