import Link from "next/link";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { changesOf, fieldWords } from "@/lib/audit/changes";
import { type AuditRow } from "@/lib/audit/queries";
import { toWireId } from "@/lib/ids";
import { formatDateTime } from "@/lib/time";
import { ACTOR_KINDS } from "./words";

/** Who did what and when; what changed opens below. */
export function AuditTable({ rows, publisher, timeZone }: { rows: AuditRow[]; publisher: string; timeZone: string }) {
  return (
    <Table caption="Audit log, newest first">
      <TableHead><ColumnHeader>What</ColumnHeader><ColumnHeader>Who</ColumnHeader><ColumnHeader>When</ColumnHeader></TableHead>
      <TableBody>
        {rows.map((row) => (
          <TableRow key={row.id} className="align-top">
            <RowHeader className="min-w-56 font-normal">
              <p className="break-words">{row.summary}</p>
              <p className="flex flex-wrap items-center gap-x-3 text-[0.8125rem] text-ink-2"><code className="font-mono text-xs">{row.action}</code><ObjectLink row={row} publisher={publisher} /></p>
              <Changes row={row} />
            </RowHeader>
            <Cell className="min-w-32"><span className="break-words">{row.actorLabel}</span><p className="text-[0.8125rem] text-ink-2">{ACTOR_KINDS[row.actorKind]}</p></Cell>
            <Cell className="whitespace-nowrap"><time dateTime={row.createdAt.toISOString()}>{formatDateTime(row.createdAt, timeZone)}</time></Cell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

function ObjectLink({ row, publisher }: { row: AuditRow; publisher: string }) {
  const path = pathOf(row);
  return path ? <Link href={`/p/${publisher}/${path}`} prefetch={false} className="text-accent hover:underline" aria-label={`Open what this is about: ${row.summary}`}>Open</Link> : null;
}

/** The screen of what an entry is about, if it has one. */
function pathOf({ objectKind, objectId, mediaBuyId }: AuditRow): string | null {
  if (mediaBuyId !== null) return `media-buys/${toWireId("mediaBuy", mediaBuyId)}`;
  if (objectKind === "product") return `products/${objectId}`;
  if (objectKind === "connection") return `connections/${objectId}`;
  if (objectKind === "buyer") return `buyers/${objectId}`;
  if (objectKind === "account") return "accounts";
  if (objectKind === "staff") return "people";
  if (objectKind === "publisher") return "settings";
  return objectKind === "sync_job" ? "sync-jobs" : null;
}

function Changes({ row }: { row: AuditRow }) {
  const { changes, left } = changesOf(row.before, row.after);
  if (changes.length === 0) return null;
  return (
    <details className="mt-1">
      <summary className="w-fit cursor-pointer rounded text-[0.8125rem] text-accent">{changes.length + left === 1 ? "One field" : `${changes.length + left} fields`}</summary>
      <dl className="mt-1.5 grid gap-1.5 border-l-2 border-line pl-3 text-[0.8125rem]">
        {changes.map(({ field, before, after }) => (
          <div key={field}>
            <dt className="text-ink-2">{fieldWords(field)}</dt>
            <dd className="break-words">
              {before === null ? null : <><span className="sr-only">before: </span><del className="text-ink-2">{before}</del></>}
              {before !== null && after !== null ? <span aria-hidden> → </span> : null}
              {after === null ? null : <><span className="sr-only">after: </span><ins className="no-underline">{after}</ins></>}
            </dd>
          </div>
        ))}
        {left > 0 ? <p className="text-ink-2">and {left} more</p> : null}
      </dl>
    </details>
  );
}
