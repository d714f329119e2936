import { createHash } from "node:crypto";
import { isVisible, type Call } from "./call";
import { ApiError, invalidField } from "./errors";
import { parseFilter } from "./filter";
import { compileFilter, fieldPath, requiredEqualities, valuesAt, type FilterTarget } from "./filter-match";
import type { Json, JsonObject } from "./json";
import type { NetworkState } from "./store";
import type { Row, Table } from "./table";
import { findField, findMessage } from "./schema";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

export interface Listing extends FilterTarget {
  /** Key of the rows in the answer. */
  plural: string;
  table: Table;
  render: (network: NetworkState, row: Row, now: Date) => JsonObject;
  /** Limits the list beyond the caller's filter, as a parent does. */
  within?: { field: string; value: string };
}

interface Entry {
  row: Row;
  resource: JsonObject;
}

export function listPage(call: Call, listing: Listing): JsonObject {
  const filter = call.query.get("filter") ?? "";
  const orderBy = call.query.get("orderBy") ?? "";
  const digest = createHash("sha256").update(JSON.stringify([call.network.code, listing.plural, listing.within?.value, filter, orderBy])).digest("base64url").slice(0, 16);
  const pageSize = Math.min(readCount(call, "pageSize") || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
  const offset = readPageToken(call.query.get("pageToken"), digest) + readCount(call, "skip");
  const entries = findEntries(call, listing, filter);
  sortEntries(entries, orderBy, listing);
  const page = entries.slice(offset, offset + pageSize);
  const answer: JsonObject = {};
  if (page.length > 0) answer[listing.plural] = page.map((entry) => entry.resource);
  if (offset + pageSize < entries.length) answer["nextPageToken"] = writePageToken(offset + pageSize, digest);
  if (call.responseMask?.has("totalSize") || call.responseMask?.has("*")) answer["totalSize"] = entries.length;
  return answer;
}

function findEntries(call: Call, listing: Listing, text: string): Entry[] {
  const filter = text.trim() === "" ? undefined : parseFilter(text);
  const matches = filter && compileFilter(filter, listing);
  const entries: Entry[] = [];
  for (const row of chooseRows(listing, filter && requiredEqualities(filter, listing))) {
    if (!isVisible(row, call.now)) continue;
    if (listing.within && row.resource[listing.within.field] !== listing.within.value) continue;
    const resource = listing.render(call.network, row, call.now);
    if (!matches || matches(resource)) entries.push({ row, resource });
  }
  return entries;
}

function chooseRows(listing: Listing, equalities: ReadonlyMap<string, string> | undefined): Iterable<Row> {
  if (listing.within && listing.table.isIndexed(listing.within.field)) return listing.table.findBy(listing.within.field, listing.within.value);
  const named = listing.table.get(equalities?.get("name") ?? "");
  if (named) return [named];
  const [narrowest] = [...(equalities ?? [])]
    .filter(([field]) => listing.table.isIndexed(field))
    .sort((a, b) => listing.table.countBy(...a) - listing.table.countBy(...b));
  return narrowest ? listing.table.findBy(...narrowest) : listing.table.all();
}

function sortEntries(entries: Entry[], orderBy: string, listing: Listing): void {
  if (orderBy.trim() === "") return;
  const keys = orderBy.split(",").map((part) => readSortKey(part.trim(), listing));
  entries.sort((a, b) => {
    for (const { path, direction } of keys) {
      const order = compareValues(valuesAt(a.resource, path)[0], valuesAt(b.resource, path)[0]);
      if (order !== 0) return order * direction;
    }
    return 0;
  });
}

function readSortKey(text: string, listing: Listing): { path: string; direction: 1 | -1 } {
  const match = /^([A-Za-z][\w.]*)(?:\s+(asc|desc))?$/.exec(text);
  const path = fieldPath(match?.[1] ?? "", listing);
  const field = listing.fields.includes(path) ? findField(listing.message, path) : undefined;
  if (!match || !field || field.isRepeated || findMessage(field.type)) throw invalidField("orderBy", `Cannot order by '${text}'.`);
  return { path, direction: match[2] === "desc" ? -1 : 1 };
}

function compareValues(a: Json | undefined, b: Json | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const [left, right] = [String(a), String(b)];
  if (/^-?\d+$/.test(left) && /^-?\d+$/.test(right)) return Number(left) - Number(right);
  return left < right ? -1 : Number(left > right);
}

function readCount(call: Call, parameter: string): number {
  const text = call.query.get(parameter);
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,9}$/.test(text)) throw invalidField(parameter, `Invalid value at '${parameter}' (TYPE_INT32), "${text}"`);
  return Number(text);
}

function writePageToken(offset: number, digest: string): string {
  return Buffer.from(`${offset}:${digest}`).toString("base64url");
}

function readPageToken(token: string | undefined, digest: string): number {
  if (token === undefined || token === "") return 0;
  const [offset = "", boundTo] = Buffer.from(token, "base64url").toString("utf8").split(":");
  if (!/^\d+$/.test(offset) || boundTo !== digest) {
    const description = "The page token is invalid, or the other parameters differ from the call that gave it.";
    throw new ApiError("INVALID_ARGUMENT", description, {
      violations: [{ field: "pageToken", description, reason: "COMMON_ERROR_INVALID_PAGE_TOKEN" }],
    });
  }
  return Number(offset);
}
