import { ReceiptText } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { mediaBuyParams, STATUS_TABS } from "@/components/media-buys/list-params";
import { MediaBuyTable } from "@/components/media-buys/media-buy-table";
import { MEDIA_BUY_LOOKS } from "@/components/media-buys/status";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { toWireId } from "@/lib/ids";
import { searchMediaBuys } from "@/lib/media-buys/search";
import { formatMoney } from "@/lib/money";
import { formatDate } from "@/lib/time";

export const metadata: Metadata = { title: "Media buys" };

const readParams = createLoader(mediaBuyParams);
const toQuery = createSerializer(mediaBuyParams);

type Props = { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> };

export default async function MediaBuysPage({ params, searchParams }: Props) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "media_buy.read");
  const state = await readParams(searchParams);
  const { search, status, sort, direction, pageSize } = state;
  const found = await page.run((ctx) => searchMediaBuys(ctx, { statuses: status === "all" ? [] : [status], text: search.slice(0, 200), sort, direction, page: state.page, pageSize }));
  const { timeZone } = page;
  const all = Object.values(found.counts).reduce((sum, count) => sum + count, 0);
  const tabs = [
    { status: "all" as const, label: "All", count: all },
    ...STATUS_TABS.map((tab) => ({ status: tab, label: MEDIA_BUY_LOOKS[tab].label, count: found.counts[tab] })),
  ];
  const path = `/p/${publisher}/media-buys`;
  return (
    <>
      <LiveRefresh topics={["media_buy"]} />
      <PageHeader title="Media buys" description="Every order of every buyer." />
      <Card flush aria-label="Media buys">
        <div className="grid gap-2 border-b border-line px-3 py-2">
          <FilterTabs label="Status" tabs={tabs.map((tab) => ({ label: tab.label, count: tab.count, href: `${path}${toQuery({ ...state, status: tab.status, page: 1 })}`, isCurrent: tab.status === status }))} />
          <ListSearch label="Order, account, buyer, PO number or id" className="max-w-sm" />
        </div>
        <MediaBuyTable
          total={found.total}
          rows={found.rows.map(({ id, budgetMicros, currency, startsAt, endsAt, createdAt, ...row }) => ({
            ...row,
            id,
            href: `${path}/${toWireId("mediaBuy", id)}`,
            budget: `${formatMoney(budgetMicros, currency)} ${currency}`,
            starts: formatDate(startsAt, timeZone),
            ends: formatDate(endsAt, timeZone),
            created: formatDate(createdAt, timeZone),
          }))}
          empty={search !== "" || status !== "all" ? (
            <EmptyState icon={ReceiptText} title="No media buy matches" action={<Button asChild><Link href={path}>Show all</Link></Button>}>Look under another status, or search for part of a name.</EmptyState>
          ) : (
            <EmptyState icon={ReceiptText} title="No media buys yet">They appear here as soon as a buyer’s agent places one.</EmptyState>
          )}
        />
        <p className="border-t border-line px-4 py-2 text-xs text-ink-2">Dates in {timeZone}</p>
      </Card>
    </>
  );
}
