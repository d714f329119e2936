import { createParser, parseAsNumberLiteral, parseAsString, parseAsStringLiteral } from "nuqs/server";

export const PAGE_SIZES = [10, 25, 50, 100] as const;

/** Anything but a page number is page 1. */
const parseAsPage = createParser({
  parse: (text) => (/^[1-9]\d{0,3}$/.test(text) ? Number(text) : null),
  serialize: String,
});

/** What a list is searched for. */
export const searchParam = parseAsString.withDefault("");

/**
 * The state that every list keeps in its address, for the server's loader and the client's controls alike. `sorts` are the literal
 * keys that the query maps to columns; unknown ones fall back to the default.
 */
export function listParams<const Sort extends string>(sorts: readonly Sort[], defaultSort: NoInfer<Sort>, defaultDirection: "asc" | "desc") {
  return {
    search: searchParam,
    sort: parseAsStringLiteral(sorts).withDefault(defaultSort),
    direction: parseAsStringLiteral(["asc", "desc"] as const).withDefault(defaultDirection),
    page: parseAsPage.withDefault(1),
    pageSize: parseAsNumberLiteral(PAGE_SIZES).withDefault(25),
  };
}

export type ListParams<Sort extends string = never> = ReturnType<typeof listParams<Sort>>;
