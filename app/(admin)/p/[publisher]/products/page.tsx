import { Package, Plus } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ListSearch } from "@/components/data-table/list-search";
import { productParams } from "@/components/products/list-params";
import { ProductTable } from "@/components/products/product-table";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { listProducts } from "@/lib/products/queries";

export const metadata: Metadata = { title: "Products" };

const loadParams = createLoader(productParams);
const toQuery = createSerializer(productParams);

export default async function ProductsPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "product.read");
  const query = await loadParams(searchParams);
  const { rows, total, counts } = await page.run((ctx) => listProducts(ctx, query));
  const path = `/p/${publisher}/products`;
  const add = page.can("product.edit") ? <Button variant="primary" asChild><Link href={`${path}/new`}><Plus aria-hidden />Add product</Link></Button> : undefined;
  const tab = (state: "selling" | "archived", label: string) => ({ label, href: `${path}${toQuery({ search: query.search, state })}`, count: counts[state], isCurrent: query.state === state });
  return (
    <>
      <LiveRefresh topics={["product", "connection"]} />
      <PageHeader title="Products" description="What buying agents find here, and how it is sold." actions={add} />
      <Card flush>
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
          <FilterTabs label="State" tabs={[tab("selling", "On sale"), tab("archived", "Archived")]} />
          <ListSearch label="Search by name or id" />
        </div>
        <ProductTable
          rows={rows} total={total}
          empty={query.search ? <EmptyState icon={Package} title={`No product matches “${query.search}”`} /> : query.state === "archived" ? <EmptyState icon={Package} title="No product was archived" /> : (
            <EmptyState icon={Package} title="Nothing is on sale yet" action={add}>Buying agents find nothing here until the first product is made.</EmptyState>
          )}
        />
      </Card>
    </>
  );
}
