import { Bot, Plus } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { BuyerTable } from "@/components/buyers/buyer-table";
import { buyerParams } from "@/components/buyers/list-params";
import { StrangersCard } from "@/components/buyers/strangers-card";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { loadAttention } from "@/lib/buyers/attention";
import { listPrincipals } from "@/lib/buyers/queries";
import { listStrangers } from "@/lib/call-log/queries";

export const metadata: Metadata = { title: "Buyers" };

const loadParams = createLoader(buyerParams);
const toQuery = createSerializer(buyerParams);
const NOTHING = { calls: { calls: 0, failed: 0, lastFailure: null }, tokenEndsAt: null, deadLetters: 0, failingDeliveries: 0 };

export default async function BuyersPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "buyer.read");
  const query = await loadParams(searchParams);
  const { list, attention, strangers } = await page.run(async (ctx) => {
    const found = await listPrincipals(ctx, query);
    return { list: found, attention: await loadAttention(ctx, found.rows.map(({ id }) => id)), strangers: await listStrangers(ctx) };
  });
  const now = new Date();
  const { timeZone } = page;
  const path = `/p/${publisher}/buyers`;
  const add = page.can("buyer.edit") ? <Button variant="primary" asChild><Link href={`${path}/new`}><Plus aria-hidden />Create buyer</Link></Button> : undefined;
  const tab = (state: "active" | "archived", label: string) => ({ label, href: `${path}${toQuery({ search: query.search, state })}`, count: list.counts[state], isCurrent: query.state === state });
  return (
    <>
      <LiveRefresh topics={["buyer"]} />
      <PageHeader title="Buyers" description="Whose agents may call this publisher, and whether their calls get through." actions={add} />
      <div className="grid gap-5">
        <Card flush>
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
            <FilterTabs label="Buyers shown" tabs={[tab("active", "Active"), tab("archived", "Archived")]} />
            <ListSearch label="Search by name" />
          </div>
          <BuyerTable
            rows={list.rows.map((row) => ({ ...row, attention: attention.get(row.id) ?? NOTHING, now, timeZone }))} total={list.total}
            empty={query.search !== "" ? <EmptyState icon={Bot} title={`No buyer matches “${query.search}”`} /> : query.state === "archived" ? <EmptyState icon={Bot} title="No buyer is archived" /> : (
              <EmptyState icon={Bot} title="No buyer yet" action={add}>{add ? "Create one, and hand its agent a token." : "An administrator can create one."}</EmptyState>
            )}
          />
        </Card>
        <StrangersCard calls={strangers} now={now} timeZone={timeZone} />
      </div>
    </>
  );
}
