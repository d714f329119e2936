import { type Chosen } from "@/components/forms/inventory-picker";
import { type InventoryChoice, type InventoryKind } from "@/lib/inventory/queries";
import { type ProductInput } from "@/lib/products/input";

export type PriceValues = ProductInput["pricingOptions"][number] & { rowKey: string };

/** A target of Google Ad Manager as its fields edit it: things with names instead of ids, numbers as text. */
export type GamValues = {
  adUnits: Chosen[];
  placements: Chosen[];
  includeDescendants: boolean;
  lineItemType: string;
  priority: string;
  sharePercent: string;
  maxVideoSeconds: string;
  keyValues: { key: Chosen; values: Chosen[]; operator: "IS" | "IS_NOT" }[];
};

export type TargetValues = { adapterConfigId: string; gam: GamValues };

export type EditorValues = Omit<ProductInput, "id" | "version" | "pricingOptions" | "targets"> & { pricingOptions: PriceValues[]; targets: TargetValues[] };

/** A stored target, loosely: what is missing or strange is shown as not chosen. */
export type GamConfig = {
  adUnitIds?: string[];
  placementIds?: string[];
  includeDescendants?: boolean;
  lineItemType?: string;
  priority?: number;
  sharePercent?: number;
  maxVideoSeconds?: number;
  customTargeting?: { keyId: string; valueIds: string[]; operator?: "IS" | "IS_NOT" }[];
  names?: Record<string, string>;
};

/** What the last sync says of the ids that targets name. */
export type KnownInventory = Partial<Record<InventoryKind, InventoryChoice[]>>;

export const NEW_GAM_VALUES: GamValues = { adUnits: [], placements: [], includeDescendants: true, lineItemType: "STANDARD", priority: "", sharePercent: "", maxVideoSeconds: "", keyValues: [] };

export function toGamValues(config: GamConfig, known: KnownInventory): GamValues {
  const find = (kind: InventoryKind, id: string): Chosen =>
    known[kind]?.find((item) => item.externalId === id) ?? { externalId: id, name: config.names?.[id] ?? id, path: null, isRetired: false, isUnknown: true };
  return {
    adUnits: (config.adUnitIds ?? []).map((id) => find("ad_unit", id)),
    placements: (config.placementIds ?? []).map((id) => find("placement", id)),
    includeDescendants: config.includeDescendants ?? true,
    lineItemType: config.lineItemType ?? NEW_GAM_VALUES.lineItemType,
    priority: textOf(config.priority),
    sharePercent: textOf(config.sharePercent),
    maxVideoSeconds: textOf(config.maxVideoSeconds),
    keyValues: (config.customTargeting ?? []).map(({ keyId, valueIds, operator = "IS" }) => ({ key: find("targeting_key", keyId), values: valueIds.map((id) => find("targeting_value", id)), operator })),
  };
}

export function toGamConfig(values: GamValues): Record<string, unknown> {
  const chosen = [...values.adUnits, ...values.placements, ...values.keyValues.flatMap(({ key, values: items }) => [key, ...items])];
  return {
    adUnitIds: values.adUnits.map((item) => item.externalId),
    placementIds: values.placements.map((item) => item.externalId),
    includeDescendants: values.includeDescendants,
    lineItemType: values.lineItemType,
    ...numberOf("priority", values.priority),
    ...numberOf("sharePercent", values.sharePercent),
    ...numberOf("maxVideoSeconds", values.maxVideoSeconds),
    customTargeting: values.keyValues.map(({ key, values: items, operator }) => ({ keyId: key.externalId, valueIds: items.map((item) => item.externalId), operator })),
    names: Object.fromEntries(chosen.map((item) => [item.externalId, item.path ?? item.name])),
  };
}

function textOf(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}

/** What is no number is sent as it was typed: the server says what is wrong with it. */
function numberOf(name: string, text: string): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed === "") return {};
  const number = Number(trimmed);
  return { [name]: Number.isNaN(number) ? trimmed : number };
}

const GAM_FIELDS: Readonly<Record<string, string>> = { config: "gam", adUnitIds: "adUnits", placementIds: "placements", customTargeting: "keyValues", valueIds: "values" };

/** The value that an error's path speaks of: `targets.0.config.adUnitIds` → what was chosen there. */
export function valueAt(values: EditorValues, path: string): unknown {
  return path.split(".").reduce<unknown>((value, step) => (typeof value === "object" && value !== null ? Reflect.get(value, GAM_FIELDS[step] ?? step) : undefined), values);
}
