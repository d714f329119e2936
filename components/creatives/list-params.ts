import { parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";

// Written out: importing the list itself would bring the schema into the browser.
export const LIBRARY_TABS = ["current", "pending_review", "approved", "rejected", "archived"] as const;

/** State of the list of creatives, kept in its address. */
export const libraryParams = {
  ...listParams(["updatedAt", "name", "buyer"], "updatedAt", "desc"),
  status: parseAsStringLiteral(LIBRARY_TABS).withDefault("current"),
};
