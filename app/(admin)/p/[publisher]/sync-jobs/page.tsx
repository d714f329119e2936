import { ListCollapse, RefreshCw, Rows3, X } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { LiveRefresh } from "@/components/shell/live";
import { syncJobParams } from "@/components/sync-jobs/list-params";
import { SyncJobTable } from "@/components/sync-jobs/sync-job-table";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { listSyncJobs } from "@/lib/sync-jobs/queries";

export const metadata: Metadata = { title: "Sync jobs" };

const loadParams = createLoader(syncJobParams);
const toQuery = createSerializer(syncJobParams);
const TABS = [["all", "All"], ["open", "Under way"], ["succeeded", "Done"], ["failed", "Failed"]] as const;

export default async function SyncJobsPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "connection.read");
  const query = await loadParams(searchParams);
  const { rows, total, counts } = await page.run((ctx) => listSyncJobs(ctx, query));
  const now = new Date();
  const path = `/p/${publisher}/sync-jobs`;
  const { search, connection, runs } = query;
  const isFolded = runs === "folded";
  return (
    <>
      <LiveRefresh topics={["sync_job"]} />
      <PageHeader title="Sync jobs" description="Tests of connections, syncs of their inventory, and hourly pulls of what orders delivered. They run in the background; ask for the first two on a connection's page." />
      <Card flush>
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
          <FilterTabs label="State" tabs={TABS.map(([state, label]) => ({ label, href: `${path}${toQuery({ search, connection, state, runs })}`, count: counts[state], isCurrent: query.state === state }))} />
          <div className="flex flex-wrap items-center gap-2">
            {connection === null ? null : <Button size="small" asChild><Link href={`${path}${toQuery({ search, state: query.state, runs })}`}><X aria-hidden />One connection only: show all</Link></Button>}
            <Button size="small" asChild>
              <Link href={`${path}${toQuery({ search, connection, state: query.state, runs: isFolded ? "each" : "folded" })}`}>
                {isFolded ? <Rows3 aria-hidden /> : <ListCollapse aria-hidden />}{isFolded ? "Show every run" : "Fold runs in a row"}
              </Link>
            </Button>
            <ListSearch label="Search by connection" />
          </div>
        </div>
        <SyncJobTable
          rows={rows.map((row) => ({ ...row, now, timeZone: page.timeZone }))} total={total}
          empty={<EmptyState icon={RefreshCw} title={search || connection !== null || query.state !== "all" ? "Nothing matches" : "Nothing was tested or synced yet"} />}
        />
      </Card>
    </>
  );
}
