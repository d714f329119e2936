"use client";

import { Check, ChevronsUpDown } from "lucide-react";
import Link from "next/link";
import { Menu, MenuItem, MenuLabel } from "@/components/ui/menu";
import { publisherPath } from "./navigation";

export type PublisherChoice = { slug: string; name: string };

export function PublisherSwitcher({ current, publishers }: { current: PublisherChoice; publishers: PublisherChoice[] }) {
  if (publishers.length < 2) return <p className="truncate px-2 py-1.5 font-semibold" title={current.name}>{current.name}</p>;
  return (
    <Menu
      align="start"
      label="Publishers"
      trigger={
        <button type="button" className="flex w-full items-center gap-2 rounded-md px-2 py-1.5 text-left font-semibold hover:bg-surface-3/70">
          <span className="min-w-0 flex-1 truncate">{current.name}<span className="sr-only">, change publisher</span></span>
          <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-2" />
        </button>
      }
    >
      <MenuLabel>Publishers</MenuLabel>
      {publishers.map((publisher) => (
        <MenuItem key={publisher.slug} asChild>
          <Link href={publisherPath(publisher.slug, "approvals")} aria-current={publisher.slug === current.slug ? "true" : undefined}>
            <span className="flex-1 truncate">{publisher.name}</span>
            {publisher.slug === current.slug ? <Check aria-hidden /> : null}
          </Link>
        </MenuItem>
      ))}
    </Menu>
  );
}
