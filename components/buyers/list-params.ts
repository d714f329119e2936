import { parseAsString, parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";

/** State of the list of buyers, kept in its address. */
export const buyerParams = {
  ...listParams(["name", "created"], "name", "asc"),
  state: parseAsStringLiteral(["active", "archived"] as const).withDefault("active"),
};

/** State of a buyer's calls. Their order is fixed: newest first. */
export const callParams = {
  ...listParams(["at"], "at", "desc"),
  show: parseAsStringLiteral(["all", "failed"] as const).withDefault("all"),
  tool: parseAsString.withDefault(""),
};
