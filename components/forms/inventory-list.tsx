"use client";

import { Search } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type InventoryChoice } from "@/lib/inventory/queries";
import { type InventorySource, useInventorySearch } from "./use-inventory-search";

/** A searchable list of what the last sync found, with a box or a button beside each. Lives inside a dialog. */
export function InventoryList({ source, noun, chosenIds, isSingle = false, onToggle }: {
  source: InventorySource;
  /** What is listed, in the plural: "ad units". */
  noun: string;
  chosenIds: string[];
  isSingle?: boolean;
  onToggle: (choice: InventoryChoice, isChosen: boolean) => void;
}) {
  const id = useId();
  const [text, setText] = useState("");
  const search = useRef<HTMLInputElement>(null);
  // The dialog it lives in would focus its first button otherwise: people come here to type.
  useEffect(() => search.current?.focus(), []);
  const { rows, total, problem, isLoading, showMore, retry } = useInventorySearch(source, text, true);
  return (
    <div className="grid min-w-0 gap-3">
      <div className="relative">
        <Search aria-hidden className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-ink-2" />
        <Input ref={search} type="search" aria-label={`Search ${noun}`} aria-controls={`${id}-list`} placeholder="Name, path or id" value={text} onChange={(event) => setText(event.target.value)} className="pl-8.5" autoComplete="off" />
      </div>
      <p role="status" className="text-[0.8125rem] text-ink-2">
        {isLoading ? "Searching…" : problem ? "" : total === 0 ? (text.trim() ? `No ${noun} match “${text.trim()}”.` : `No ${noun} were synced yet. Sync the inventory of this connection first.`) : `${rows.length} of ${total} ${noun}`}
      </p>
      {problem ? <Notice tone="danger" title={problem}><Button size="small" onClick={retry}>Try again</Button></Notice> : null}
      <ul id={`${id}-list`} aria-label={`Found ${noun}`} aria-busy={isLoading} className="-mx-1 grid max-h-[45vh] content-start overflow-y-auto px-1">
        {rows.map((row) => (
          <li key={row.externalId}>
            <label className="flex min-h-9 cursor-pointer items-start gap-2.5 rounded-md px-2 py-1.5 hover:bg-surface-2 has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-focus">
              <input
                type={isSingle ? "radio" : "checkbox"} name={`${id}-choice`} checked={chosenIds.includes(row.externalId)} onChange={(event) => onToggle(row, event.target.checked)}
                className="mt-0.5 size-5 shrink-0 cursor-pointer accent-accent outline-none"
              />
              <span className="min-w-0 flex-1 break-words">
                {row.name}{row.status && row.status !== "ACTIVE" ? <Badge className="ml-2">{row.status.toLowerCase()}</Badge> : null}
                <span className="block text-[0.8125rem] text-ink-2">{row.path ? `${row.path} · ` : ""}<span className="tabular">{row.externalId}</span></span>
              </span>
            </label>
          </li>
        ))}
      </ul>
      {!isLoading && rows.length < total ? <Button size="small" className="justify-self-start" onClick={showMore}>Show more</Button> : null}
    </div>
  );
}
