import type { JsonObject } from "./json";
import type { Collection, Row } from "./table";

export interface SeedNetwork {
  code: string;
  displayName: string;
  currencyCode: string;
  timeZone: string;
  site: string;
}

/** Rows of a seed were last changed long before any test. */
export const seedTime = "2026-01-05T09:00:00Z";

export class SeedBuilder {
  readonly rows: [Collection, Row][] = [];
  readonly parent: string;
  private readonly lastIds = new Map<Collection, number>();

  constructor(readonly definition: SeedNetwork, readonly random: () => number) {
    this.parent = `networks/${definition.code}`;
  }

  /** A fresh id: distinct networks draw from distinct ranges, as in one global sequence. */
  nextId(collection: Collection, first: number): string {
    const base = first + (Number(this.definition.code) % 100) * 1_000_003;
    const id = (this.lastIds.get(collection) ?? base) + 1 + Math.floor(this.random() * 40);
    this.lastIds.set(collection, id);
    return String(id);
  }

  add(collection: Collection, name: string, resource: JsonObject): string {
    this.rows.push([collection, { name, resource: { name, ...resource }, hidden: {} }]);
    return name;
  }
}
