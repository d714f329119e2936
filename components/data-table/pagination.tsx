"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import { useId } from "react";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/input";
import { PAGE_SIZES } from "./list-params";

type PageSize = (typeof PAGE_SIZES)[number];

export function Pagination({ page, pageSize, total, shown, onChange }: {
  page: number;
  pageSize: PageSize;
  total: number;
  /** Rows on this page. */
  shown: number;
  onChange: (next: { page: number; pageSize?: PageSize }) => void;
}) {
  const selectId = useId();
  const first = shown === 0 ? 0 : (page - 1) * pageSize + 1;
  const last = Math.max(1, Math.ceil(total / pageSize));
  return (
    <nav aria-label="Pages" className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-t border-line px-4 py-2.5 text-[0.8125rem] text-ink-2">
      <p className="tabular">{first === 0 ? "Nothing on this page" : `${first.toLocaleString("en-US")}–${(first + shown - 1).toLocaleString("en-US")}`} of {total.toLocaleString("en-US")}</p>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="flex items-center gap-2">
          <label htmlFor={selectId}>Rows</label>
          <Select id={selectId} className="w-20" value={pageSize} onChange={(event) => {
            const size = PAGE_SIZES.find((choice) => choice === Number(event.target.value));
            if (size) onChange({ page: 1, pageSize: size });
          }}>
            {PAGE_SIZES.map((size) => <option key={size} value={size}>{size}</option>)}
          </Select>
        </div>
        <div className="flex items-center gap-1.5">
          <Button size="icon" aria-label="Previous page" disabled={page <= 1} onClick={() => onChange({ page: Math.min(page - 1, last) })}><ChevronLeft aria-hidden /></Button>
          <span className="tabular px-1">Page {page} of {last}</span>
          <Button size="icon" aria-label="Next page" disabled={page >= last} onClick={() => onChange({ page: page + 1 })}><ChevronRight aria-hidden /></Button>
        </div>
      </div>
    </nav>
  );
}
