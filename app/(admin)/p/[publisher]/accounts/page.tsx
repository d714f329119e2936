import { Building2 } from "lucide-react";
import { type Metadata } from "next";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { AccountTable } from "@/components/accounts/account-table";
import { accountParams } from "@/components/accounts/list-params";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { LiveRefresh } from "@/components/shell/live";
import { Card } from "@/components/ui/card";
import { Notice } from "@/components/ui/notice";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { listAccountAdvertisers } from "@/lib/accounts/advertisers";
import { requirePage } from "@/lib/auth/page";
import { loadSettings } from "@/lib/tenants/settings";
import { mapAdvertiserAction, unmapAdvertiserAction } from "./actions";

export const metadata: Metadata = { title: "Accounts" };

const loadParams = createLoader(accountParams);
const toQuery = createSerializer(accountParams);

export default async function AccountsPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "account.read");
  const query = await loadParams(searchParams);
  const { list, settings } = await page.run(async (ctx) => ({ list: await listAccountAdvertisers(ctx, query), settings: await loadSettings(ctx) }));
  const actions = page.can("account.map_advertiser") ? { map: mapAdvertiserAction, unmap: unmapAdvertiserAction } : null;
  const rows = list.rows.map((row) => ({ ...row, actions, isAdvertiserCreationAllowed: settings.isAdvertiserCreationAllowed }));
  const tab = (show: "all" | "unmapped", label: string) => ({ label, href: `/p/${publisher}/accounts${toQuery({ search: query.search, show })}`, count: list.counts[show], isCurrent: query.show === show });
  return (
    <>
      <LiveRefresh topics={["connection", "queue"]} />
      <PageHeader title="Accounts" description="Whom you bill: a brand with the operator that buys for it. Each stands for an advertiser in the ad server." />
      {actions ? null : <Notice tone="info" className="mb-5">You can look at accounts. Choosing advertisers takes the role trafficker or admin.</Notice>}
      <Card flush>
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
          <FilterTabs label="Accounts shown" tabs={[tab("all", "All"), tab("unmapped", "Without an advertiser")]} />
          <ListSearch label="Search by name, domain or buyer" />
        </div>
        <AccountTable
          rows={rows} total={list.total}
          empty={query.search ? <EmptyState icon={Building2} title={`No account matches “${query.search}”`} /> : query.show === "unmapped" ? <EmptyState icon={Building2} title="Every account has its advertiser" /> : (
            <EmptyState icon={Building2} title="No accounts yet">They come with the first order or sync of a buying agent.</EmptyState>
          )}
        />
      </Card>
    </>
  );
}
