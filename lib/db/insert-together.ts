import { getTableColumns, getTableName } from "drizzle-orm";
import { type PgTable } from "drizzle-orm/pg-core";
import { sendText, type Tx } from "./client";

/** Rows of one table, all with the same fields. */
export type Rows = { table: PgTable; rows: Record<string, unknown>[] };

export function rowsOf<Table extends PgTable>(table: Table, rows: Table["$inferInsert"][]): Rows {
  return { table, rows };
}

type Column = { name: string; type: string; field: string };

const statements = new Map<string, string>();

/**
 * Inserts rows of several tables in one statement, whose text depends on the tables alone: it stays prepared however many rows there are.
 * Foreign keys among them hold, because they are checked when the statement ends. Fields left out get their defaults. It is sent along:
 * what it violates fails the transaction at its end.
 */
export function insertTogether(db: Tx, batches: Rows[]): void {
  const filled = batches.filter(({ rows }) => rows.length > 0).map(({ table, rows }) => ({ table, rows, fields: Object.keys(rows[0] ?? {}) }));
  if (filled.length === 0) return;
  const key = filled.map(({ table, fields }) => `${getTableName(table)} ${fields.join()}`).join(";");
  const text = statements.get(key) ?? `with ${filled.map(({ table, fields }, index) => `i${index} as (${insertText(table, fields, `$${index + 1}`)})`).join(", ")} select 1`;
  statements.set(key, text);
  sendText(db, text, filled.map(({ rows }) => toJson(rows)));
}

/** Objects travel under the names of their fields: the record's columns are renamed in the statement. */
function insertText(table: PgTable, fields: string[], parameter: string): string {
  const name = getTableName(table);
  const columns = getTableColumns(table);
  const used = fields.map((field): Column => {
    const column = columns[field];
    if (!column) throw new Error(`The table ${name} has no field ${field}.`);
    return { field, name: column.name, type: column.getSQLType() };
  });
  const list = used.map((column) => `"${column.name}"`).join(", ");
  const record = used.map(({ field, type }) => `"${field}" ${type}`).join(", ");
  return `insert into "${name}" (${list}) select ${used.map(({ field }) => `"${field}"`).join(", ")} from jsonb_to_recordset(${parameter}::text::jsonb) as r(${record})`;
}

function toJson(rows: Record<string, unknown>[]): string {
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
