"use client";

import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { StatusBadge } from "@/components/ui/badge";
import { TimeAgo } from "@/components/ui/time-ago";
import { type QueueItem } from "@/lib/approvals/queue";
import { queueParams } from "./list-params";
import { BuyerName, OrderName } from "./media-buy-table";

export type QueueRowView = Pick<QueueItem, "stepId" | "kind" | "name" | "buyerName" | "accountName" | "isSandbox" | "waitingSince" | "dueAt" | "isOverdue" | "reason"> & {
  href: string;
  /** null: no order but a creative. */
  order: { budget: string; starts: string; ends: string } | null;
  creative: { formatId: string; packageCount: number } | null;
  now: Date;
  timeZone: string;
};

const COLUMNS: DataColumn<QueueRowView>[] = [
  { id: "name", header: "Order or creative", enableSorting: false, accessorFn: (row) => row.name, meta: { isRowHeader: true }, cell: ({ row }) => <OrderName row={row.original} /> },
  { id: "what", header: "What is needed", enableSorting: false, accessorFn: (row) => row.kind, cell: ({ row }) => <Need row={row.original} /> },
  { id: "buyer", header: "Buyer, account", enableSorting: false, accessorFn: (row) => row.buyerName, cell: ({ row }) => <BuyerName row={row.original} /> },
  { id: "budget", header: "Budget", enableSorting: false, accessorFn: (row) => row.order?.budget ?? "", meta: { isNumeric: true } },
  { id: "flight", header: "Flight", enableSorting: false, accessorFn: (row) => row.order?.starts ?? "", cell: ({ row }) => <Flight row={row.original} /> },
  { id: "waiting", header: "Waiting since", enableSorting: false, accessorFn: (row) => row.waitingSince, cell: ({ row }) => <TimeAgo at={row.original.waitingSince} now={row.original.now} timeZone={row.original.timeZone} className="whitespace-nowrap" /> },
  { id: "due", header: "Answer due", enableSorting: false, accessorFn: (row) => row.dueAt, cell: ({ row }) => <Due row={row.original} /> },
];

export function QueueTable({ rows, total, empty }: { rows: QueueRowView[]; total: number; empty: ReactNode }) {
  return <DataTable caption="What waits for a person, oldest first" columns={COLUMNS} rows={rows} rowId={(row) => row.stepId} total={total} params={queueParams} empty={empty} />;
}

function Flight({ row: { order } }: { row: QueueRowView }) {
  return order ? <span className="whitespace-nowrap">{order.starts}<span className="block text-xs text-ink-2">to {order.ends}</span></span> : null;
}

function Need({ row }: { row: QueueRowView }) {
  if (row.kind === "media_buy_approval") return <StatusBadge tone="waiting">Approval</StatusBadge>;
  if (row.creative) {
    const { formatId, packageCount } = row.creative;
    return <div className="min-w-40"><StatusBadge tone="waiting">Creative review</StatusBadge><p className="mt-1 text-[0.8125rem] break-words text-ink-2"><span className="font-mono text-xs">{formatId}</span>, {packageCount === 0 ? "in no package yet" : packageCount === 1 ? "in 1 package" : `in ${packageCount} packages`}</p>{row.reason ? <p className="text-[0.8125rem] break-words text-ink-2">{row.reason}</p> : null}</div>;
  }
  return <div className="max-w-72 min-w-56"><StatusBadge tone="danger">{row.kind === "governance_stopped" ? "No governance decision" : "Blocked"}</StatusBadge>{row.reason ? <p className="mt-1 text-[0.8125rem] break-words text-ink-2">{row.reason}</p> : null}</div>;
}

function Due({ row }: { row: QueueRowView }) {
  if (!row.dueAt) return <span className="text-ink-2">No limit</span>;
  const age = <TimeAgo at={row.dueAt} now={row.now} timeZone={row.timeZone} />;
  return row.isOverdue ? <StatusBadge tone="danger">Overdue, {age}</StatusBadge> : <span className="whitespace-nowrap">{age}</span>;
}
