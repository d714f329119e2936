import { parseAsString, parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";

/** State of the list of tests and syncs, kept in its address. `connection` is the id of one connection. */
export const syncJobParams = {
  ...listParams(["created", "connection"], "created", "desc"),
  state: parseAsStringLiteral(["all", "open", "succeeded", "failed"] as const).withDefault("all"),
  connection: parseAsString,
  runs: parseAsStringLiteral(["folded", "each"] as const).withDefault("folded"),
};
