import { z } from "zod";
import { type AppliedOrder, type ExternalKind } from "../types";
import { type CreativeFields } from "./creatives";
import { type LineItemFields } from "./line-items";

/**
 * What `applied` of an external object says: exactly what our last successful write set. Whatever is missing counts as unknown and
 * is written again, so an emptied snapshot (`{}`) makes the next plan restore our values.
 */
export type OrderSnapshot = { displayName: string; poNumber: string | null; advertiserId: string | null; externalOrderNumber: number; approvedPackageIds: string[]; isArchived: boolean };
/** `startsAt` is the start that was sold; `startTime` what was written, later when the sold one was too near. */
export type LineItemSnapshot = { fields: LineItemFields; startsAt: string; startTime: string | null; isPaused: boolean; isArchived: boolean };
export type CreativeSnapshot = { advertiserId: string | null; fields: CreativeFields };
export type AssociationSnapshot = { lineItemId: string; creativeId: string; weight: number | null; isActive: boolean };

const record = z.record(z.string(), z.unknown());
/** Fields are compared with what is wanted one by one: here they need no more form than an object's. */
const fieldsOf = <T extends object>() => record.transform((value) => value as Partial<T>).optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

export const orderSnapshotSchema = z.object({
  displayName: text, poNumber: z.string().nullable().optional().catch(undefined), advertiserId: z.string().nullable().optional().catch(undefined),
  externalOrderNumber: z.number().optional().catch(undefined), approvedPackageIds: z.array(z.string()).optional().catch(undefined), isArchived: flag,
});
export const lineItemSnapshotSchema = z.object({
  fields: fieldsOf<LineItemFields>(), startsAt: text, startTime: z.string().nullable().optional().catch(undefined), isPaused: flag, isArchived: flag,
});
export const creativeSnapshotSchema = z.object({ advertiserId: z.string().nullable().optional().catch(undefined), fields: fieldsOf<CreativeFields>() });
export const associationSnapshotSchema = z.object({ lineItemId: text, creativeId: text, weight: z.number().nullable().optional().catch(undefined), isActive: flag });

export type KnownOrder = { externalId: string; snapshot: z.infer<typeof orderSnapshotSchema> };
export type KnownLineItem = { externalId: string; snapshot: z.infer<typeof lineItemSnapshotSchema> };
export type KnownCreative = { externalId: string; snapshot: z.infer<typeof creativeSnapshotSchema> };
/** `externalId` is `<line item>/<creative>`, as in the association's resource name. */
export type KnownAssociation = { ourKey: string; externalId: string; snapshot: z.infer<typeof associationSnapshotSchema> };

export type Known = {
  order: KnownOrder | undefined;
  lineItems: Map<string, KnownLineItem>;
  creatives: Map<string, KnownCreative>;
  associations: Map<string, KnownAssociation>;
};

export function readApplied({ objects }: AppliedOrder): Known {
  const of = (kind: ExternalKind) => objects.filter((object) => object.kind === kind);
  const [order] = of("order").map(({ externalId, applied }) => ({ externalId, snapshot: orderSnapshotSchema.parse(applied) }));
  return {
    order,
    lineItems: new Map(of("line_item").map(({ ourKey, externalId, applied }) => [ourKey, { externalId, snapshot: lineItemSnapshotSchema.parse(applied) }])),
    creatives: new Map(of("creative").map(({ ourKey, externalId, applied }) => [ourKey, { externalId, snapshot: creativeSnapshotSchema.parse(applied) }])),
    associations: new Map(of("association").map(({ ourKey, externalId, applied }) => [ourKey, { ourKey, externalId, snapshot: associationSnapshotSchema.parse(applied) }])),
  };
}

/** Each order has its own copy of a creative. */
export function creativeKey(fulfilmentId: string, creativeId: string): string {
  return `${fulfilmentId}:${creativeId}`;
}

export function associationKey(packageId: string, creativeId: string): string {
  return `${packageId}:${creativeId}`;
}
