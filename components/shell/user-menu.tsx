"use client";

import { ChevronsUpDown, LogOut } from "lucide-react";
import { startTransition, useState } from "react";
import { Menu, MenuItem, MenuLabel, MenuRadioGroup, MenuRadioItem, MenuSeparator } from "@/components/ui/menu";
import { parseTheme, type Theme, THEME_COOKIE } from "./theme";

const ROLE_NAMES = { admin: "Administrator", trafficker: "Trafficker", viewer: "Viewer" } as const;

export type Person = { name: string; email: string; role: keyof typeof ROLE_NAMES };

export function UserMenu({ person, theme, signOut }: { person: Person; theme: Theme; signOut: () => Promise<void> }) {
  const [chosen, setChosen] = useState(theme);
  const choose = (value: string) => {
    const next = parseTheme(value);
    setChosen(next);
    document.cookie = `${THEME_COOKIE}=${next}; path=/; max-age=31536000; samesite=lax`;
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
  };
  return (
    <Menu
      align="start"
      label="Your account"
      trigger={
        <button type="button" className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left hover:bg-surface-3/70">
          <span aria-hidden className="grid size-7 shrink-0 place-items-center rounded-full bg-surface-3 text-xs font-semibold uppercase">{initials(person.name)}</span>
          <span className="min-w-0 flex-1">
            <span className="block truncate text-[0.8125rem] font-medium">{person.name}</span>
            <span className="block truncate text-xs text-ink-2">{ROLE_NAMES[person.role]}</span>
          </span>
          <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-2" />
        </button>
      }
    >
      <MenuLabel>{person.email}</MenuLabel>
      <MenuSeparator />
      <MenuLabel>Appearance</MenuLabel>
      <MenuRadioGroup value={chosen} onValueChange={choose}>
        <MenuRadioItem value="system">As the system</MenuRadioItem>
        <MenuRadioItem value="light">Light</MenuRadioItem>
        <MenuRadioItem value="dark">Dark</MenuRadioItem>
      </MenuRadioGroup>
      <MenuSeparator />
      <MenuItem onSelect={() => startTransition(() => signOut())}><LogOut aria-hidden />Sign out</MenuItem>
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => word?.charAt(0) ?? "").join("");
}
