"use client";

import { Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { InventoryList } from "@/components/forms/inventory-list";
import { InventoryPicker } from "@/components/forms/inventory-picker";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Checkbox, Input, Select } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type GamValues } from "./editor-values";

export type LineItemTypeChoice = { id: string; label: string; priority: { usual: number; min: number; max: number }; goal: "amount" | "share"; reservesInventory: boolean };

/** Where and as what a product runs in Google Ad Manager. `error` is given paths below this target's config. */
export function GamTargetFields({ connectionId, values, types, isGuaranteed, isDisabled, error, onChange }: {
  connectionId: string;
  values: GamValues;
  types: LineItemTypeChoice[];
  isGuaranteed: boolean;
  isDisabled: boolean;
  error: (field: string) => string | undefined;
  onChange: (values: GamValues) => void;
}) {
  const id = useId();
  const change = (changes: Partial<GamValues>) => onChange({ ...values, ...changes });
  const type = types.find((candidate) => candidate.id === values.lineItemType);
  return (
    <div className="grid gap-5">
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <Field label="Type of line item" name={`${id}-type`} required error={error("lineItemType")} hint={type?.reservesInventory ? "Reserves inventory." : "Reserves no inventory."}>
          {(control) => <Select {...control} disabled={isDisabled} value={values.lineItemType} onChange={(event) => change({ lineItemType: event.target.value, priority: "", sharePercent: "" })}>{types.map((choice) => <option key={choice.id} value={choice.id}>{choice.label}</option>)}</Select>}
        </Field>
        <Field label="Priority" name={`${id}-priority`} error={error("priority")} hint={type ? `${type.priority.min} to ${type.priority.max}. Empty: ${type.priority.usual}.` : undefined}>
          {(control) => <Input {...control} disabled={isDisabled} inputMode="numeric" autoComplete="off" value={values.priority} onChange={(event) => change({ priority: event.target.value })} className="tabular text-right" />}
        </Field>
        {type?.goal === "share" ? (
          <Field label="Share of impressions, in percent" name={`${id}-share`} error={error("sharePercent")} hint="Of each day. Empty: 100.">
            {(control) => <Input {...control} disabled={isDisabled} inputMode="numeric" autoComplete="off" value={values.sharePercent} onChange={(event) => change({ sharePercent: event.target.value })} className="tabular text-right" />}
          </Field>
        ) : null}
      </div>
      {type && isGuaranteed !== type.reservesInventory ? (
        <Notice tone="info">{isGuaranteed ? `${type.label} line items reserve no inventory, and this product is sold as guaranteed.` : `${type.label} line items reserve inventory, and this product is sold as not guaranteed.`}</Notice>
      ) : null}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <InventoryPicker source={{ connectionId, kind: "ad_unit" }} label="Ad units" noun="ad units" chosen={values.adUnits} isDisabled={isDisabled} error={error("adUnitIds")} onChange={(adUnits) => change({ adUnits })} />
        <InventoryPicker source={{ connectionId, kind: "placement" }} label="Placements" noun="placements" chosen={values.placements} isDisabled={isDisabled} error={error("placementIds")} onChange={(placements) => change({ placements })} />
      </div>
      <Checkbox label="With everything below the ad units" checked={values.includeDescendants} disabled={isDisabled} onChange={(event) => change({ includeDescendants: event.target.checked })} />
      <KeyValues connectionId={connectionId} values={values} isDisabled={isDisabled} error={error} onChange={(keyValues) => change({ keyValues })} />
      <Field label="Longest video or audio, in seconds" name={`${id}-video`} error={error("maxVideoSeconds")} hint="For video and audio products. Empty: as the formats say." className="max-w-xs">
        {(control) => <Input {...control} disabled={isDisabled} inputMode="numeric" autoComplete="off" value={values.maxVideoSeconds} onChange={(event) => change({ maxVideoSeconds: event.target.value })} className="tabular text-right" />}
      </Field>
    </div>
  );
}

function KeyValues({ connectionId, values, isDisabled, error, onChange }: { connectionId: string; values: GamValues; isDisabled: boolean; error: (field: string) => string | undefined; onChange: (keyValues: GamValues["keyValues"]) => void }) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const { keyValues } = values;
  return (
    <div role="group" aria-labelledby={`${id}-label`} className="grid gap-2">
      <p id={`${id}-label`} className="text-[0.8125rem] font-medium">Key-values</p>
      {keyValues.length === 0 ? <p className="text-[0.8125rem] text-ink-2">None: not narrowed by key-values.</p> : <p className="text-[0.8125rem] text-ink-2">All of them must hold.</p>}
      {keyValues.map((entry, index) => (
        <div key={entry.key.externalId} className="grid gap-3 rounded-md border border-line p-3">
          <div className="flex flex-wrap items-center gap-2">
            <span className="font-mono text-[0.8125rem] break-all">{entry.key.name}</span>
            <Select aria-label={`How ${entry.key.name} is matched`} className="w-36" disabled={isDisabled} value={entry.operator} onChange={(event) => onChange(keyValues.map((other, position) => (position === index ? { ...other, operator: event.target.value === "IS_NOT" ? "IS_NOT" : "IS" } : other)))}>
              <option value="IS">is any of</option>
              <option value="IS_NOT">is none of</option>
            </Select>
            {isDisabled ? null : <Button variant="ghost" size="small" className="ml-auto" aria-label={`Remove key ${entry.key.name}`} onClick={() => onChange(keyValues.filter((_entry, position) => position !== index))}><Trash2 aria-hidden />Remove</Button>}
          </div>
          <InventoryPicker
            source={{ connectionId, kind: "targeting_value", parentId: entry.key.externalId }} label={`Values of ${entry.key.name}`} noun="values" chosen={entry.values} isDisabled={isDisabled}
            error={error(`customTargeting.${index}.valueIds`)} onChange={(chosen) => onChange(keyValues.map((other, position) => (position === index ? { ...other, values: chosen } : other)))}
          />
        </div>
      ))}
      {isDisabled ? null : (
        <Dialog open={isOpen} onOpenChange={setOpen} title="Choose a key" description="As of the last inventory sync." trigger={<Button size="small" className="justify-self-start"><Plus aria-hidden />Add a key</Button>}>
          <InventoryList
            source={{ connectionId, kind: "targeting_key" }} noun="keys" isSingle chosenIds={keyValues.map((entry) => entry.key.externalId)}
            onToggle={(choice) => {
              if (!keyValues.some((entry) => entry.key.externalId === choice.externalId)) onChange([...keyValues, { key: choice, values: [], operator: "IS" }]);
              setOpen(false);
            }}
          />
        </Dialog>
      )}
    </div>
  );
}
