"use client";

import { type ComponentProps, useId } from "react";
import { Input } from "@/components/ui/input";

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

/** A time zone by its full name; the browser suggests the ones there are. */
export function TimeZoneInput(props: ComponentProps<"input">) {
  const listId = useId();
  return (
    <>
      <Input list={listId} autoComplete="off" spellCheck={false} {...props} />
      <datalist id={listId}>{ZONES.map((zone) => <option key={zone} value={zone} />)}</datalist>
    </>
  );
}
