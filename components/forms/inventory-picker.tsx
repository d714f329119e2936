"use client";

import { Plus, TriangleAlert, X } from "lucide-react";
import { useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FieldError } from "@/components/ui/field";
import { type InventoryChoice } from "@/lib/inventory/queries";
import { InventoryList } from "./inventory-list";
import { type InventorySource } from "./use-inventory-search";

/** What a picker shows of a thing that was chosen. `isUnknown`: the last sync did not find it. */
export type Chosen = Pick<InventoryChoice, "externalId" | "name" | "path" | "isRetired"> & { isUnknown?: boolean };

/** Several things of the ad server's inventory: what is chosen, and a dialog to choose more. */
export function InventoryPicker({ source, label, noun, hint, error, chosen, isDisabled = false, onChange }: {
  source: InventorySource;
  label: string;
  noun: string;
  hint?: string;
  error?: string;
  chosen: Chosen[];
  isDisabled?: boolean;
  onChange: (chosen: Chosen[]) => void;
}) {
  const id = useId();
  const add = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const remove = (externalId: string) => {
    onChange(chosen.filter((item) => item.externalId !== externalId));
    add.current?.focus();
  };
  return (
    <div role="group" aria-labelledby={`${id}-label`} aria-describedby={[hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined} className="grid content-start gap-1.5">
      <p id={`${id}-label`} className="text-[0.8125rem] font-medium">{label}</p>
      {hint ? <p id={`${id}-hint`} className="-mt-1 text-[0.8125rem] text-ink-2">{hint}</p> : null}
      {chosen.length > 0 ? (
        <ul aria-label={`Chosen ${noun}`} className="grid divide-y divide-line rounded-md border border-line">
          {chosen.map((item) => (
            <li key={item.externalId} className="flex items-center gap-2 py-1 pr-1 pl-3">
              <span className="min-w-0 flex-1">
                <span className="block break-words">{item.path ?? item.name}</span>
                {item.isRetired || item.isUnknown ? (
                  <span className="flex items-start gap-1 text-[0.8125rem] text-warning">
                    <TriangleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
                    {item.isRetired ? "Retired in the ad server: orders of this product will be refused there." : "Not found by the last inventory sync."}
                  </span>
                ) : null}
              </span>
              <span className="tabular text-[0.8125rem] text-ink-2 max-sm:hidden">{item.externalId}</span>
              {isDisabled ? null : <Button variant="ghost" size="icon" aria-label={`Remove ${item.name}`} onClick={() => remove(item.externalId)}><X aria-hidden /></Button>}
            </li>
          ))}
        </ul>
      ) : null}
      {isDisabled ? (chosen.length === 0 ? <p className="text-ink-2">None</p> : null) : (
        <Dialog
          open={isOpen} onOpenChange={setOpen} title={`Choose ${noun}`} description="As of the last inventory sync."
          trigger={<Button ref={add} size="small" className="justify-self-start" aria-invalid={error ? true : undefined}><Plus aria-hidden />{chosen.length > 0 ? `Change ${noun}` : `Choose ${noun}`}</Button>}
        >
          <InventoryList
            source={source} noun={noun} chosenIds={chosen.map((item) => item.externalId)}
            onToggle={(choice, isChosen) => onChange(isChosen ? [...chosen, choice] : chosen.filter((item) => item.externalId !== choice.externalId))}
          />
          <div className="flex items-center justify-between gap-3 border-t border-line pt-4">
            <p role="status" className="text-ink-2">{chosen.length} chosen</p>
            <Button variant="primary" onClick={() => setOpen(false)}>Done</Button>
          </div>
        </Dialog>
      )}
      {error ? <FieldError id={`${id}-error`}>{error}</FieldError> : null}
    </div>
  );
}
