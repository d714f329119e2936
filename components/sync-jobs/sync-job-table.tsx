"use client";

import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode } from "react";
import { JobProgress } from "@/components/connections/job-progress";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { TimeAgo } from "@/components/ui/time-ago";
import { type SyncJobRow } from "@/lib/sync-jobs/queries";
import { formatDuration } from "@/lib/time";
import { syncJobParams } from "./list-params";

export type ShownJob = SyncJobRow & { now: Date; timeZone: string };

const KINDS = { connection_test: "Connection test", inventory: "Inventory sync", delivery: "Delivery", availability: "Availability" } as const;
const STATES: Record<SyncJobRow["state"], { tone: Tone; label: string }> = {
  queued: { tone: "waiting", label: "Queued" },
  running: { tone: "info", label: "Running" },
  succeeded: { tone: "success", label: "Done" },
  failed: { tone: "danger", label: "Failed" },
};
const COUNTED = { ad_unit: ["ad unit", "ad units"], placement: ["placement", "placements"], targeting_key: ["key", "keys"], targeting_value: ["value", "values"], advertiser: ["advertiser", "advertisers"], retired: ["retired", "retired"], products: ["product", "products"], without_forecast: ["without a forecast", "without a forecast"], line_items: ["line item", "line items"], days: ["day", "days"], changed_orders: ["order with news", "orders with news"] } as const;

const COLUMNS: DataColumn<ShownJob>[] = [
  { id: "kind", header: "What", enableSorting: false, meta: { isRowHeader: true }, accessorFn: (row) => KINDS[row.kind], cell: ({ row }) => <What job={row.original} /> },
  { id: "connection", header: "Connection", accessorFn: (row) => row.connectionName, cell: ({ row }) => <ConnectionLink job={row.original} /> },
  { id: "state", header: "State", enableSorting: false, accessorFn: (row) => row.state, cell: ({ row }) => <State job={row.original} /> },
  { id: "result", header: "Progress and result", enableSorting: false, accessorFn: (row) => row.error?.message, cell: ({ row }) => <Result job={row.original} /> },
  { id: "duration", header: "Took", enableSorting: false, meta: { isNumeric: true }, accessorFn: (row) => durationOf(row) },
  {
    id: "created", header: "Asked for", accessorFn: (row) => row.createdAt,
    cell: ({ row: { original: job } }) => <div className="whitespace-nowrap"><TimeAgo at={job.createdAt} now={job.now} timeZone={job.timeZone} /><p className="text-ink-2">by {job.requestedBy}</p></div>,
  },
];

export function SyncJobTable({ rows, total, empty }: { rows: ShownJob[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Tests and syncs" columns={COLUMNS} rows={rows} rowId={(row) => row.id} total={total} params={syncJobParams} empty={empty} />;
}

function What({ job }: { job: ShownJob }) {
  return (
    <>
      <span className="whitespace-nowrap">{KINDS[job.kind]}</span>
      {job.runs > 1 ? <p className="font-normal text-ink-2">{job.runs.toLocaleString("en-US")} runs in a row, the last one shown; the first <TimeAgo at={job.firstAt} now={job.now} timeZone={job.timeZone} /></p> : null}
    </>
  );
}

function ConnectionLink({ job }: { job: ShownJob }) {
  const { publisher } = useParams<{ publisher: string }>();
  return <Link href={`/p/${publisher}/connections/${job.adapterConfigId}`} className="text-accent hover:underline">{job.connectionName}</Link>;
}

function State({ job }: { job: ShownJob }) {
  const { tone, label } = STATES[job.state];
  const isStalled = job.state === "running" && job.leaseUntil !== null && job.leaseUntil < job.now;
  if (isStalled) return <StatusBadge tone="warning">Stalled: a worker takes it over</StatusBadge>;
  return <StatusBadge tone={tone}>{label}</StatusBadge>;
}

function Result({ job }: { job: ShownJob }) {
  if (job.state === "queued" || job.state === "running") return <div className="max-w-md min-w-56"><JobProgress job={job} /></div>;
  if (job.error) {
    return (
      <div className="max-w-md">
        <p className="break-words text-danger">{job.error.message}</p>
        {job.error.correlationId ? <p className="text-[0.8125rem] text-ink-2">Reference: <code className="font-mono">{job.error.correlationId}</code></p> : null}
      </div>
    );
  }
  const found = Object.entries(COUNTED).flatMap(([key, [one, many]]) => {
    const count = job.counts[key];
    return count ? [`${count.toLocaleString("en-US")} ${count === 1 ? one : many}`] : [];
  });
  return <p className="max-w-md text-ink-2">{found.length > 0 ? found.join(", ") : job.kind === "connection_test" ? "Its result is on the connection's page." : "Nothing was found."}</p>;
}

function durationOf(job: ShownJob): string {
  if (!job.startedAt) return "";
  return formatDuration((job.finishedAt ?? job.now).getTime() - job.startedAt.getTime());
}
