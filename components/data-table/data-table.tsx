"use client";

import { type ColumnDef, metaHelper, type RowData, rowSortingFeature, tableFeatures, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import { useQueryStates } from "nuqs";
import { type ReactNode, useTransition } from "react";
import { cn } from "@/components/ui/cn";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { type ListParams } from "./list-params";
import { Pagination } from "./pagination";

/** `isNumeric`: right-aligned. `isRowHeader`: the cell that names its row. A sortable column's id is a sort key of the list. */
type ColumnMeta = { isNumeric?: boolean; isRowHeader?: boolean };

const features = tableFeatures({ rowSortingFeature, columnMeta: metaHelper<ColumnMeta>() });

/** Sorting is the server's: set `enableSorting: false` on columns that it cannot sort by. */
export type DataColumn<Row extends RowData> = ColumnDef<typeof features, Row>;

/**
 * A list whose sorting and paging live in the address. `rows` is one page as the server sorted it; `total` counts them all.
 * Keep `columns` at module level.
 */
export function DataTable<Row extends RowData, Sort extends string>({ caption, columns, rows, rowId, total, params, empty }: {
  caption: string;
  columns: DataColumn<Row>[];
  rows: Row[];
  rowId: (row: Row) => string;
  total: number;
  params: ListParams<Sort>;
  empty: ReactNode;
}) {
  const [isPending, startTransition] = useTransition();
  const [state, setState] = useQueryStates(params, { shallow: false, history: "push", startTransition });
  const sorting = [{ id: state.sort ?? params.sort.defaultValue, desc: state.direction === "desc" }];
  const table = useTable({
    features,
    columns,
    data: rows,
    getRowId: rowId,
    manualSorting: true,
    enableSortingRemoval: false,
    enableMultiSort: false,
    state: { sorting },
    onSortingChange: (update) => {
      const [next] = typeof update === "function" ? update(sorting) : update;
      if (next) void setState({ sort: params.sort.parse(next.id), direction: next.desc ? "desc" : "asc", page: 1 });
    },
  });

  if (rows.length === 0 && state.page === 1) return empty;
  return (
    <div aria-busy={isPending} className={cn("transition-opacity", isPending && "opacity-60")}>
      <Table caption={caption}>
        {table.getHeaderGroups().map((group) => (
          <TableHead key={group.id}>
            {group.headers.map((header) => {
              const { isNumeric = false } = header.column.columnDef.meta ?? {};
              const sorted = header.column.getIsSorted();
              return (
                <ColumnHeader key={header.id} isNumeric={isNumeric} aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined}>
                  {header.column.getCanSort() ? (
                    <button type="button" onClick={header.column.getToggleSortingHandler()} className={cn("-mx-1.5 inline-flex h-7 items-center gap-1 rounded px-1.5 font-medium hover:bg-surface-3 hover:text-ink", sorted && "text-ink")}>
                      <table.FlexRender header={header} />
                      <SortIcon sorted={sorted} />
                    </button>
                  ) : (
                    <table.FlexRender header={header} />
                  )}
                </ColumnHeader>
              );
            })}
          </TableHead>
        ))}
        <TableBody>
          {table.getRowModel().rows.map((row) => (
            <TableRow key={row.id}>
              {row.getAllCells().map((cell) => {
                const { isNumeric = false, isRowHeader = false } = cell.column.columnDef.meta ?? {};
                return isRowHeader
                  ? <RowHeader key={cell.id}><table.FlexRender cell={cell} /></RowHeader>
                  : <Cell key={cell.id} isNumeric={isNumeric}><table.FlexRender cell={cell} /></Cell>;
              })}
            </TableRow>
          ))}
        </TableBody>
      </Table>
      <Pagination page={state.page} pageSize={state.pageSize} total={total} shown={rows.length} onChange={(next) => void setState(next)} />
    </div>
  );
}

function SortIcon({ sorted }: { sorted: "asc" | "desc" | false }) {
  const Icon = sorted === "asc" ? ArrowUp : sorted === "desc" ? ArrowDown : ChevronsUpDown;
  return <Icon aria-hidden className={cn("size-3.5", !sorted && "opacity-60")} />;
}
