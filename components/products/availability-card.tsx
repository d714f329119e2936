import { RefreshCw, TrendingUp } from "lucide-react";
import Link from "next/link";
import { ActionButton } from "@/components/forms/action-button";
import { StatusBadge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type AdminAction } from "@/lib/auth/action-state";
import { type ShownAvailability } from "@/lib/availability/service";

type Props = { rows: ShownAvailability[]; publisher: string; sync: AdminAction | null; now: Date; timeZone: string };

/** What each ad server expects of a product's inventory, with its age: the same figures that buyers are shown. */
export function AvailabilityCard({ rows, publisher, sync, now, timeZone }: Props) {
  return (
    <Card title="Availability" description="Impressions that nobody has reserved, of those that the ad server expects. Buyers see them; they are asked for once a day." actions={<Link href={`/p/${publisher}/sync-jobs`} className="text-[0.8125rem] text-accent hover:underline">Sync jobs</Link>} className="mt-5" flush>
      {rows.length === 0 ? <EmptyState icon={TrendingUp} title="Not mapped to an ad server" className="py-8">Map the product first.</EmptyState> : (
        <Table caption="Availability by ad server">
          <TableHead><ColumnHeader>Ad server</ColumnHeader><ColumnHeader isNumeric>Next 30 days</ColumnHeader><ColumnHeader isNumeric>Next 90 days</ColumnHeader><ColumnHeader>As of</ColumnHeader></TableHead>
          <TableBody>
            {rows.map((row) => (
              <TableRow key={row.adapterConfigId}>
                <RowHeader>{row.connectionName}{row.reason !== null && row.isCurrent ? <p className="font-normal text-ink-2">{row.reason}</p> : null}</RowHeader>
                <Cell isNumeric><Figures row={row} available={row.available30} forecast={row.forecast30} /></Cell>
                <Cell isNumeric><Figures row={row} available={row.available90} forecast={row.forecast90} /></Cell>
                <Cell>
                  <div className="flex flex-wrap items-center gap-2">
                    <Age row={row} now={now} timeZone={timeZone} />
                    {sync && row.isVerified ? <ActionButton action={sync} fields={{ id: row.adapterConfigId }} size="small" aria-label={`Ask ${row.connectionName} again`}><RefreshCw aria-hidden />Ask again</ActionButton> : null}
                  </div>
                </Cell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Card>
  );
}

const isKnown = (row: ShownAvailability) => row.generatedAt !== null && row.reason === null && row.isCurrent;

function Figures({ row, available, forecast }: { row: ShownAvailability; available: number; forecast: number }) {
  if (!isKnown(row)) return <span className="text-ink-2">Not known</span>;
  return <span className="whitespace-nowrap">{available.toLocaleString("en-US")}<span className="text-ink-2"> of {forecast.toLocaleString("en-US")}</span></span>;
}

function Age({ row, now, timeZone }: { row: ShownAvailability; now: Date; timeZone: string }) {
  if (row.generatedAt === null) return <StatusBadge tone="waiting">Not asked yet</StatusBadge>;
  if (!row.isCurrent) return <StatusBadge tone="waiting">Mapped otherwise since</StatusBadge>;
  return <>{row.isStale ? <StatusBadge tone="warning">Old: not shown to buyers</StatusBadge> : null}<TimeAgo at={row.generatedAt} now={now} timeZone={timeZone} /></>;
}
