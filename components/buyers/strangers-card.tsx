import { Card } from "@/components/ui/card";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type listStrangers } from "@/lib/call-log/queries";
import { ADVICE, REFUSALS, TRANSPORT_NAMES } from "./words";

/** Refused calls that cannot be put down to a buyer: a new agency's mistyped token is here, and nowhere else. */
export function StrangersCard({ calls, now, timeZone }: { calls: Awaited<ReturnType<typeof listStrangers>>; now: Date; timeZone: string }) {
  if (calls.length === 0) return null;
  return (
    <Card title="Refused, and nobody’s" description="Calls of the last 24 hours with no token, or with one that was not issued here." flush>
      <Table caption="Refused calls that are nobody’s">
        <TableHead><ColumnHeader>Call</ColumnHeader><ColumnHeader>Token begins with</ColumnHeader><ColumnHeader>Why</ColumnHeader><ColumnHeader isNumeric>Calls</ColumnHeader><ColumnHeader>When</ColumnHeader></TableHead>
        <TableBody>
          {calls.map((call) => (
            <TableRow key={call.id}>
              <RowHeader><span className="font-mono text-[0.8125rem]">{call.tool}</span><p className="text-[0.8125rem] font-normal text-ink-2">{TRANSPORT_NAMES[call.transport]}</p></RowHeader>
              <Cell>{call.credential ? <code className="font-mono text-xs">{call.credential}…</code> : <span className="text-ink-2">{call.refusal ? "Too short to be a token" : "No token"}</span>}</Cell>
              <Cell className="min-w-56">{call.refusal ? REFUSALS[call.refusal].advice : (ADVICE[call.outcome] ?? call.message)}</Cell>
              <Cell isNumeric>{call.calls.toLocaleString("en-US")}</Cell>
              <Cell className="whitespace-nowrap"><TimeAgo at={call.at} now={now} timeZone={timeZone} /></Cell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Card>
  );
}
