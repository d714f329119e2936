import { and, eq, inArray } from "drizzle-orm";
import { z } from "zod";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { KIND_OF, LIST_FIELDS, LIST_WORDS, type ListField, listRef, type PackageHold } from "./fields";
import { type Inventory, judge } from "./match";
import { inventoryLists, packageLists } from "./schema";
import { type KnownList, useList } from "./use";

/**
 * Lists in the targeting of packages. A product is sold whole, so a package keeps to its lists when they leave room for all of it, and stands
 * still while they do not, or while nobody has read them. Ad servers never see a list.
 */

/** Distinct lists of one request. */
const LISTS_MAX = 20;

/** A list that a package names. */
export type PackageList = { field: ListField; list: KnownList };
/** By the package's place in the request: `packages[0]`. */
export type PackageLists = ReadonlyMap<string, PackageList[]>;

const namingPackage = z.looseObject({ targeting_overlay: z.record(z.string(), z.unknown()).optional() });
const namingRequest = z.looseObject({ packages: z.array(namingPackage).optional(), new_packages: z.array(namingPackage).optional() });
type Named = { path: string; field: ListField; ref: unknown };

/** What is known of the lists that the packages of this request name. What is not is read in the background once this transaction is done. */
export async function loadPackageLists(ctx: Ctx, session: BuyerSession, request: Record<string, unknown>): Promise<PackageLists> {
  const lists = new Map<string, PackageList[]>();
  for (const named of distinct(namedLists(request))) {
    const [first] = named;
    const list = await useList(ctx, session, KIND_OF[first.field], first.ref, `${first.path}.targeting_overlay.${first.field}`, true);
    for (const { path, field } of named) lists.set(path, [...(lists.get(path) ?? []), { field, list }]);
  }
  return lists;
}

function namedLists(request: Record<string, unknown>): Named[] {
  const parsed = namingRequest.safeParse(request);
  if (!parsed.success) return [];
  const of = (name: "packages" | "new_packages") => (parsed.data[name] ?? []).flatMap(({ targeting_overlay: targeting }, index): Named[] =>
    LIST_FIELDS.flatMap((field) => (targeting?.[field] === undefined ? [] : [{ path: `${name}[${index}]`, field, ref: targeting[field] }])));
  return [...of("packages"), ...of("new_packages")];
}

/** Each list once, in one order for all requests: they lock what they name. */
function distinct(all: Named[]): [Named, ...Named[]][] {
  const lists = new Map<string, [Named, ...Named[]]>();
  for (const named of all) {
    const { path, field, ref } = named;
    const parsed = listRef.safeParse(ref);
    const key = JSON.stringify(parsed.success ? [KIND_OF[field], parsed.data.agent_url, parsed.data.list_id] : ["", path, field]);
    const others = lists.get(key);
    if (others && tokenOf(others[0].ref) !== tokenOf(ref)) throw new AppError("VALIDATION_ERROR", `The same ${LIST_WORDS[KIND_OF[field]]} is named with two tokens.`, { field: `${path}.targeting_overlay.${field}.auth_token`, suggestion: "Send one auth_token for a list." });
    if (others) others.push(named);
    else lists.set(key, [named]);
    if (lists.size > LISTS_MAX) throw new AppError("VALIDATION_ERROR", `A request names at most ${LISTS_MAX} lists.`, { field: `${path}.targeting_overlay.${field}`, suggestion: "Send several requests." });
  }
  return [...lists].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, named]) => named);
}

function tokenOf(ref: unknown): string | undefined {
  return listRef.safeParse(ref).data?.auth_token;
}

/**
 * Whether a package may run under its lists: null, or why it stands still until they are read. Throws where a list that is known and valid
 * leaves no room for it, and where the product does not say what a list could be held against.
 * @param inventory undefined: sold before this was noted
 */
export function agreeLists(lists: readonly PackageList[] | undefined, inventory: Inventory | undefined, path: string): PackageHold | null {
  const holds = (lists ?? []).map(({ field, list }) => {
    const at = `${path}.targeting_overlay.${field}`;
    const known = assertComparable(field, inventory, at);
    const found = holdBy({ field, entries: list.entries, failure: list.failure }, known);
    if (found && list.entries !== null && list.isCurrent) throw refusal(found, at);
    return found;
  });
  return weightiest(holds);
}

