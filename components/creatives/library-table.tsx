"use client";

import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { Badge } from "@/components/ui/badge";
import { TimeAgo } from "@/components/ui/time-ago";
import { type LibraryRow } from "@/lib/creatives/library";
import { libraryParams } from "./list-params";
import { CreativeStatusBadge } from "./status";

export type LibraryRowView = Omit<LibraryRow, "id"> & { wireId: string; now: Date; timeZone: string };

const COLUMNS: DataColumn<LibraryRowView>[] = [
  { id: "name", header: "Creative", accessorFn: (row) => row.name, meta: { isRowHeader: true }, cell: ({ row }) => <Name row={row.original} /> },
  { id: "status", header: "Status", enableSorting: false, accessorFn: (row) => row.status, cell: ({ row }) => <CreativeStatusBadge status={row.original.status} /> },
  {
    id: "buyer", header: "Buyer, account", accessorFn: (row) => row.buyerName,
    cell: ({ row }) => <span className="block min-w-36">{row.original.buyerName}{row.original.isSandbox ? <> <Badge>Sandbox</Badge></> : null}<span className="block text-xs text-ink-2">{row.original.accountName}</span></span>,
  },
  { id: "format", header: "Format", enableSorting: false, accessorFn: (row) => row.formatId, cell: ({ row }) => <span className="font-mono text-xs break-all">{row.original.formatId}</span> },
  { id: "packages", header: "Packages", enableSorting: false, accessorFn: (row) => row.packageCount, meta: { isNumeric: true } },
  { id: "updatedAt", header: "Changed", accessorFn: (row) => row.updatedAt, cell: ({ row }) => <TimeAgo at={row.original.updatedAt} now={row.original.now} timeZone={row.original.timeZone} className="whitespace-nowrap" /> },
];

export function LibraryTable({ rows, total, empty }: { rows: LibraryRowView[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Creatives of all buyers" columns={COLUMNS} rows={rows} rowId={(row) => row.wireId} total={total} params={libraryParams} empty={empty} />;
}

function Name({ row }: { row: LibraryRowView }) {
  const { publisher } = useParams<{ publisher: string }>();
  return (
    <span className="block min-w-40 break-words">
      <Link href={`/p/${publisher}/creatives/${row.wireId}`} className="text-accent hover:underline">{row.name}</Link>
      <span className="block font-mono text-xs font-normal break-all text-ink-2">{row.creativeId}</span>
    </span>
  );
}
