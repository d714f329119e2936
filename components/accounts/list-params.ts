import { parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";

/** State of the accounts list, kept in its address. */
export const accountParams = {
  ...listParams(["name", "buyer", "created"], "name", "asc"),
  show: parseAsStringLiteral(["all", "unmapped"] as const).withDefault("all"),
};
