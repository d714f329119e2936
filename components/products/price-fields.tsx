"use client";

import { Plus, Trash2 } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { type PriceValues } from "./editor-values";

const MODELS = [["cpm", "CPM: per thousand impressions"], ["cpc", "CPC: per click"], ["time", "Per day of the flight"], ["flat_rate", "Flat: for the whole flight"]] as const;
const TYPES = [["fixed", "Fixed price"], ["auction", "Auction from a floor"]] as const;
const PRICE_LABELS = { cpm: "per thousand", cpc: "per click", time: "per day", flat_rate: "for the whole flight" } as const;

let made = 0;

export function newPrice(currency: string): PriceValues {
  made += 1;
  return { rowKey: `new-${made}`, pricingOptionId: "", pricingModel: "cpm", currency, priceType: "fixed", price: "", minSpend: "" };
}

/** The prices of a product. `error` is given paths such as `pricingOptions.0.price`. */
export function PriceFields({ prices, defaultCurrency, isDisabled, error, onChange }: {
  prices: PriceValues[];
  defaultCurrency: string;
  isDisabled: boolean;
  error: (path: string) => string | undefined;
  onChange: (prices: PriceValues[]) => void;
}) {
  const change = (index: number, changes: Partial<PriceValues>) => onChange(prices.map((price, position) => (position === index ? { ...price, ...changes } : price)));
  return (
    <div className="grid gap-4">
      {prices.map((price, index) => {
        const at = (field: string) => `pricingOptions.${index}.${field}`;
        return (
          <fieldset key={price.rowKey} className="grid min-w-0 gap-3 rounded-md border border-line p-3 pt-2">
            <legend className="px-1 text-[0.8125rem] font-medium">Price {index + 1}</legend>
            <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              <Field label="Model" name={at("pricingModel")} error={error(at("pricingModel"))}>
                {(control) => (
                  <Select {...control} disabled={isDisabled} value={price.pricingModel} onChange={(event) => change(index, { pricingModel: pick(MODELS, event.target.value) })}>
                    {MODELS.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
                  </Select>
                )}
              </Field>
              <Field label="Sold at" name={at("priceType")} error={error(at("priceType"))}>
                {(control) => (
                  <Select {...control} disabled={isDisabled} value={price.priceType} onChange={(event) => change(index, { priceType: pick(TYPES, event.target.value) })}>
                    {TYPES.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
                  </Select>
                )}
              </Field>
              <Field label="Currency" name={at("currency")} required error={error(at("currency"))}>
                {(control) => <Input {...control} disabled={isDisabled} value={price.currency} maxLength={3} autoCapitalize="characters" autoComplete="off" className="uppercase" onChange={(event) => change(index, { currency: event.target.value })} />}
              </Field>
              <Field label={`${price.priceType === "fixed" ? "Price" : "Floor"} ${PRICE_LABELS[price.pricingModel]}`} name={at("price")} required error={error(at("price"))}>
                {(control) => <Input {...control} disabled={isDisabled} value={price.price} inputMode="decimal" autoComplete="off" className="tabular text-right" onChange={(event) => change(index, { price: event.target.value })} />}
              </Field>
              <Field label="Least a package must spend" name={at("minSpend")} error={error(at("minSpend"))}>
                {(control) => <Input {...control} disabled={isDisabled} value={price.minSpend} inputMode="decimal" autoComplete="off" placeholder="No minimum" className="tabular text-right" onChange={(event) => change(index, { minSpend: event.target.value })} />}
              </Field>
              <Field label="Id for buyers" name={at("pricingOptionId")} error={error(at("pricingOptionId"))}>
                {(control) => <Input {...control} disabled={isDisabled} readOnly={!price.rowKey.startsWith("new-")} value={price.pricingOptionId} maxLength={64} autoComplete="off" spellCheck={false} placeholder="Made when saved" className="font-mono text-xs" onChange={(event) => change(index, { pricingOptionId: event.target.value })} />}
              </Field>
            </div>
            {isDisabled ? null : (
              <Button variant="ghost" size="small" className="justify-self-start" disabled={prices.length === 1} onClick={() => onChange(prices.filter((_price, position) => position !== index))} aria-label={`Remove price ${index + 1}`}>
                <Trash2 aria-hidden />Remove
              </Button>
            )}
          </fieldset>
        );
      })}
      {error("pricingOptions") ? <p className="text-[0.8125rem] text-danger">{error("pricingOptions")}</p> : null}
      {isDisabled ? null : <Button size="small" className="justify-self-start" disabled={prices.length >= 20} onClick={() => onChange([...prices, newPrice(prices[0]?.currency ?? defaultCurrency)])}><Plus aria-hidden />Add a price</Button>}
    </div>
  );
}

function pick<Id extends string>(choices: readonly (readonly [Id, string])[], value: string): Id {
  const found = choices.find(([id]) => id === value);
  if (!found) throw new Error(`Invariant broken: ${value} is no choice`);
  return found[0];
}
