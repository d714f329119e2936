import { listConnections } from "@/lib/ad-servers/connection-queries";
import { gamTargetSchema, LINE_ITEM_TYPES } from "@/lib/ad-servers/gam/config";
import { type Ctx } from "@/lib/context";
import { FORMATS } from "@/lib/creatives/formats";
import { findInventory, type InventoryChoice } from "@/lib/inventory/queries";
import { loadSettings } from "@/lib/tenants/settings";
import { type GamConfig, type KnownInventory } from "@/components/products/editor-values";

/** What every product editor offers to choose from. */
export async function loadEditorChoices(ctx: Ctx) {
  const connections = await listConnections(ctx);
  const settings = await loadSettings(ctx);
  return {
    formats: FORMATS.map(({ id, name, kind }) => ({ id, name, kind })),
    connections: connections.map(({ id, name, mode, currency, status }) => ({ id, name, mode, currency, status })),
    lineItemTypes: Object.entries(LINE_ITEM_TYPES).map(([id, type]) => ({ id, ...type })),
    defaultCurrency: settings.defaultCurrency,
    isReviewedByDefault: settings.isReviewRequired,
  };
}

/** A stored Ad Manager target with the names of what it points to. One that cannot be read is shown empty, to be chosen anew. */
export async function loadGamTarget(ctx: Ctx, adapterConfigId: string, stored: Record<string, unknown>): Promise<{ config: GamConfig; known: KnownInventory }> {
  const parsed = gamTargetSchema.safeParse(stored);
  if (!parsed.success) return { config: {}, known: {} };
  const config = parsed.data;
  const keyValues = config.customTargeting ?? [];
  const find = (kind: "ad_unit" | "placement" | "targeting_key" | "targeting_value", externalIds: string[]): Promise<InventoryChoice[]> => findInventory(ctx, { adapterConfigId, kind, externalIds });
  const [adUnits, placements, keys, values] = await Promise.all([
    find("ad_unit", config.adUnitIds), find("placement", config.placementIds),
    find("targeting_key", keyValues.map((entry) => entry.keyId)), find("targeting_value", keyValues.flatMap((entry) => entry.valueIds)),
  ]);
  return { config, known: { ad_unit: adUnits, placement: placements, targeting_key: keys, targeting_value: values } };
}
