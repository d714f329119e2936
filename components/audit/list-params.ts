import { createParser, parseAsInteger, parseAsString, parseAsStringLiteral } from "nuqs/server";
import { AUDITED_KINDS } from "@/lib/audit/kinds";
import { isDay } from "@/lib/delivery/days";

const parseAsDay = createParser({ parse: (text) => (isDay(text) ? text : null), serialize: String });

/** What of the audit log is shown, kept in its address. */
export const auditParams = {
  who: parseAsString.withDefault(""),
  kind: parseAsStringLiteral(AUDITED_KINDS),
  object: parseAsString.withDefault(""),
  from: parseAsDay.withDefault(""),
  to: parseAsDay.withDefault(""),
  before: parseAsInteger,
};
