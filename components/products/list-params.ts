import { parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";

/** State of the products list, kept in its address. */
export const productParams = {
  ...listParams(["position", "name", "updated", "created"], "position", "asc"),
  state: parseAsStringLiteral(["selling", "archived"] as const).withDefault("selling"),
};
