"use client";

import { Search } from "lucide-react";
import { useQueryStates } from "nuqs";
import { type SubmitEvent, useEffect, useId, useRef, useState, useTransition } from "react";
import { Input } from "@/components/ui/input";
import { cn } from "@/components/ui/cn";
import { listParams } from "./list-params";

const TYPING_PAUSE_MS = 300;

// The same in every list.
const { search, page } = listParams([""], "", "asc");

/**
 * Text search of a list, kept in its address. A plain GET form until its script has loaded. What was typed is searched for after a pause,
 * on Enter, and before anything else on the page is used: a search that came later would take back where a click has led.
 */
export function ListSearch({ label, className }: { label: string; className?: string }) {
  const id = useId();
  const [isPending, startTransition] = useTransition();
  const [state, setState] = useQueryStates({ search, page }, { shallow: false, startTransition });
  const [typed, setTyped] = useState(state.search);
  const [known, setKnown] = useState(state.search);
  if (known !== state.search) {
    setKnown(state.search);
    setTyped(state.search);
  }
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(pause.current), []);

  const searchFor = (text: string) => {
    clearTimeout(pause.current);
    if (text !== state.search) void setState({ search: text || null, page: null });
  };
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(pause.current);
    pause.current = setTimeout(searchFor, TYPING_PAUSE_MS, text);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    searchFor(typed);
  };
  return (
    <form role="search" method="get" className={cn("relative w-full max-w-xs", className)} onSubmit={submit} aria-busy={isPending}>
      <label htmlFor={id} className="sr-only">{label}</label>
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-2" />
      <Input id={id} type="search" name="search" placeholder={label} value={typed} maxLength={200} className="pl-8" onChange={(event) => type(event.target.value)} onBlur={() => searchFor(typed)} />
    </form>
  );
}
