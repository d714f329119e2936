"use client";

import Link from "next/link";
import { useParams } from "next/navigation";
import { useQueryStates } from "nuqs";
import { type ReactNode, useId, useTransition } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { StatusBadge } from "@/components/ui/badge";
import { Select } from "@/components/ui/input";
import { TimeAgo } from "@/components/ui/time-ago";
import { type CallListRow } from "@/lib/call-log/queries";
import { callParams } from "./list-params";
import { REFUSALS, TRANSPORT_NAMES } from "./words";

export type ShownCall = CallListRow & { now: Date; timeZone: string };

const COLUMNS: DataColumn<ShownCall>[] = [
  { id: "tool", header: "Call", enableSorting: false, meta: { isRowHeader: true }, accessorFn: (row) => row.tool, cell: ({ row }) => <CallName call={row.original} /> },
  { id: "outcome", header: "Outcome", enableSorting: false, accessorFn: (row) => row.outcome, cell: ({ row }) => <Outcome outcome={row.original.outcome} /> },
  {
    id: "message", header: "Why", enableSorting: false, accessorFn: (row) => row.message,
    cell: ({ row: { original: call } }) => (
      <div className="max-w-md min-w-48 break-words">
        {call.refusal ? REFUSALS[call.refusal].short : call.message}
        {call.field ? <p className="text-[0.8125rem] text-ink-2">Field <code className="font-mono">{call.field}</code></p> : null}
      </div>
    ),
  },
  { id: "credential", header: "With", enableSorting: false, accessorFn: (row) => row.credential, cell: ({ row: { original: call } }) => (call.credential ? <code className="font-mono text-xs whitespace-nowrap">{call.credential}…</code> : <span className="text-ink-2">Nothing</span>) },
  { id: "duration", header: "Took", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => `${row.durationMs < 10 ? row.durationMs.toFixed(1) : Math.round(row.durationMs).toLocaleString("en-US")} ms` },
  { id: "at", header: "When", enableSorting: false, accessorFn: (row) => row.at, cell: ({ row: { original: call } }) => <span className="whitespace-nowrap"><TimeAgo at={call.at} now={call.now} timeZone={call.timeZone} /></span> },
];

export function CallTable({ rows, total, empty }: { rows: ShownCall[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Calls, newest first" columns={COLUMNS} rows={rows} rowId={(row) => String(row.id)} total={total} params={callParams} empty={empty} />;
}

function CallName({ call }: { call: ShownCall }) {
  const { publisher, id } = useParams<{ publisher: string; id: string }>();
  return (
    <>
      <Link href={`/p/${publisher}/buyers/${id}/calls/${call.id}`} prefetch={false} className="font-mono text-[0.8125rem] text-accent hover:underline">{call.tool}</Link>
      <p className="text-[0.8125rem] font-normal text-ink-2">{TRANSPORT_NAMES[call.transport]}{call.calls > 1 ? `, ${call.calls.toLocaleString("en-US")} alike in one minute` : ""}</p>
    </>
  );
}

export function Outcome({ outcome }: { outcome: string }) {
  return outcome === "ok" ? <StatusBadge tone="success">Answered</StatusBadge> : <StatusBadge tone="danger">{outcome}</StatusBadge>;
}

/** Which tool's calls are shown. */
export function ToolFilter({ tools }: { tools: string[] }) {
  const id = useId();
  const [isPending, startTransition] = useTransition();
  const [{ tool }, setState] = useQueryStates({ tool: callParams.tool, page: callParams.page }, { shallow: false, history: "push", startTransition });
  return (
    <div className="flex items-center gap-2" aria-busy={isPending}>
      <label htmlFor={id} className="text-[0.8125rem] whitespace-nowrap text-ink-2">Tool</label>
      <Select id={id} className="w-52" value={tool} onChange={(event) => void setState({ tool: event.target.value || null, page: null })}>
        <option value="">All tools</option>
        {(tools.includes(tool) || tool === "" ? tools : [...tools, tool]).map((name) => <option key={name} value={name}>{name}</option>)}
      </Select>
    </div>
  );
}
