"use client";

import Link from "next/link";
import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { type MediaBuyListItem } from "@/lib/media-buys/search";
import { mediaBuyParams } from "./list-params";
import { FulfilmentStateBadge, MediaBuyStatusBadge } from "./status";

/** A row as it is shown: amounts and dates are text already, in the order's currency and the publisher's zone. */
export type MediaBuyRowView = Pick<MediaBuyListItem, "name" | "status" | "poNumber" | "buyerName" | "accountName" | "isSandbox" | "fulfilmentStates" | "heldPackages"> & {
  id: string;
  href: string;
  budget: string;
  starts: string;
  ends: string;
  created: string;
};

const COLUMNS: DataColumn<MediaBuyRowView>[] = [
  { id: "name", header: "Media buy", accessorFn: (row) => row.name, meta: { isRowHeader: true }, cell: ({ row }) => <OrderName row={row.original} /> },
  { id: "status", header: "Status, ad servers", accessorFn: (row) => row.status, cell: ({ row }) => <Status row={row.original} /> },
  { id: "buyer", header: "Buyer, account", accessorFn: (row) => row.buyerName, cell: ({ row }) => <BuyerName row={row.original} /> },
  { id: "budget", header: "Budget", accessorFn: (row) => row.budget, meta: { isNumeric: true } },
  { id: "startsAt", header: "Starts", accessorFn: (row) => row.starts, meta: { isNumeric: true } },
  { id: "endsAt", header: "Ends", accessorFn: (row) => row.ends, meta: { isNumeric: true } },
  { id: "createdAt", header: "Requested", accessorFn: (row) => row.created, meta: { isNumeric: true } },
];

export function MediaBuyTable({ rows, total, empty }: { rows: MediaBuyRowView[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Media buys" columns={COLUMNS} rows={rows} rowId={(row) => row.id} total={total} params={mediaBuyParams} empty={empty} />;
}

export function OrderName({ row }: { row: { name: string; href: string; isSandbox: boolean; poNumber?: string | null } }) {
  return (
    <div className="max-w-80 min-w-56">
      <Link href={row.href} prefetch={false} title={row.name} className="line-clamp-3 rounded text-accent hover:underline">{row.name}</Link>
      {row.poNumber || row.isSandbox ? (
        <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-xs font-normal text-ink-2">{row.isSandbox ? <Badge>Sandbox</Badge> : null}{row.poNumber}</p>
      ) : null}
    </div>
  );
}

export function BuyerName({ row }: { row: { buyerName: string; accountName: string } }) {
  return <div className="max-w-44 min-w-32"><p className="truncate" title={row.buyerName}>{row.buyerName}</p><p className="truncate text-xs text-ink-2" title={row.accountName}>{row.accountName}</p></div>;
}

function Status({ row }: { row: MediaBuyRowView }) {
  const states = row.status === "pending_approval" ? [] : row.fulfilmentStates;
  return (
    <div className="flex flex-col items-start gap-1">
      <MediaBuyStatusBadge status={row.status} />
      {states.map((state, index) => <FulfilmentStateBadge key={index} state={state} />)}
      {row.heldPackages > 0 ? <StatusBadge tone="waiting">{row.heldPackages === 1 ? "1 package" : `${row.heldPackages} packages`} held by a list</StatusBadge> : null}
    </div>
  );
}
