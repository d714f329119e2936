"use client";

import { useEffect, useRef, useState } from "react";
import { useAdminAction } from "@/components/forms/action-form";
import { ActionStatus } from "@/components/forms/action-status";
import { useOpened } from "@/components/forms/use-opened";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Notice } from "@/components/ui/notice";
import { type AdminAction } from "@/lib/auth/action-state";
import { type EditorValues, toGamConfig, valueAt } from "./editor-values";
import { type LineItemTypeChoice } from "./gam-target-fields";
import { PriceFields } from "./price-fields";
import { BuyerCard, type EditorFormat, type EditorPart, FormatsCard, SaleCard } from "./product-cards";
import { type EditorConnection, TargetsCard } from "./targets-card";

/** Makes a product, or changes the one it was opened with. What was typed survives whatever the server answers. */
export function ProductEditor({ action, saved, version, id, formats, connections, lineItemTypes, defaultCurrency, isReviewedByDefault, canEdit }: {
  action: AdminAction;
  /** As it is stored now. */
  saved: EditorValues;
  version?: number;
  id?: string;
  formats: EditorFormat[];
  connections: EditorConnection[];
  lineItemTypes: LineItemTypeChoice[];
  defaultCurrency: string;
  isReviewedByDefault: boolean;
  canEdit: boolean;
}) {
  const { opened, hasMoved, markSaved } = useOpened({ saved, version }, (thing) => thing.version);
  const [edited, setEdited] = useState({ version: opened.version, values: opened.saved });
  // A save of this form begins it anew with what is stored now: new prices have their ids.
  if (edited.version !== opened.version) setEdited({ version: opened.version, values: opened.saved });
  const { values } = edited;
  const [submitted, setSubmitted] = useState(values);
  const { state, isPending, submit } = useAdminAction(action, markSaved);
  const form = useRef<HTMLFormElement>(null);
  const lastFocused = useRef<Element | null>(null);

  useEffect(() => {
    if (!isPending && document.activeElement === document.body && lastFocused.current instanceof HTMLElement) lastFocused.current.focus();
  }, [isPending]);
  useEffect(() => {
    if (state.status === "invalid") form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [state]);

  const part: EditorPart = {
    values,
    isDisabled: !canEdit,
    // What was wrong with a field, until it is changed.
    error: (path) => (state.status === "invalid" && valueAt(values, path) === valueAt(submitted, path) ? state.fieldErrors[path] : undefined),
    change: (changes) => setEdited((before) => ({ ...before, values: { ...before.values, ...changes } })),
  };

  function save() {
    lastFocused.current = document.activeElement;
    setSubmitted(values);
    submit({
      ...values, ...(id === undefined ? {} : { id, version: opened.version }),
      pricingOptions: values.pricingOptions.map(({ rowKey: _key, ...price }) => price),
      targets: values.targets.map(({ adapterConfigId, gam }) => ({ adapterConfigId, config: toGamConfig(gam) })),
    });
  }

  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isPending) save();
      }}
    >
      {/* Nothing can be typed while it is saved: what is shown afterwards is what was stored. */}
      <div inert={isPending} className="grid gap-5">
        {hasMoved ? <Notice tone="warning" title="Somebody saved this product while you had it open">Reload the page to see it as it is now. What you typed is still here, and cannot be saved over it.</Notice> : null}
        <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <BuyerCard {...part} isNew={id === undefined} />
          <div className="grid gap-5">
            <SaleCard {...part} isReviewedByDefault={isReviewedByDefault} />
            <FormatsCard {...part} formats={formats} />
          </div>
        </div>
        <Card title="Prices" description="A price that was sold is kept as it was: changing it makes a new one with an id of its own.">
          <PriceFields prices={values.pricingOptions} defaultCurrency={defaultCurrency} isDisabled={!canEdit} error={part.error} onChange={(pricingOptions) => part.change({ pricingOptions })} />
        </Card>
        <TargetsCard {...part} connections={connections} lineItemTypes={lineItemTypes} />
      </div>
      <div className={canEdit ? "sticky bottom-0 z-10 -mx-4 mt-5 grid gap-3 border-t border-line bg-canvas px-4 py-3 lg:-mx-6 lg:px-6" : undefined}>
        <ActionStatus state={state} />
        {canEdit ? <div><Button type="submit" variant="primary" isPending={isPending}>{id === undefined ? "Create product" : "Save"}</Button></div> : null}
      </div>
    </form>
  );
}
