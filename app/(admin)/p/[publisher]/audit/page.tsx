import { History } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { AuditFilter } from "@/components/audit/audit-filter";
import { AuditTable } from "@/components/audit/audit-table";
import { auditParams } from "@/components/audit/list-params";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { listAudit, listAuditActors } from "@/lib/audit/queries";
import { requirePage } from "@/lib/auth/page";

export const metadata: Metadata = { title: "Audit log" };

const loadParams = createLoader(auditParams);
const toQuery = createSerializer(auditParams);

export default async function AuditPage({ params, searchParams }: { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "audit.read");
  const { timeZone } = page;
  const { before, ...filter } = await loadParams(searchParams);
  const { rows, older, people, buyers } = await page.run(async (ctx) => ({ ...(await listAudit(ctx, { ...filter, before, timeZone })), ...(await listAuditActors(ctx)) }));
  const path = `/p/${publisher}/audit`;
  return (
    <>
      <PageHeader title="Audit log" description={`Who did what, and when (${timeZone}). It is kept for ever, and nobody can change it.`} />
      <Card flush>
        <AuditFilter filter={filter} people={people} buyers={buyers} path={path} />
        {rows.length === 0 ? <EmptyState icon={History} title={before === null ? "Nothing is on record for this" : "Nothing older is on record"} /> : <AuditTable rows={rows} publisher={publisher} timeZone={timeZone} />}
        {before === null && older === null ? null : (
          <nav aria-label="Pages" className="flex flex-wrap items-center justify-between gap-3 border-t border-line px-4 py-2.5 text-[0.8125rem]">
            {before === null ? <span /> : <Link href={`${path}${toQuery(filter)}`} className="text-accent hover:underline">Back to the newest</Link>}
            {older === null ? <span className="text-ink-2">That is all</span> : <Link href={`${path}${toQuery({ ...filter, before: older })}`} className="text-accent hover:underline">Older entries</Link>}
          </nav>
        )}
      </Card>
    </>
  );
}
