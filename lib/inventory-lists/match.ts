import { type ListField, type PackageHold } from "./fields";

/** A program, show or publication that a product runs in, as its publisher declares it (core/collection-selector.json, core/collection.json). */
export type ProductCollection = {
  publisherDomain: string;
  collectionId: string;
  name: string;
  /** Ids that others know it by: `imdb_id:tt0903747`. */
  identifiers: string[];
};

/** What lists are held against: where a product runs. */
export type Inventory = { domains: readonly string[]; collections: readonly ProductCollection[] };

/** Whether a list holds a domain (core/identifier.json): `a.com` stands for itself, www.a.com and m.a.com; `*.a.com` for everything below it. */
export function listHolds(list: ReadonlySet<string>, domain: string): boolean {
  const name = domain.toLowerCase();
  if (list.has(name)) return true;
  const base = /^(?:www|m)\.(.+)$/.exec(name)?.[1];
  if (base !== undefined && list.has(base)) return true;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) if (list.has(`*.${name.slice(dot + 1)}`)) return true;
  return false;
}

/** Entries of collection lists. A source is what the list was made of: `isFiltered` when filters may have left some of it out. */
export const entryOf = {
  identifier: (type: string, value: string) => `${type}:${value}`,
  source: (domain: string, collectionId: string, isFiltered: boolean) => `${isFiltered ? "filtered" : "collection"}:${domain.toLowerCase()}/${collectionId}`,
  name: (name: string) => `name:${name.normalize("NFKC").trim().replaceAll(/\s+/g, " ").toLowerCase()}`,
};

/** Whether a list names a collection for certain: by an id of it, or by the publisher's own. */
function names(list: ReadonlySet<string>, { publisherDomain, collectionId, identifiers }: ProductCollection): boolean {
  return identifiers.some((id) => list.has(id)) || list.has(entryOf.source(publisherDomain, collectionId, false));
}

/** Whether a list may name a collection: for what must not air, a name is enough. */
function mayName(list: ReadonlySet<string>, collection: ProductCollection): boolean {
  return names(list, collection) || list.has(entryOf.source(collection.publisherDomain, collection.collectionId, true)) || list.has(entryOf.name(collection.name));
}

export type Mismatch = Pick<PackageHold, "reason" | "message">;

/**
 * What stands against a package's running under a list; undefined: nothing. A product is sold whole, so that a list it should run within
 * must hold all of it, and a list of what must not carry ads none of it.
 */
export function judge(field: ListField, entries: readonly string[], { domains, collections }: Inventory): Mismatch | undefined {
  const list = new Set(entries);
  if (field === "collection_list_exclude") {
    const hit = collections.filter((one) => mayName(list, one)).map(({ name }) => name);
    return hit.length === 0 ? undefined : { reason: "excluded", message: `The list excludes ${shorten(hit)}, where this product runs.` };
  }
  const [all, outside, what] = field === "property_list"
    ? [domains.length, domains.filter((domain) => !listHolds(list, domain)), "properties"]
    : [collections.length, collections.filter((one) => !names(list, one)).map(({ name }) => name), "collections"];
  if (outside.length === 0) return undefined;
  if (outside.length === all) return { reason: "no_match", message: `The list holds none of the ${what} that this product runs on.` };
  return { reason: "partial_match", message: `This product runs on all of its ${what}, and the list leaves out ${shorten(outside)}.` };
}

function shorten(names: string[]): string {
  return `${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`;
}
