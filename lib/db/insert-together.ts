import { getTableColumns, getTableName, sql, type SQL } from "drizzle-orm";
import { type PgTable } from "drizzle-orm/pg-core";
import { sendAlong, type Tx } from "./client";

/** Rows of one table, all with the same fields. */
export type Rows = { table: PgTable; rows: Record<string, unknown>[] };

export function rowsOf<Table extends PgTable>(table: Table, rows: Table["$inferInsert"][]): Rows {
  return { table, rows };
}

const texts = new Map<string, { before: string; after: string }>();

/**
 * Inserts rows of several tables in one statement, whose text depends on the tables alone: it stays prepared however many rows there are.
 * Foreign keys among them hold, because they are checked when the statement ends. Fields left out get their defaults. It is sent along:
 * what it violates fails the transaction at its end.
 */
export function insertTogether(db: Tx, batches: Rows[]): void {
  const parts: SQL[] = [];
  for (const { table, rows } of batches) {
    const [first] = rows;
    if (!first) continue;
    const { before, after } = textOf(table, Object.keys(first));
    parts.push(sql`${sql.raw(`${parts.length === 0 ? "with" : ","} i${parts.length} as (${before}`)}${toJson(rows)}${sql.raw(after)}`);
  }
  if (parts.length > 0) sendAlong(db, sql`${sql.join(parts)} select 1`);
}

/** Objects travel under the names of their fields: the record's columns are renamed in the statement. */
function textOf(table: PgTable, fields: string[]): { before: string; after: string } {
  const name = getTableName(table);
  const key = `${name} ${fields.join()}`;
  const known = texts.get(key);
  if (known) return known;
  const columns = getTableColumns(table);
  const used = fields.map((field) => {
    const column = columns[field];
    if (!column) throw new Error(`The table ${name} has no field ${field}.`);
    return { field, name: column.name, type: column.getSQLType() };
  });
  const list = used.map((column) => `"${column.name}"`).join(", ");
  const text = {
    before: `insert into "${name}" (${list}) select ${used.map(({ field }) => `"${field}"`).join(", ")} from jsonb_to_recordset(`,
    after: `::jsonb) as r(${used.map(({ field, type }) => `"${field}" ${type}`).join(", ")}))`,
  };
  texts.set(key, text);
  return text;
}

function toJson(rows: Record<string, unknown>[]): string {
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
