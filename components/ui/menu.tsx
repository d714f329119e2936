"use client";

import { DropdownMenu } from "radix-ui";
import { type ComponentProps, type ReactNode } from "react";
import { cn } from "./cn";

/** A button's menu. Items are MenuItem (give `asChild` for links). */
export function Menu({ trigger, children, align = "end", label }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end"; label?: string }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      {/* Not in a portal: there it would stand outside every landmark. Its position is fixed, so nothing clips it. */}
      <DropdownMenu.Content align={align} sideOffset={6} collisionPadding={8} aria-label={label} className="z-50 max-h-[var(--radix-dropdown-menu-content-available-height)] min-w-52 overflow-y-auto rounded-lg border border-line bg-surface p-1 shadow-pop">
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

const ITEM = "flex min-h-8 w-full cursor-pointer items-center gap-2 rounded px-2.5 py-1.5 text-left text-sm outline-none data-highlighted:bg-surface-3 data-disabled:cursor-not-allowed data-disabled:opacity-50 [&_svg]:size-4 [&_svg]:text-ink-2";

export function MenuItem({ className, ...props }: ComponentProps<typeof DropdownMenu.Item>) {
  return <DropdownMenu.Item className={cn(ITEM, className)} {...props} />;
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2.5 py-1.5 text-xs text-ink-2">{children}</DropdownMenu.Label>;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}

export function MenuRadioGroup(props: ComponentProps<typeof DropdownMenu.RadioGroup>) {
  return <DropdownMenu.RadioGroup {...props} />;
}

export function MenuRadioItem({ className, children, ...props }: ComponentProps<typeof DropdownMenu.RadioItem>) {
  return (
    <DropdownMenu.RadioItem className={cn(ITEM, "pl-7 relative", className)} {...props}>
      <DropdownMenu.ItemIndicator className="absolute left-2.5"><span aria-hidden className="block size-2 rounded-full bg-accent" /></DropdownMenu.ItemIndicator>
      {children}
    </DropdownMenu.RadioItem>
  );
}
