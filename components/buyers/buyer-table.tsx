"use client";

import { CalendarClock, CircleAlert, Webhook } from "lucide-react";
import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Attention } from "@/lib/buyers/attention";
import { type PrincipalListRow } from "@/lib/buyers/queries";
import { formatDate } from "@/lib/time";
import { buyerParams } from "./list-params";

export type ShownBuyer = PrincipalListRow & { attention: Attention; now: Date; timeZone: string };

const COLUMNS: DataColumn<ShownBuyer>[] = [
  { id: "name", header: "Buyer", meta: { isRowHeader: true }, accessorFn: (row) => row.name, cell: ({ row }) => <BuyerName buyer={row.original} /> },
  { id: "attention", header: "Needs attention", enableSorting: false, accessorFn: (row) => row.id, cell: ({ row }) => <Needs buyer={row.original} /> },
  {
    id: "lastCall", header: "Last call", enableSorting: false, accessorFn: (row) => row.lastUsedAt,
    cell: ({ row: { original: buyer } }) => <span className="whitespace-nowrap">{buyer.lastUsedAt ? <TimeAgo at={buyer.lastUsedAt} now={buyer.now} timeZone={buyer.timeZone} /> : <span className="text-ink-2">Never</span>}</span>,
  },
  { id: "calls", header: "Calls in 24 h", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => row.attention.calls.calls.toLocaleString("en-US") },
  { id: "tokens", header: "Tokens", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => row.workingTokenCount },
  { id: "accounts", header: "Accounts", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => row.accountCount },
  { id: "created", header: "Created", accessorFn: (row) => row.createdAt, cell: ({ row: { original: buyer } }) => <span className="whitespace-nowrap">{formatDate(buyer.createdAt, buyer.timeZone)}</span> },
];

export function BuyerTable({ rows, total, empty }: { rows: ShownBuyer[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Buyers" columns={COLUMNS} rows={rows} rowId={(row) => row.id} total={total} params={buyerParams} empty={empty} />;
}

function BuyerName({ buyer }: { buyer: ShownBuyer }) {
  const { publisher } = useParams<{ publisher: string }>();
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      <Link href={`/p/${publisher}/buyers/${buyer.id}`} className="text-accent hover:underline">{buyer.name}</Link>
      {buyer.isSandbox ? <Badge>Sandbox</Badge> : null}
    </span>
  );
}

function Needs({ buyer: { id, attention, archivedAt, workingTokenCount, signingKeyCount, now, timeZone } }: { buyer: ShownBuyer }) {
  const { publisher } = useParams<{ publisher: string }>();
  const { calls, tokenEndsAt, deadLetters, failingDeliveries } = attention;
  const needs: ReactNode[] = [];
  if (deadLetters > 0) needs.push(<StatusBadge key="dead" tone="danger" icon={Webhook}>{deadLetters} webhook {deadLetters === 1 ? "notice" : "notices"} given up</StatusBadge>);
  if (failingDeliveries > 0) needs.push(<StatusBadge key="failing" tone="warning" icon={Webhook}>{failingDeliveries} webhook {failingDeliveries === 1 ? "notice fails" : "notices fail"}</StatusBadge>);
  if (calls.failed > 0) {
    needs.push(
      <Link key="failed" href={`/p/${publisher}/buyers/${id}?show=failed`} className="rounded-full hover:underline">
        <StatusBadge tone="danger" icon={CircleAlert}>{calls.failed.toLocaleString("en-US")} failed {calls.failed === 1 ? "call" : "calls"} in 24 h</StatusBadge>
      </Link>,
    );
  }
  if (tokenEndsAt) needs.push(<StatusBadge key="token" tone="warning" icon={CalendarClock}>A token ends <TimeAgo at={tokenEndsAt} now={now} timeZone={timeZone} /></StatusBadge>);
  if (!archivedAt && workingTokenCount === 0 && signingKeyCount === 0) needs.push(<StatusBadge key="none" tone="neutral">No token works</StatusBadge>);
  return needs.length === 0 ? <span className="text-ink-2">Nothing</span> : <span className="flex flex-wrap gap-1.5">{needs}</span>;
}
