import { createParser, parseAsInteger, parseAsString, parseAsStringLiteral } from "nuqs/server";
import { AUDITED_KINDS } from "@/lib/audit/kinds";

const parseAsDay = createParser({ parse: (text) => (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null), serialize: String });

/** What of the audit log is shown, kept in its address. */
export const auditParams = {
  who: parseAsString.withDefault(""),
  kind: parseAsStringLiteral(AUDITED_KINDS),
  object: parseAsString.withDefault(""),
  from: parseAsDay.withDefault(""),
  to: parseAsDay.withDefault(""),
  before: parseAsInteger,
};
