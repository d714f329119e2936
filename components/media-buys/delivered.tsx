import { Card } from "@/components/ui/card";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type ReviewedPackage } from "@/lib/approvals/review";
import { type FeedbackItem } from "@/lib/delivery/feedback";
import { type Known } from "@/lib/delivery/queries";
import { formatMoney } from "@/lib/money";
import { formatDate } from "@/lib/time";

type Common = { packages: ReviewedPackage[]; now: Date; timeZone: string };

/** What the ad servers last reported of each package. Where none has, it says so. */
export function Delivered({ packages, totals, now, timeZone }: Common & { totals: Map<string, Known> }) {
  return (
    <Card title="Delivery" description="As the ad servers last reported it" flush>
      <Table caption="Delivery of this order by package">
        <TableHead>
          <ColumnHeader>Package</ColumnHeader>
          <ColumnHeader isNumeric>Impressions</ColumnHeader>
          <ColumnHeader isNumeric>Clicks</ColumnHeader>
          <ColumnHeader isNumeric>Spent</ColumnHeader>
          <ColumnHeader isNumeric>Budget</ColumnHeader>
          <ColumnHeader>Reported</ColumnHeader>
        </TableHead>
        <TableBody>
          {packages.map((row) => {
            const known = totals.get(row.id);
            return (
              <TableRow key={row.id}>
                <RowHeader>{row.sold.productName}</RowHeader>
                <Cell isNumeric>{known ? <>{known.impressions.toLocaleString("en-US")}{row.pricingModel === "cpm" ? <span className="text-ink-2"> of {Number(row.units).toLocaleString("en-US")}</span> : null}</> : "–"}</Cell>
                <Cell isNumeric>{known && known.clicks !== null ? known.clicks.toLocaleString("en-US") : "–"}</Cell>
                <Cell isNumeric>{known ? formatMoney(known.spendMicros, row.currency) : "–"}</Cell>
                <Cell isNumeric>{formatMoney(row.budgetMicros, row.currency)}</Cell>
                <Cell className="whitespace-nowrap text-ink-2">{known ? <TimeAgo at={known.asOf} now={now} timeZone={timeZone} /> : "No report yet"}</Cell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Card>
  );
}

/** How the order performs by the buyer's own measurement. */
export function Feedback({ packages, feedback, now, timeZone }: Common & { feedback: FeedbackItem[] }) {
  if (feedback.length === 0) return null;
  const names = new Map(packages.map((row) => [row.id, row.sold.productName]));
  return (
    <Card title="Performance feedback" description="From the buyer: 1 is as expected" flush>
      <Table caption="Performance feedback on this order">
        <TableHead>
          <ColumnHeader isNumeric>Index</ColumnHeader>
          <ColumnHeader>About</ColumnHeader>
          <ColumnHeader>Measured</ColumnHeader>
          <ColumnHeader>Source</ColumnHeader>
          <ColumnHeader>Received</ColumnHeader>
        </TableHead>
        <TableBody>
          {feedback.map((item) => (
            <TableRow key={item.id}>
              <RowHeader className="text-right tabular-nums">{item.performanceIndex.toLocaleString("en-US", { maximumFractionDigits: 2 })}</RowHeader>
              <Cell>{[inWords(item.metricType), item.packageId === null ? "whole order" : names.get(item.packageId), item.creativeId && `creative ${item.creativeId}`].filter(Boolean).join(" · ")}</Cell>
              <Cell className="whitespace-nowrap">{formatDate(item.periodStart, timeZone)} – {formatDate(item.periodEnd, timeZone)}</Cell>
              <Cell>{inWords(item.feedbackSource)}</Cell>
              <Cell className="whitespace-nowrap text-ink-2"><TimeAgo at={item.createdAt} now={now} timeZone={timeZone} /></Cell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Card>
  );
}

function inWords(code: string): string {
  const text = code.replaceAll("_", " ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
