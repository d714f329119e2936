import Link from "next/link";
import { CreativeStatusBadge } from "@/components/creatives/status";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { type Review, type ReviewedPackage } from "@/lib/approvals/review";
import { toWireId } from "@/lib/ids";
import { formatMoney } from "@/lib/money";
import { formatDate } from "@/lib/time";
import { formatCount, rateInWords, targetingInWords, UNIT_WORDS } from "./words";

/** What was sold: one line a package, each with its own price, goal, flight and creatives. */
export function Packages({ review, publisher, timeZone }: { review: Review; publisher: string; timeZone: string }) {
  const { packages, mediaBuy } = review;
  return (
    <Card title={packages.length === 1 ? "1 package" : `${packages.length} packages`} description={`Amounts in ${mediaBuy.currency}, dates in ${timeZone}`} flush>
      <Table caption="Packages of this order">
        <TableHead>
          <ColumnHeader>Product</ColumnHeader>
          <ColumnHeader isNumeric>Price</ColumnHeader>
          <ColumnHeader isNumeric>Budget</ColumnHeader>
          <ColumnHeader isNumeric>Goal</ColumnHeader>
          <ColumnHeader>Flight</ColumnHeader>
          <ColumnHeader>Targeting</ColumnHeader>
          <ColumnHeader>Creatives</ColumnHeader>
        </TableHead>
        <TableBody>
          {packages.map((row) => <PackageRow key={row.id} row={row} publisher={publisher} timeZone={timeZone} />)}
        </TableBody>
        {packages.length > 1 ? (
          <tfoot className="border-t border-line bg-surface-2/60 font-semibold">
            <tr>
              <RowHeader colSpan={2} className="font-semibold">Total</RowHeader>
              <Cell isNumeric>{formatMoney(mediaBuy.budgetMicros, mediaBuy.currency)}</Cell>
              <Cell colSpan={4} />
            </tr>
          </tfoot>
        ) : null}
      </Table>
    </Card>
  );
}

function PackageRow({ row, publisher, timeZone }: { row: ReviewedPackage; publisher: string; timeZone: string }) {
  const targeting = targetingInWords(row.targeting);
  const approved = row.creatives.filter(({ creative }) => creative.status === "approved").length;
  return (
    <TableRow className="align-top">
      <RowHeader className="min-w-52">
        <span className="flex items-center gap-1">{row.sold.productName}<CopyButton value={toWireId("package", row.id)} label={`Copy package id of ${row.sold.productName}`} /></span>
        <span className="mt-1 flex flex-wrap gap-1">
          <Badge>{row.sold.deliveryType === "guaranteed" ? "Guaranteed" : "Non-guaranteed"}</Badge>
          {row.canceledAt ? <StatusBadge tone="neutral">Canceled</StatusBadge> : row.isPaused ? <StatusBadge tone="neutral">Paused</StatusBadge> : null}
          {row.hold && !row.canceledAt ? <StatusBadge tone="waiting">Held by its list</StatusBadge> : null}
        </span>
      </RowHeader>
      <Cell isNumeric>{rateInWords(row.pricingModel, row.rateMicros, row.currency)}</Cell>
      <Cell isNumeric>{formatMoney(row.budgetMicros, row.currency)}</Cell>
      <Cell isNumeric>{formatCount(row.units)}<span className="block text-xs text-ink-2">{UNIT_WORDS[row.pricingModel]}</span></Cell>
      <Cell className="whitespace-nowrap">{formatDate(row.startsAt, timeZone)}<span className="block text-xs text-ink-2">to {formatDate(row.endsAt, timeZone)} · {PACING[row.pacing]}</span></Cell>
      <Cell className="min-w-44">
        {targeting.length === 0 ? <span className="text-ink-2">None beyond the product’s</span> : (
          <dl className="grid gap-1">
            {targeting.map(([label, value]) => <div key={label}><dt className="inline text-xs text-ink-2">{label}: </dt><dd className="inline break-words">{value}</dd></div>)}
          </dl>
        )}
      </Cell>
      <Cell className="min-w-48">
        {row.creatives.length === 0 ? <StatusBadge tone="warning">None yet</StatusBadge> : (
          <details>
            <summary className="rounded">{approved} of {row.creatives.length} approved</summary>
            <ul className="mt-1.5 grid gap-1.5">
              {row.creatives.map(({ creative, weight }) => (
                <li key={creative.id}>
                  <Link href={`/p/${publisher}/creatives/${toWireId("creative", creative.id)}`} className="text-accent break-words hover:underline">{creative.name}</Link> <CreativeStatusBadge status={creative.status} />
                  <span className="block font-mono text-xs break-all text-ink-2">{creative.formatId.id}{weight === null ? "" : ` · weight ${weight}`}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </Cell>
    </TableRow>
  );
}

const PACING = { even: "even", asap: "as fast as possible", front_loaded: "front-loaded" } as const;
