import { RotateCw } from "lucide-react";
import { type ReactNode } from "react";
import { ActionButton } from "@/components/forms/action-button";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";
import { type AdminAction } from "@/lib/auth/action-state";
import { type ListStatus } from "@/lib/inventory-lists/status";
import { formatCount } from "./words";

type List = Review["lists"][number];

const STATUS: Record<ListStatus, { tone: Tone; label: string }> = {
  first_reading: { tone: "waiting", label: "Being read" },
  unreadable: { tone: "danger", label: "Could not be read" },
  read: { tone: "success", label: "Read" },
  due: { tone: "info", label: "Read, due again" },
  rereading: { tone: "info", label: "Being read again" },
  unanswered: { tone: "warning", label: "Its agent does not answer" },
  ended: { tone: "neutral", label: "No longer read" },
};

/** The others are being read, or the order is over. */
const REREADABLE: ListStatus[] = ["unreadable", "read", "due", "unanswered"];

const KIND = { property: "Property list", collection: "Collection list" } as const;
const KEEPS = { property_list: "runs only within it", collection_list: "runs only within it", collection_list_exclude: "never runs in what it names" } as const;

type Props = { review: Review; /** null: this person may not. */ reread: AdminAction | null; now: Date; timeZone: string };

/** Lists at other agents that packages of this order keep to: how reading them went, and which packages stand still because of them. Absent without any. */
export function PackageLists({ review, reread, now, timeZone }: Props) {
  if (review.lists.length === 0) return null;
  return (
    <Card title={review.lists.length === 1 ? "The buyer’s list" : "The buyer’s lists"} description="Kept by other agents, and read from them in the background" flush>
      <ul className="divide-y divide-line">
        {review.lists.map((list) => (
          <li key={list.id} className="grid gap-1 px-4 py-2.5">
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium break-all">{KIND[list.kind]} “{list.listId}”</span>
              <StatusBadge tone={STATUS[list.status].tone}>{STATUS[list.status].label}</StatusBadge>
            </p>
            <p className="text-[0.8125rem] break-words text-ink-2">At {new URL(list.agentUrl).host}. <Reading list={list} now={now} timeZone={timeZone} /></p>
            {list.error !== null && ["unreadable", "unanswered"].includes(list.status) ? <p className="break-words text-danger">{list.error}</p> : null}
            <ul className="list-disc pl-5">
              {list.packages.map(({ packageId, field }) => <KeepingPackage key={`${packageId} ${field}`} row={review.packages.find(({ id }) => id === packageId)} field={field} />)}
            </ul>
            {reread && REREADABLE.includes(list.status) ? (
              <ActionButton action={reread} fields={{ mediaBuyId: review.mediaBuy.id, listId: list.id }} size="small" className="mt-1 w-fit"><RotateCw aria-hidden />Read again<span className="sr-only"> “{list.listId}”</span></ActionButton>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** When it was read last, and what that means now. */
function Reading({ list, now, timeZone }: { list: List; now: Date; timeZone: string }): ReactNode {
  const ago = (at: Date) => <TimeAgo at={at} now={now} timeZone={timeZone} />;
  const said = list.size === null || list.readAt === null ? null : <>{sizeInWords(list.kind, list.size)}, read {ago(list.readAt)}</>;
  switch (list.status) {
    case "first_reading": return <>Asked for {ago(list.requestedAt)}. Packages that keep to it stand still until it was read.</>;
    case "unreadable": return <>Tried last {ago(list.updatedAt)}, and again every hour. Packages that keep to it stand still until it was read.</>;
    case "read": return <>{said}{list.validUntil ? <>; read again {ago(list.validUntil)}</> : null}</>;
    case "due": return <>{said}. It is no longer valid and will be read again.</>;
    case "rereading": return <>{said}, which counts until the new reading is done.</>;
    case "unanswered": return <>{said}, which still counts. Tried last {ago(list.updatedAt)}, and again every hour.</>;
    case "ended": return <>{said ?? "It was never read"}. The order is over.</>;
  }
}

function sizeInWords(kind: List["kind"], size: number): string {
  return `${formatCount(size)} ${kind === "property" ? (size === 1 ? "domain" : "domains") : (size === 1 ? "entry" : "entries")}`;
}

function KeepingPackage({ row, field }: { row: Review["packages"][number] | undefined; field: List["packages"][number]["field"] }) {
  if (!row) return null;
  const hold = row.canceledAt === null && row.hold?.field === field ? row.hold : null;
  return (
    <li className="break-words">
      {row.sold.productName} {KEEPS[field]}.{row.canceledAt ? <span className="text-ink-2"> The package is canceled.</span> : null}
      {hold ? <span className="text-danger"> It stands still: {hold.message}</span> : null}
    </li>
  );
}
