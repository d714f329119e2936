import { z } from "zod";
import type { JsonObject } from "./json";

export const collections = [
  "users",
  "companies",
  "adUnits",
  "placements",
  "customTargetingKeys",
  "customTargetingValues",
  "orders",
  "lineItems",
  "creatives",
  "associations",
  "reports",
] as const;
export type Collection = (typeof collections)[number];

/** What the ad server knows of a row and the wire does not show. */
const hiddenSchema = z.object({
  /** Reads pass the row over until this instant (epoch ms). */
  visibleAt: z.number().optional(),
  isApproved: z.boolean().optional(),
  isPaused: z.boolean().optional(),
  isReserved: z.boolean().optional(),
  isInactive: z.boolean().optional(),
  /** When it was able to deliver (epoch ms); the last one may be open. */
  deliveringSpans: z.array(z.object({ from: z.number(), to: z.number().optional() })).optional(),
});
export type Hidden = z.infer<typeof hiddenSchema>;

export const rowSchema = z.object({
  name: z.string(),
  resource: z.custom<JsonObject>((value) => typeof value === "object" && value !== null),
  hidden: hiddenSchema,
});
export type Row = z.infer<typeof rowSchema>;

/** Fields with an index: the look-ups that a client repeats, and those that rules need. */
const indexedFields: Partial<Record<Collection, readonly string[]>> = {
  users: ["email"],
  customTargetingValues: ["customTargetingKey"],
  orders: ["externalOrderId", "advertiser"],
  lineItems: ["order", "externalLineItemId"],
  creatives: ["advertiser"],
  associations: ["lineItem", "creative"],
};

/** Rows in the order of their creation, by resource name. Rows are replaced, never changed in place. */
export class Table {
  private readonly rows = new Map<string, Row>();
  private readonly indexes: ReadonlyMap<string, Map<string, Set<string>>>;

  constructor(collection: Collection) {
    this.indexes = new Map((indexedFields[collection] ?? []).map((field) => [field, new Map()]));
  }

  get size(): number {
    return this.rows.size;
  }

  get(name: string): Row | undefined {
    return this.rows.get(name);
  }

  all(): Iterable<Row> {
    return this.rows.values();
  }

  isIndexed(field: string): boolean {
    return this.indexes.has(field);
  }

  findBy(field: string, value: string): Row[] {
    const names = this.indexes.get(field)?.get(value) ?? [];
    const rows: Row[] = [];
    for (const name of names) {
      const row = this.rows.get(name);
      if (row) rows.push(row);
    }
    return rows;
  }

  countBy(field: string, value: string): number {
    return this.indexes.get(field)?.get(value)?.size ?? 0;
  }

  put(row: Row): void {
    const before = this.rows.get(row.name);
    this.rows.set(row.name, row);
    for (const [field, index] of this.indexes) {
      const was = before && indexKey(before, field);
      const is = indexKey(row, field);
      if (was === is && before) continue;
      if (was !== undefined) index.get(was)?.delete(row.name);
      if (is === undefined) continue;
      const names = index.get(is);
      if (names) names.add(row.name);
      else index.set(is, new Set([row.name]));
    }
  }

  delete(name: string): void {
    const row = this.rows.get(name);
    if (!row) return;
    this.rows.delete(name);
    for (const [field, index] of this.indexes) {
      const key = indexKey(row, field);
      if (key !== undefined) index.get(key)?.delete(name);
    }
  }
}

function indexKey(row: Row, field: string): string | undefined {
  const value = row.resource[field];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
