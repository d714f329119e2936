import { z } from "zod";
import { type CreativeFields, type CreativeType, type Size } from "./creatives";
import { type LineItemFields } from "./line-items";
import { type AssociationSnapshot, type CreativeSnapshot, type LineItemSnapshot, type OrderSnapshot } from "./snapshots";

/**
 * What `plan` asks of `execute`. Payloads hold ids where they were known when planning and natural keys where not: an operation
 * finds what earlier ones of the same plan created. `snapshot` is what `applied` says once the operation is done.
 */

/** Written by `plan` and read back from our own table: their form is that of the types. */
const own = <T>() => z.custom<T>((value) => typeof value === "object" && value !== null);

const advertiserRef = z.object({ id: z.string().nullable(), name: z.string().nullable() });
export type AdvertiserRef = z.infer<typeof advertiserRef>;

const orderRef = z.object({ orderId: z.string().nullable(), externalOrderNumber: z.number().int(), suffix: z.string(), advertiser: advertiserRef });
export type OrderRef = z.infer<typeof orderRef>;

const lineItemRef = z.object({ packageId: z.string(), externalLineItemId: z.string(), lineItemId: z.string().nullable() });
export type LineItemRef = z.infer<typeof lineItemRef>;

const flags = z.object({ allowOverbook: z.boolean(), skipInventoryCheck: z.boolean() });
export type InventoryFlags = z.infer<typeof flags>;

const newLineItem = z.object({ ref: lineItemRef, startsAt: z.string(), fields: own<LineItemFields>() });
export type NewLineItem = z.infer<typeof newLineItem>;

const lineItemState = z.object({ ref: lineItemRef, isApproved: z.boolean(), snapshot: own<Partial<LineItemSnapshot>>() });
export type LineItemState = z.infer<typeof lineItemState>;

const lineItemChange = z.object({
  ref: lineItemRef,
  /** Keys of LineItemFields. */
  changed: z.array(z.custom<keyof LineItemFields>((value) => typeof value === "string")),
  /** The same as paths of an update mask. */
  mask: z.array(z.string()),
  isStartChanged: z.boolean(),
  snapshot: own<Partial<LineItemSnapshot> & { fields: LineItemFields }>(),
});
export type LineItemChange = z.infer<typeof lineItemChange>;

const newCreative = z.object({ ourKey: z.string(), suffix: z.string(), fields: own<CreativeFields>() });
export type NewCreative = z.infer<typeof newCreative>;

const newAssociation = z.object({
  ourKey: z.string(),
  ref: lineItemRef,
  creative: z.object({ externalId: z.string().nullable(), suffix: z.string(), size: own<Size>(), type: z.custom<CreativeType>((value) => typeof value === "string") }),
  weight: z.number().nullable(),
  /** The association that this one takes over from, as `<line item>/<creative>`. */
  replaces: z.string().nullable(),
});
export type NewAssociation = z.infer<typeof newAssociation>;

export const OPERATIONS = {
  "create-advertiser": z.object({ name: z.string() }),
  "create-order": z.object({ ourKey: z.string(), order: orderRef, snapshot: own<OrderSnapshot>() }),
  "create-line-items": z.object({ order: orderRef, flags, items: z.array(newLineItem) }),
  "create-creatives": z.object({ advertiser: advertiserRef, items: z.array(newCreative) }),
  "associate-creatives": z.object({ order: orderRef, items: z.array(newAssociation) }),
  "approve-order": z.object({ ourKey: z.string(), order: orderRef, flags, lineItems: z.array(lineItemRef), snapshot: own<Partial<OrderSnapshot>>() }),
  "update-order": z.object({ ourKey: z.string(), orderId: z.string(), changed: z.array(z.enum(["displayName", "poNumber"])), snapshot: own<Partial<OrderSnapshot>>() }),
  "update-line-items": z.object({ flags, items: z.array(lineItemChange) }),
  "update-creatives": z.object({ items: z.array(z.object({ ourKey: z.string(), externalId: z.string(), snapshot: own<CreativeSnapshot>() })) }),
  "pause-line-items": z.object({ order: orderRef, items: z.array(lineItemState) }),
  "resume-line-items": z.object({ order: orderRef, flags, items: z.array(lineItemState) }),
  "archive-line-items": z.object({ order: orderRef, items: z.array(lineItemState) }),
  "archive-order": z.object({ ourKey: z.string(), orderId: z.string(), snapshot: own<Partial<OrderSnapshot>>() }),
  "deactivate-associations": z.object({ items: z.array(z.object({ ourKey: z.string(), externalId: z.string(), snapshot: own<Partial<AssociationSnapshot>>() })) }),
} as const;

export type OperationKind = keyof typeof OPERATIONS;
export type Payload<K extends OperationKind> = z.infer<(typeof OPERATIONS)[K]>;

/** Things in one batch: Ad Manager takes 100, but approves no more than 50 line items at once. */
export const CHUNK_SIZE = 50;
