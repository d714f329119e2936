import { isDeepStrictEqual } from "node:util";
import { and, eq, inArray, isNull } from "drizzle-orm";
import { adServerDeclaration } from "../ad-servers/registry";
import { adapterConfigs } from "../ad-servers/schema";
import { type DesiredLine } from "../ad-servers/types";
import { type Ctx } from "../context";
import { findFormat, SOURCE_OF } from "../creatives/formats";
import { type FieldErrors } from "../field-errors";
import { newId } from "../ids";
import { MICROS } from "../money";
import { addMs, DAY_MS } from "../time";
import { type ProductInput } from "./input";
import { productTargets } from "./schema";

type Target = { adapterConfigId: string; config: Record<string, unknown> };
export type TargetChange = { upsert: Target[]; remove: string[] };

/**
 * Checks each target against its ad server's own schema and abilities. A target that is new or changed needs a verified connection;
 * one that stays as it is may stay on a connection that is being tested again.
 */
export async function planTargets(ctx: Ctx, productId: string | undefined, input: ProductInput, errors: FieldErrors): Promise<TargetChange> {
  const ids = input.targets.map((target) => target.adapterConfigId);
  // Locked, so that a connection cannot be archived under a target that is being saved.
  const connections = ids.length === 0 ? [] : await ctx.db.select().from(adapterConfigs)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), inArray(adapterConfigs.id, ids), isNull(adapterConfigs.archivedAt))).for("share");
  const existing = productId ? await ctx.db.select().from(productTargets).where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.productId, productId))) : [];
  const change: TargetChange = { upsert: [], remove: existing.map((row) => row.adapterConfigId).filter((id) => !ids.includes(id)) };

  input.targets.forEach((target, index) => {
    const at = `targets.${index}`;
    const connection = connections.find((row) => row.id === target.adapterConfigId);
    if (!connection) return errors.add(`${at}.adapterConfigId`, "This connection does not exist any more.");
    if (ids.indexOf(target.adapterConfigId) !== index) return errors.add(`${at}.adapterConfigId`, "This connection is already mapped above.");
    const declaration = adServerDeclaration(connection.kind);
    const parsed = declaration.productTargetSchema.safeParse(target.config);
    if (!parsed.success) return errors.addIssues(`${at}.config`, parsed.error);
    checkAbilities(input, connection.name, declaration.capabilities, errors);
    if (!input.pricingOptions.some((option) => option.currency === connection.currency)) {
      errors.add(`${at}.adapterConfigId`, `${connection.name} sells in ${connection.currency}; none of this product's prices is in ${connection.currency}.`);
    }
    const config = parsed.data;
    for (const line of sampleLines(input, connection.currency, config, ctx.now)) {
      for (const problem of declaration.checkLine(line)) errors.add(`${at}.config`, problem.message);
    }
    const stored = existing.find((row) => row.adapterConfigId === connection.id);
    if (stored && isDeepStrictEqual(declaration.productTargetSchema.safeParse(stored.config).data, config)) return;
    if (connection.status !== "verified") return errors.add(`${at}.adapterConfigId`, `${connection.name} is not verified yet. Products can be mapped to it once its test has passed.`);
    change.upsert.push({ adapterConfigId: connection.id, config });
  });

  // Each connection would book a package's whole units: what was sold once would be delivered twice (decision 010).
  if (input.targets.length > 1) errors.add("targets.1.adapterConfigId", "A product is booked on one ad server: a second one would deliver its whole goal again. Untick one of them, or make another product for it.");

  if (connections.length > 0) {
    const currencies = connections.map((connection) => connection.currency);
    input.pricingOptions.forEach((option, index) => {
      if (!currencies.includes(option.currency)) errors.add(`pricingOptions.${index}.currency`, `No ad server that this product is mapped to sells in ${option.currency} (${[...new Set(currencies)].join(", ")}).`);
    });
  }
  return change;
}

export async function applyTargets(ctx: Ctx, productId: string, change: TargetChange): Promise<void> {
  if (change.remove.length > 0) {
    await ctx.db.delete(productTargets).where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.productId, productId), inArray(productTargets.adapterConfigId, change.remove)));
  }
  for (const target of change.upsert) {
    await ctx.db.insert(productTargets).values({ tenantId: ctx.tenantId, productId, ...target, createdAt: ctx.now, updatedAt: ctx.now })
      .onConflictDoUpdate({ target: [productTargets.tenantId, productTargets.productId, productTargets.adapterConfigId], set: { config: target.config, updatedAt: ctx.now } });
  }
}

/** A package of each price, as it would be sold: what the ad server cannot express is refused here, not when the first order comes. */
function sampleLines(input: ProductInput, currency: string, target: Record<string, unknown>, now: Date): DesiredLine[] {
  return input.pricingOptions.filter((option) => option.currency === currency).map((option) => ({
    packageId: newId(now.getTime()), name: input.name, productName: input.name, target, deliveryType: input.deliveryType, pricingModel: option.pricingModel,
    rateMicros: (10n * MICROS).toString(), budgetMicros: (10_000n * MICROS).toString(), currency, units: "1000",
    startsAt: addMs(now, DAY_MS).toISOString(), endsAt: addMs(now, 31 * DAY_MS).toISOString(), pacing: "even", isPaused: false, isHeld: false, isCanceled: false, targeting: {},
    placeholders: input.formatIds.flatMap((formatId) => {
      const format = findFormat(formatId);
      return format ? [{ width: format.width, height: format.height, kind: format.kind }] : [];
    }),
    creatives: [],
  }));
}

function checkAbilities(input: ProductInput, connectionName: string, capabilities: { pricingModels: string[]; creativeSources: string[] }, errors: FieldErrors): void {
  input.pricingOptions.forEach((option, index) => {
    if (!capabilities.pricingModels.includes(option.pricingModel)) errors.add(`pricingOptions.${index}.pricingModel`, `${connectionName} cannot express this pricing model.`);
  });
  for (const formatId of input.formatIds) {
    const format = findFormat(formatId);
    if (format && !capabilities.creativeSources.includes(SOURCE_OF[format.type])) errors.add("formatIds", `${connectionName} cannot serve ${format.name}.`);
  }
}
