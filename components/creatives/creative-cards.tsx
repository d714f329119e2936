import { ExternalLink } from "lucide-react";
import Link from "next/link";
import { MediaBuyStatusBadge } from "@/components/media-buys/status";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Notice } from "@/components/ui/notice";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type CreativeView } from "@/lib/creatives/library";
import { toWireId } from "@/lib/ids";
import { formatDate } from "@/lib/time";

const FRAME = { width: 480, height: 320 } as const;
/** Room for the address and the button below players. */
const CONTROLS_PX = 64;

/** What it looks like, in a frame that has no origin of ours: whatever it does, it does to itself. */
export function PreviewCard({ view }: { view: CreativeView }) {
  const { previewPath, format, creative } = view;
  const hasSize = format !== null && format.width > 1 && format.height > 1;
  const width = hasSize ? format.width : FRAME.width;
  const height = (hasSize ? format.height : FRAME.height) + (format?.kind === "display" ? 0 : CONTROLS_PX);
  return (
    <Card
      title="Preview"
      description={format ? `${format.name}${hasSize ? `, ${format.width} × ${format.height}` : ""}` : creative.formatId.id}
      actions={previewPath ? <a href={previewPath} target="_blank" rel="noopener noreferrer" className="inline-flex items-center gap-1 rounded text-[0.8125rem] text-accent hover:underline">Open by itself<ExternalLink aria-hidden className="size-3.5" /><span className="sr-only"> (new tab)</span></a> : undefined}
    >
      {previewPath ? (
        <ScrollRegion label="Preview" className="rounded-md border border-line bg-white p-3">
          <iframe src={previewPath} title={`Preview of ${creative.name}`} sandbox="allow-scripts allow-popups" width={width} height={height} className="block max-w-none border-0 bg-white" loading="lazy" />
        </ScrollRegion>
      ) : (
        <Notice tone="warning" title={format ? "Nothing of it can be shown" : "This format is not one of yours"}>
          {format ? "Its assets do not hold what its format shows." : `It was made for ${creative.formatId.agent_url}. As it is, it runs in no package: approving it lets the buyer keep it here, no more.`}
        </Notice>
      )}
    </Card>
  );
}