/** Of several reasons one is shown: what a list says counts before what is not known yet. */
export function weightiest(holds: readonly (PackageHold | null)[]): PackageHold | null {
  const found = holds.filter((hold) => hold !== null);
  return found.find(({ reason }) => reason !== "unread" && reason !== "unreadable") ?? found.find(({ reason }) => reason === "unreadable") ?? found[0] ?? null;
}

/** Throws when nothing is known that this kind of list could be held against: then it can never be kept to. */
function assertComparable(field: ListField, inventory: Inventory | undefined, at: string): Inventory {
  const refuse = (message: string, suggestion: string) => new AppError("UNSUPPORTED_FEATURE", message, { field: at, suggestion });
  if (!inventory) throw refuse("It is not known where this package runs: it was sold before that was noted.", "Add a package of the same product with new_packages.");
  if (field === "property_list") {
    if (inventory.domains.length === 0) throw refuse("This product does not say on which properties it runs.", "Choose a product whose publisher_properties name its domains.");
    return inventory;
  }
  if (inventory.collections.length === 0) throw refuse("This product names no collections: no list of them can be kept to.", "Choose a product with collections, or leave the list out.");
  const unnamed = inventory.collections.find(({ identifiers }) => identifiers.length === 0);
  if (field === "collection_list_exclude" && unnamed) throw refuse(`The collection ${unnamed.name} of this product has no identifiers by which a list could exclude it.`, "Choose another product, or leave the list out.");
  return inventory;
}

/** Why a package stands still because of one list; null: it does not. */
export function holdBy({ field, entries, failure }: { field: ListField; entries: readonly string[] | null; failure: string | null }, inventory: Inventory): PackageHold | null {
  const what = LIST_WORDS[KIND_OF[field]];
  if (entries !== null) {
    const mismatch = judge(field, entries, inventory);
    return mismatch ? { field, ...mismatch } : null;
  }
  if (failure !== null) return { field, reason: "unreadable", message: `The ${what} could not be read: ${failure}` };
  return { field, reason: "unread", message: `The ${what} is being read from its agent.` };
}

/** The buyer's to mend, at once: the list says so now. */
function refusal({ field, reason, message }: PackageHold, at: string): AppError {
  const options = { field: at, suggestion: field === "property_list" ? "Find products within the list: get_products with this property_list." : "Choose a product with other collections.", details: { reason: `${field}_${reason}` } };
  return reason === "partial_match" ? new AppError("UNSUPPORTED_FEATURE", message, options) : new AppError("PRODUCT_UNAVAILABLE", message, options);
}

/** Rows for the lists of new packages. */
export function packageListRows(ctx: Ctx, { id: packageId, mediaBuyId }: { id: string; mediaBuyId: string }, lists: readonly PackageList[]): (typeof packageLists.$inferInsert)[] {
  return lists.map(({ field, list }) => ({ tenantId: ctx.tenantId, packageId, field, mediaBuyId, listId: list.id, createdAt: ctx.now }));
}

/** Targeting is replaced as a whole: the package keeps to these lists, and to no other. */
export async function replacePackageLists(ctx: Ctx, row: { id: string; mediaBuyId: string }, lists: readonly PackageList[]): Promise<void> {
  await ctx.db.delete(packageLists).where(and(eq(packageLists.tenantId, ctx.tenantId), eq(packageLists.packageId, row.id)));
  if (lists.length > 0) await ctx.db.insert(packageLists).values(packageListRows(ctx, row, lists));
}

export type KeptList = Pick<typeof inventoryLists.$inferSelect, "state" | "entries" | "error"> & { packageId: string; field: ListField };

/** The lists that packages of these orders keep to, with what they said last. */
export async function loadKeptLists(ctx: Ctx, mediaBuyIds: string[]): Promise<KeptList[]> {
  return ctx.db.select({
    packageId: packageLists.packageId, field: packageLists.field, state: inventoryLists.state, entries: inventoryLists.entries, error: inventoryLists.error,
  }).from(packageLists)
    .innerJoin(inventoryLists, and(eq(inventoryLists.tenantId, packageLists.tenantId), eq(inventoryLists.id, packageLists.listId)))
    .where(and(eq(packageLists.tenantId, ctx.tenantId), inArray(packageLists.mediaBuyId, mediaBuyIds)))
    .orderBy(packageLists.packageId, packageLists.field);
}
