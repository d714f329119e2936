"use client";

import { Command } from "cmdk";
import { Building, CornerDownLeft, Search } from "lucide-react";
import { useRouter } from "next/navigation";
import { Dialog as RadixDialog } from "radix-ui";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { navigationFor, publisherPath } from "./navigation";
import { type PublisherChoice } from "./publisher-switcher";

const ITEM = "flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm data-[selected=true]:bg-surface-3 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-2";
const GROUP = "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-2";

/** Ctrl/Cmd-K: every screen, every publisher, and a search of media buys. */
export function CommandPalette({ publisher, publishers, isAdmin }: { publisher: string; isAdmin: boolean; publishers: PublisherChoice[] }) {
  const router = useRouter();
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      setOpen((open) => !open);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const go = (path: string) => {
    setOpen(false);
    setText("");
    router.push(path);
  };
  const wanted = text.trim();
  const isMediaBuyId = /^mb_[0-9a-z]{26}$/.test(wanted);

  return (
    <RadixDialog.Root open={isOpen} onOpenChange={setOpen}>
      <RadixDialog.Trigger asChild>
        <Button variant="secondary" size="small" className="w-full justify-start border-line font-normal text-ink-2" aria-keyshortcuts="Control+K Meta+K">
          <Search aria-hidden />
          <span className="flex-1 text-left">Go to or search</span>
          <kbd aria-hidden className="font-sans text-xs">Ctrl K</kbd>
        </Button>
      </RadixDialog.Trigger>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <RadixDialog.Content aria-describedby={undefined} className="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line bg-surface shadow-pop">
          <RadixDialog.Title className="sr-only">Go to or search</RadixDialog.Title>
          <Command label="Go to or search" loop>
            <div className="flex items-center gap-2.5 border-b border-line px-3.5">
              <Search aria-hidden className="size-4 shrink-0 text-ink-2" />
              <Command.Input value={text} onValueChange={setText} placeholder="A screen, an order's name or id" className="h-12 w-full bg-transparent text-sm outline-none placeholder:text-ink-2" />
            </div>
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5">
              {wanted ? (
                <Command.Group heading="Media buys" className={GROUP} forceMount>
                  {isMediaBuyId ? (
                    <PaletteItem value={`open ${wanted}`} onSelect={() => go(publisherPath(publisher, `media-buys/${wanted}`))}><CornerDownLeft aria-hidden />Open {wanted}</PaletteItem>
                  ) : (
                    <PaletteItem value={`search ${wanted}`} onSelect={() => go(`${publisherPath(publisher, "media-buys")}?search=${encodeURIComponent(wanted)}`)}><Search aria-hidden />Search media buys for “{wanted}”</PaletteItem>
                  )}
                </Command.Group>
              ) : null}
              <Command.Group heading="Screens" className={GROUP}>
                {navigationFor({ isAdmin }).map(({ path, label, icon: Icon }) => (
                  <PaletteItem key={path} value={label} onSelect={() => go(publisherPath(publisher, path))}><Icon aria-hidden />{label}</PaletteItem>
                ))}
              </Command.Group>
              {publishers.length > 1 ? (
                <Command.Group heading="Publishers" className={GROUP}>
                  {publishers.map(({ slug, name }) => (
                    <PaletteItem key={slug} value={`publisher ${name}`} onSelect={() => go(publisherPath(slug, "approvals"))}><Building aria-hidden />{name}</PaletteItem>
                  ))}
                </Command.Group>
              ) : null}
            </Command.List>
          </Command>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

function PaletteItem({ value, onSelect, children }: { value: string; onSelect: () => void; children: ReactNode }) {
  return <Command.Item value={value} onSelect={onSelect} className={ITEM}>{children}</Command.Item>;
}
