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
  budget: string;
  starts: string;
  ends: string;
  now: Date;
  timeZone: string;
};

const COLUMNS: DataColumn<QueueRowView>[] = [
  { id: "name", header: "Order", enableSorting: false, accessorFn: (row) => row.name, meta: { isRowHeader: true }, cell: ({ row }) => <OrderName row={row.original} /> },
  { id: "what", header: "What is needed", enableSorting: false, accessorFn: (row) => row.kind, cell: ({ row }) => <Need row={row.original} /> },
  { id: "buyer", header: "Buyer, account", enableSorting: false, accessorFn: (row) => row.buyerName, cell: ({ row }) => <BuyerName row={row.original} /> },
  { id: "budget", header: "Budget", enableSorting: false, accessorFn: (row) => row.budget, meta: { isNumeric: true } },
  { id: "flight", header: "Flight", enableSorting: false, accessorFn: (row) => row.starts, cell: ({ row }) => <span className="whitespace-nowrap">{row.original.starts}<span className="block text-xs text-ink-2">to {row.original.ends}</span></span> },
  { id: "waiting", header: "Waiting since", enableSorting: false, accessorFn: (row) => row.waitingSince, cell: ({ row }) => <TimeAgo at={row.original.waitingSince} now={row.original.now} timeZone={row.original.timeZone} className="whitespace-nowrap" /> },
  { id: "due", header: "Answer due", enableSorting: false, accessorFn: (row) => row.dueAt, cell: ({ row }) => <Due row={row.original} /> },
];

export function QueueTable({ rows, total, empty }: { rows: QueueRowView[]; total: number; empty: ReactNode }) {
  return <DataTable caption="What waits for a person, oldest first" columns={COLUMNS} rows={rows} rowId={(row) => row.stepId} total={total} params={queueParams} empty={empty} />;
}

function Need({ row }: { row: QueueRowView }) {
  if (row.kind === "media_buy_approval") return <StatusBadge tone="waiting">Approval</StatusBadge>;
  return <div className="max-w-72 min-w-56"><StatusBadge tone="danger">{row.kind === "governance_stopped" ? "No governance decision" : "Blocked"}</StatusBadge>{row.reason ? <p className="mt-1 text-[0.8125rem] break-words text-ink-2">{row.reason}</p> : null}</div>;
}

function Due({ row }: { row: QueueRowView }) {
  if (!row.dueAt) return <span className="text-ink-2">No limit</span>;
  const age = <TimeAgo at={row.dueAt} now={row.now} timeZone={row.timeZone} />;
  return row.isOverdue ? <StatusBadge tone="danger">Overdue, {age}</StatusBadge> : <span className="whitespace-nowrap">{age}</span>;
}