/** What it is made of, as the buyer sent it. */
export function AssetsCard({ view: { creative, format } }: { view: CreativeView }) {
  const assets = Object.entries(creative.assets);
  return (
    <Card title="Assets" description={`As the buyer sent them, version ${creative.version}`} flush>
      <Table caption="Assets of this creative">
        <TableHead><ColumnHeader>Asset</ColumnHeader><ColumnHeader>Type</ColumnHeader><ColumnHeader>Content</ColumnHeader></TableHead>
        <TableBody>
          {assets.map(([key, asset]) => {
            const { type, facts, content } = describeAsset(asset);
            return (
              <TableRow key={key} className="align-top">
                <RowHeader className="font-mono text-xs font-normal">{key}{format && !format.assets.some(({ assetId }) => assetId === key) ? <span className="block font-sans"><Badge>Not served</Badge></span> : null}</RowHeader>
                <Cell>{type}{facts.length > 0 ? <span className="block text-xs text-ink-2">{facts.join(", ")}</span> : null}</Cell>
                <Cell className="min-w-56 break-all">{content.length > LONG ? <details><summary className="w-fit rounded">{content.length.toLocaleString("en-US")} characters</summary><pre className="mt-1 font-mono text-xs whitespace-pre-wrap">{content}</pre></details> : <span className="font-mono text-xs">{content}</span>}</Cell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Card>
  );
}

const LONG = 300;

function describeAsset(asset: unknown): { type: string; facts: string[]; content: string } {
  if (typeof asset !== "object" || asset === null) return { type: "Unknown", facts: [], content: JSON.stringify(asset) };
  const { asset_type: type, url, content, width, height, duration_ms: durationMs, ...rest }: Record<string, unknown> = { ...asset };
  const facts = [
    ...(typeof width === "number" && typeof height === "number" ? [`${width} × ${height}`] : []),
    ...(typeof durationMs === "number" ? [`${durationMs / 1_000} s`] : []),
    ...Object.entries(rest).filter(([, value]) => typeof value === "string" || typeof value === "number").map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`),
  ];
  const shown = typeof url === "string" ? url : typeof content === "string" ? content : JSON.stringify(asset);
  return { type: typeof type === "string" ? type : "Unknown", facts, content: shown };
}

/** Where it runs, or would. */
export function AssignmentsCard({ view, publisher, now, timeZone }: { view: CreativeView; publisher: string; now: Date; timeZone: string }) {
  const { assignments, creative } = view;
  return (
    <Card title="Assigned to" description={`Dates in ${timeZone}`} flush>
      {assignments.length === 0 ? <p className="px-4 py-6 text-ink-2">No package has it. A buyer assigns it to packages of an order.</p> : (
        <Table caption="Packages that this creative is assigned to">
          <TableHead><ColumnHeader>Order, package</ColumnHeader><ColumnHeader>Order status</ColumnHeader><ColumnHeader>Flight</ColumnHeader><ColumnHeader isNumeric>Weight</ColumnHeader><ColumnHeader>Assigned</ColumnHeader></TableHead>
          <TableBody>
            {assignments.map(({ package: row, buy, weight, assignedAt }) => (
              <TableRow key={row.id}>
                <RowHeader className="min-w-44">
                  <Link href={`/p/${publisher}/media-buys/${toWireId("mediaBuy", buy.id)}`} className="text-accent hover:underline">{buy.name}</Link>
                  <span className="block text-xs font-normal text-ink-2">{row.sold.productName}</span>
                </RowHeader>
                <Cell>{row.canceledAt ? <StatusBadge tone="neutral">Package canceled</StatusBadge> : <MediaBuyStatusBadge status={buy.status} />}{creative.status !== "approved" && buy.status === "active" ? <span className="mt-1 block text-xs text-ink-2">This creative is off air</span> : null}</Cell>
                <Cell className="whitespace-nowrap">{formatDate(row.startsAt, timeZone)}<span className="block text-xs text-ink-2">to {formatDate(row.endsAt, timeZone)}</span></Cell>
                <Cell isNumeric>{weight ?? "Even"}</Cell>
                <Cell><TimeAgo at={assignedAt} now={now} timeZone={timeZone} className="whitespace-nowrap" /></Cell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Card>
  );
}

const SAID = { approve: { tone: "success", verb: "approved this creative" }, reject: { tone: "danger", verb: "rejected this creative" } } as const;

/** Who said what of it last. */
export function ReviewNotice({ view: { creative, steps }, now, timeZone }: { view: CreativeView; now: Date; timeZone: string }) {
  const open = steps.find(({ state }) => state === "requires_approval");
  const last = steps.filter(({ decidedAt, decision }) => decidedAt !== null && decision !== "withdrawn").at(-1);
  const said = last?.decision === "approve" || last?.decision === "reject" ? SAID[last.decision] : null;
  return (
    <div id="review" tabIndex={-1} className="grid gap-4 outline-none empty:hidden">
      {open ? <Notice tone="warning"><p><strong>Waits for a review</strong> since <TimeAgo at={open.createdAt} now={now} timeZone={timeZone} />. It is off air until then.{open.payload.reason ? ` “${open.payload.reason}”` : ""}</p></Notice> : null}
      {said && last?.decidedAt ? <Notice tone={open ? "info" : said.tone}><p><strong>{last.decidedByLabel ?? "Somebody"}</strong> {said.verb} <TimeAgo at={last.decidedAt} now={now} timeZone={timeZone} />.{last.reason ? ` “${last.reason}”` : ""}</p></Notice> : null}
      {!said && creative.status === "rejected" && creative.rejectionReason ? <Notice tone="danger"><p>Rejected: “{creative.rejectionReason}”</p></Notice> : null}
    </div>
  );
}
