import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { AssetsCard, AssignmentsCard, PreviewCard, ReviewNotice } from "@/components/creatives/creative-cards";
import { ReviewBar } from "@/components/creatives/review-bar";
import { CreativeStatusBadge } from "@/components/creatives/status";
import { Timeline } from "@/components/media-buys/timeline";
import { LiveRefresh } from "@/components/shell/live";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { DescriptionList, PageHeader } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { requirePage } from "@/lib/auth/page";
import { type CreativeView, loadCreative } from "@/lib/creatives/library";
import { AppError } from "@/lib/errors";
import { fromWireId, toWireId } from "@/lib/ids";
import { decideCreativeAction } from "../actions";

type Props = { params: Promise<{ publisher: string; id: string }> };

/** Read once for the title and the screen. */
const open = cache(async (publisher: string, id: string) => {
  const page = await requirePage(publisher, "creative.read");
  try {
    return { page, ...(await page.run(async (ctx) => ({ view: await loadCreative(ctx, fromWireId("creative", id) ?? id), now: ctx.now }))) };
  } catch (error) {
    if (error instanceof AppError && error.code === "CREATIVE_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id } = await params;
  return { title: (await open(publisher, id)).view.creative.name };
}

export default async function CreativePage({ params }: Props) {
  const { publisher, id } = await params;
  const { page, view, now } = await open(publisher, id);
  const { creative, account, buyer } = view;
  const { timeZone } = page;
  const path = `/p/${publisher}/creatives`;
  return (
    <>
      <LiveRefresh topics={["creative"]} id={creative.id} />
      <LiveRefresh topics={["media_buy"]} />
      <nav aria-label="Breadcrumb" className="mb-1 text-[0.8125rem] text-ink-2">
        {creative.status === "pending_review" ? <Link href={`/p/${publisher}/approvals?kind=creative_review`} className="rounded hover:underline">Approvals</Link> : <Link href={path} className="rounded hover:underline">Creatives</Link>}
      </nav>
      <PageHeader title={creative.name} description={`${buyer.name} · ${account.brandDomain}`} actions={<>{account.isSandbox ? <Badge>Sandbox</Badge> : null}<CreativeStatusBadge status={creative.status} /></>} />
      <div className="grid gap-4">
        <ReviewNotice view={view} now={now} timeZone={timeZone} />
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <PreviewCard view={view} />
          <Card title="Creative">
            <DescriptionList
              items={[
                { term: "Buyer", description: <Link href={`/p/${publisher}/buyers/${buyer.id}`} className="text-accent hover:underline">{buyer.name}</Link> },
                { term: "Account", description: account.name },
                { term: "The buyer’s id for it", description: <span className="inline-flex flex-wrap items-center gap-1 font-mono text-xs break-all">{creative.creativeId}<CopyButton value={creative.creativeId} label="Copy the buyer’s id" /></span> },
                { term: "Format", description: <span className="font-mono text-xs break-all">{creative.formatId.id}</span> },
                { term: "Sent", description: <TimeAgo at={creative.createdAt} now={now} timeZone={timeZone} /> },
                { term: "Last changed", description: <TimeAgo at={creative.updatedAt} now={now} timeZone={timeZone} /> },
                ...(creative.tags.length > 0 ? [{ term: "Tags", description: <span className="flex flex-wrap gap-1">{creative.tags.map((tag) => <Badge key={tag}>{tag}</Badge>)}</span> }] : []),
              ]}
            />
          </Card>
        </div>
        <AssetsCard view={view} />
        <AssignmentsCard view={view} publisher={publisher} now={now} timeZone={timeZone} />
        <Timeline entries={view.history} now={now} timeZone={timeZone} />
      </div>
      {page.can("creative.review") ? (
        <ReviewBar
          creative={{ id: creative.id, version: creative.version, status: creative.status, name: creative.name }} buyer={buyer.name} effect={effectOf(view)}
          nextHref={view.nextWaitingId ? `${path}/${toWireId("creative", view.nextWaitingId)}` : null} action={decideCreativeAction}
        />
      ) : creative.status === "pending_review" ? <p className="mt-5 text-ink-2">Your role may read this creative, not decide on it.</p> : null}
    </>
  );
}

const RUNNING = ["pending_creatives", "pending_start", "active", "paused"];

function effectOf({ assignments }: CreativeView): string {
  const orders = new Set(assignments.filter(({ buy, package: row }) => RUNNING.includes(buy.status) && row.canceledAt === null).map(({ buy }) => buy.name));
  if (orders.size === 0) return "No running order has it.";
  const [first] = orders;
  return orders.size === 1 ? `It is part of the order “${first}”.` : `It is part of ${orders.size} orders.`;
}
