import { RotateCw } from "lucide-react";
import { ActionButton } from "@/components/forms/action-button";
import { Card } from "@/components/ui/card";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type Review } from "@/lib/approvals/review";
import { type AdminAction } from "@/lib/auth/action-state";
import { DeliveryStateBadge } from "./status";

/** What the buyer and staff were told, where, and whether it arrived. */
export function Deliveries({ deliveries, replay, now, timeZone }: { deliveries: Review["deliveries"]; replay: AdminAction | null; now: Date; timeZone: string }) {
  if (deliveries.length === 0) return null;
  return (
    <Card title="Notifications" description="Webhooks of this order" flush>
      <Table caption="Notifications of this order">
        <TableHead>
          <ColumnHeader>To</ColumnHeader>
          <ColumnHeader>About</ColumnHeader>
          <ColumnHeader>State</ColumnHeader>
          <ColumnHeader isNumeric>Attempts</ColumnHeader>
          <ColumnHeader>Last answer</ColumnHeader>
          <ColumnHeader>When</ColumnHeader>
          {replay ? <ColumnHeader><span className="sr-only">Actions</span></ColumnHeader> : null}
        </TableHead>
        <TableBody>
          {deliveries.map((delivery) => (
            <TableRow key={delivery.id} className="align-top">
              <RowHeader className="min-w-40"><span className="break-all">{delivery.audience === "staff" ? "Staff" : (delivery.url ?? "Buyer")}</span></RowHeader>
              <Cell>{eventInWords(delivery.eventKey)}</Cell>
              <Cell><DeliveryStateBadge state={delivery.state} /></Cell>
              <Cell isNumeric>{delivery.attempts}</Cell>
              <Cell className="break-words">{delivery.lastError ?? (delivery.lastStatus === null ? <span className="text-ink-2">None yet</span> : `HTTP ${delivery.lastStatus}`)}</Cell>
              <Cell className="whitespace-nowrap text-ink-2"><TimeAgo at={delivery.deliveredAt ?? delivery.createdAt} now={now} timeZone={timeZone} /></Cell>
              {replay ? <Cell>{delivery.state === "pending" ? null : <ActionButton action={replay} fields={{ deliveryId: delivery.id }} size="small"><RotateCw aria-hidden />Replay</ActionButton>}</Cell> : null}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Card>
  );
}

/** `task:<id>:completed` → "Task completed". */
function eventInWords(eventKey: string): string {
  const [subject = "", , ...rest] = eventKey.split(":");
  const what = rest.at(-1)?.replaceAll("_", " ") ?? "";
  return `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${what}`.trim();
}
