"use client";

import { Search } from "lucide-react";
import { debounce, useQueryStates } from "nuqs";
import { useId, useTransition } from "react";
import { Input } from "@/components/ui/input";
import { cn } from "@/components/ui/cn";
import { listParams } from "./list-params";

const TYPING_PAUSE_MS = 300;

// The same in every list.
const { search, page } = listParams([""], "", "asc");

/** Text search of a list, kept in its address. A plain GET form until its script has loaded. */
export function ListSearch({ label, className }: { label: string; className?: string }) {
  const id = useId();
  const [isPending, startTransition] = useTransition();
  const [state, setState] = useQueryStates({ search, page }, { shallow: false, startTransition });
  return (
    <form role="search" method="get" className={cn("relative w-full max-w-xs", className)} onSubmit={(event) => event.preventDefault()} aria-busy={isPending}>
      <label htmlFor={id} className="sr-only">{label}</label>
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-2" />
      <Input
        id={id}
        type="search"
        name="search"
        placeholder={label}
        value={state.search}
        maxLength={200}
        className="pl-8"
        onChange={(event) => void setState({ search: event.target.value || null, page: null }, { limitUrlUpdates: debounce(TYPING_PAUSE_MS) })}
      />
    </form>
  );
}
