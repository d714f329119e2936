import type { Call } from "../call";
import type { JsonObject } from "../json";
import type { NetworkState } from "../store";
import type { Collection, Hidden, Row } from "../table";

/** What all kinds of resource share: how they are named, listed, filtered and shown. */
export interface ResourceKind {
  collection: Collection;
  message: string;
  /** Key of one resource in a batch's requests. */
  singular: string;
  /** Key of the resources in lists and batch answers. */
  plural: string;
  filterFields: readonly string[];
  /** The resource as the wire shows it, computed fields included. */
  render: (network: NetworkState, row: Row, now: Date) => JsonObject;
}

export interface Draft {
  name: string;
  resource: JsonObject;
  hidden: Hidden;
}

export interface WritableKind extends ResourceKind {
  /** Checks a new resource by the rules beyond the schema and completes it. */
  build: (call: Call, input: JsonObject, path: string) => Draft;
  /** Checks the resource as it will be after an update, and returns what is stored of it. */
  revise: (call: Call, before: Row, after: JsonObject, input: JsonObject, path: string) => Omit<Draft, "name">;
}

export function showStored(_network: NetworkState, row: Row): JsonObject {
  return row.resource;
}
