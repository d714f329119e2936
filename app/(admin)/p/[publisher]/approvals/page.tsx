import { CircleCheckBig } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { queueParams } from "@/components/media-buys/list-params";
import { QueueTable } from "@/components/media-buys/queue-table";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { listQueue } from "@/lib/approvals/queue";
import { requirePage } from "@/lib/auth/page";
import { toWireId } from "@/lib/ids";
import { formatMoney } from "@/lib/money";
import { formatDate } from "@/lib/time";

export const metadata: Metadata = { title: "Approvals" };

const readParams = createLoader(queueParams);
const toQuery = createSerializer(queueParams);

type Props = { params: Promise<{ publisher: string }>; searchParams: Promise<SearchParams> };

export default async function ApprovalsPage({ params, searchParams }: Props) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "media_buy.read");
  const { kind, page: number, pageSize } = await readParams(searchParams);
  const { rows, total, counts, now } = await page.run(async (ctx) => ({ ...(await listQueue(ctx, { kind: kind === "all" ? undefined : kind, page: number, pageSize })), now: ctx.now }));
  const { timeZone } = page;
  const path = `/p/${publisher}/approvals`;
  const tabs = [
    { kind: "all", label: "Everything", count: Object.values(counts).reduce((sum, count) => sum + count, 0) },
    { kind: "media_buy_approval", label: "Approvals", count: counts.media_buy_approval },
    { kind: "creative_review", label: "Creatives", count: counts.creative_review },
    { kind: "fulfilment_blocked", label: "Blocked", count: counts.fulfilment_blocked },
    { kind: "governance_stopped", label: "Governance", count: counts.governance_stopped },
  ] as const;
  return (
    <>
      <LiveRefresh topics={["queue", "media_buy"]} />
      <PageHeader title="Approvals" description="What needs a person, oldest first." />
      <Card flush aria-label="Queue">
        <div className="border-b border-line px-3"><FilterTabs label="Kind" tabs={tabs.map((tab) => ({ label: tab.label, count: tab.count, href: `${path}${toQuery({ kind: tab.kind, pageSize })}`, isCurrent: tab.kind === kind }))} /></div>
        <QueueTable
          total={total}
          rows={rows.map(({ subject, ...row }) => ({
            ...row,
            href: subject.kind === "creative" ? `/p/${publisher}/creatives/${toWireId("creative", subject.id)}` : `/p/${publisher}/media-buys/${toWireId("mediaBuy", subject.id)}`,
            order: subject.kind === "creative" ? null : { budget: `${formatMoney(subject.budgetMicros, subject.currency)} ${subject.currency}`, starts: formatDate(subject.startsAt, timeZone), ends: formatDate(subject.endsAt, timeZone) },
            creative: subject.kind === "creative" ? { formatId: subject.formatId, packageCount: subject.packageCount } : null,
            now,
            timeZone,
          }))}
          empty={(
            <EmptyState icon={CircleCheckBig} title={kind === "all" ? "Nothing waits for you" : "Nothing of this kind waits"} action={<Button asChild><Link href={`/p/${publisher}/media-buys`}>See all media buys</Link></Button>}>
              Orders that need an approval, creatives that need a review, and orders that an ad server refused, appear here by themselves.
            </EmptyState>
          )}
        />
        <p className="border-t border-line px-4 py-2 text-xs text-ink-2">Dates in {timeZone}</p>
      </Card>
    </>
  );
}
