import { Image as ImageIcon } from "lucide-react";
import { type Metadata } from "next";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { LibraryTable } from "@/components/creatives/library-table";
import { LIBRARY_TABS, libraryParams } from "@/components/creatives/list-params";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { LiveRefresh } from "@/components/shell/live";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { listLibrary } from "@/lib/creatives/library";
import { toWireId } from "@/lib/ids";

export const metadata: Metadata = { title: "Creatives" };

const loadParams = createLoader(libraryParams);
const toQuery = createSerializer(libraryParams);

const LABELS = { current: "All in use", pending_review: "In review", approved: "Approved", rejected: "Rejected", archived: "Archived" } as const;

export default async function CreativesPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "creative.read");
  const query = await loadParams(searchParams);
  const { rows, total, counts, now } = await page.run(async (ctx) => ({ ...(await listLibrary(ctx, query)), now: ctx.now }));
  const path = `/p/${publisher}/creatives`;
  return (
    <>
      <LiveRefresh topics={["creative"]} />
      <PageHeader title="Creatives" description="What buyers sent to run in their orders." />
      <Card flush aria-label="Library">
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
          <FilterTabs label="Status" tabs={LIBRARY_TABS.map((status) => ({ label: LABELS[status], href: `${path}${toQuery({ search: query.search, status })}`, count: counts[status], isCurrent: query.status === status }))} />
          <ListSearch label="Search by name, id, buyer or account" />
        </div>
        <LibraryTable
          rows={rows.map(({ id, ...row }) => ({ ...row, wireId: toWireId("creative", id), now, timeZone: page.timeZone }))} total={total}
          empty={query.search ? <EmptyState icon={ImageIcon} title={`No creative matches “${query.search}”`} /> : (
            <EmptyState icon={ImageIcon} title={query.status === "current" ? "No buyer has sent a creative yet" : `No creative is ${LABELS[query.status].toLowerCase()}`}>
              Creatives appear here by themselves when a buyer sends them, with an order or before.
            </EmptyState>
          )}
        />
      </Card>
    </>
  );
}
