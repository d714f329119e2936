import { z } from "zod";

/** Ad Manager's resources as far as they are read here. Unknown fields are ignored: the API adds and retires some. */

const text = z.string().default("");
const flag = z.boolean().default(false);
/** int64 comes as a string, int32 as a number. */
const integer = z.union([z.string(), z.number()]).transform(String);

export const networkSchema = z.object({ name: z.string(), displayName: text, networkCode: text, timeZone: text, currencyCode: text, effectiveRootAdUnit: text, testNetwork: flag });
export const userSchema = z.object({ name: z.string(), displayName: text, email: text, active: z.boolean().default(true) });
export const companySchema = z.object({ name: z.string(), displayName: text, type: text, externalId: text });

export const orderSchema = z.object({
  name: z.string(), displayName: text, advertiser: text, trafficker: text, externalOrderId: z.number().default(0), poNumber: text, status: text, archived: flag, currencyCode: text,
});
export type RemoteOrder = z.infer<typeof orderSchema>;

export const sizeSchema = z.object({ width: z.number(), height: z.number(), sizeType: text });
export const moneySchema = z.object({ currencyCode: text, units: integer.default("0"), nanos: z.number().default(0) });

const names = z.array(z.string()).default([]);
const targetingSchema = z.object({
  inventoryTargeting: z.object({
    targetedAdUnits: z.array(z.object({ adUnit: text, includeDescendants: flag })).default([]),
    excludedAdUnits: z.array(z.unknown()).default([]),
    targetedPlacements: names,
  }).optional(),
  geoTargeting: z.object({ targetedGeos: names, excludedGeos: names }).optional(),
  customTargeting: z.object({
    customTargetingClauses: z.array(z.object({
      customTargetingLiterals: z.array(z.object({ customTargetingKey: text, customTargetingValues: names, negative: flag })).default([]),
    })).default([]),
  }).optional(),
});

export const lineItemSchema = z.object({
  name: z.string(), order: text, displayName: text, externalLineItemId: text, startTime: text, targetEndTime: text, lineItemType: text, priority: z.number().optional(),
  costType: text, rate: moneySchema.optional(), goal: z.object({ goalType: text, unitType: text, units: integer.default("0") }).optional(),
  deliveryRateType: text, creativeRotationType: text, environmentType: text, maxVideoCreativeDuration: text,
  creativePlaceholders: z.array(z.object({ size: sizeSchema })).default([]),
  frequencyCaps: z.array(z.object({ maxImpressions: integer.default("0"), timeAmount: integer.default("0"), timeUnit: text })).default([]),
  targeting: targetingSchema.optional(), status: text, archived: flag, missingCreatives: flag,
});
export type RemoteLineItem = z.infer<typeof lineItemSchema>;

/** Loose: the one key that holds a creative's details depends on its kind. */
export const creativeSchema = z.looseObject({ name: z.string(), displayName: text, advertiser: text, size: sizeSchema.optional() });
export type RemoteCreative = z.infer<typeof creativeSchema>;

export const associationSchema = z.object({ name: z.string(), lineItem: text, creative: text, status: text, manualCreativeRotationWeight: z.number().optional() });
export type RemoteAssociation = z.infer<typeof associationSchema>;

export const adUnitSchema = z.object({
  name: z.string(), displayName: text, adUnitCode: text, parentAdUnit: text, status: text, hasChildren: flag,
  parentPath: z.array(z.object({ parentAdUnit: text, displayName: text })).default([]),
  adUnitSizes: z.array(z.object({ size: sizeSchema, environmentType: text })).default([]),
});
export const placementSchema = z.object({ name: z.string(), displayName: text, description: text, status: text, targetedAdUnits: names });
export const targetingKeySchema = z.object({ name: z.string(), displayName: text, adTagName: text, type: text, status: text });
export const targetingValueSchema = z.object({ name: z.string(), displayName: text, adTagName: text, customTargetingKey: text, matchType: text, status: text });

/** The id at the end of a resource name; an id stays itself. */
export function idOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
