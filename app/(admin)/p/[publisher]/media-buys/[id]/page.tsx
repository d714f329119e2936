import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { decide, replay, reread, resolve, resolveStopped, retry } from "./actions";
import { Checks } from "@/components/media-buys/checks";
import { DecisionBar } from "@/components/media-buys/decision-bar";
import { DecisionNotice } from "@/components/media-buys/decision-notice";
import { Delivered, Feedback } from "@/components/media-buys/delivered";
import { Deliveries } from "@/components/media-buys/deliveries";
import { Execution } from "@/components/media-buys/execution";
import { GovernanceCard } from "@/components/media-buys/governance";
import { OrderSummary } from "@/components/media-buys/order-summary";
import { PackageLists } from "@/components/media-buys/package-lists";
import { Packages } from "@/components/media-buys/packages";
import { PlanPreview } from "@/components/media-buys/plan-preview";
import { RawRequest } from "@/components/media-buys/raw-request";
import { ExecutionBadge, MediaBuyStatusBadge } from "@/components/media-buys/status";
import { Timeline } from "@/components/media-buys/timeline";
import { LiveRefresh } from "@/components/shell/live";
import { Badge } from "@/components/ui/badge";
import { PageHeader } from "@/components/ui/page";
import { loadReview, type Review } from "@/lib/approvals/review";
import { requirePage } from "@/lib/auth/page";
import { AppError } from "@/lib/errors";
import { listFeedback } from "@/lib/delivery/feedback";
import { loadPackageTotals } from "@/lib/delivery/queries";
import { fromWireId } from "@/lib/ids";
import { formatMoney } from "@/lib/money";

type Props = { params: Promise<{ publisher: string; id: string }> };

/** Read once for the title and the screen. Ids are as buyers know them (`mb_…`); links of notices carry our own form. */
const openReview = cache(async (publisher: string, id: string) => {
  const page = await requirePage(publisher, "media_buy.read");
  try {
    return { page, ...(await page.run(async (ctx) => {
      const review = await loadReview(ctx, fromWireId("mediaBuy", id) ?? id);
      return { review, delivered: await loadPackageTotals(ctx, [review.mediaBuy.id]), feedback: await listFeedback(ctx, review.mediaBuy.id), now: ctx.now };
    })) };
  } catch (error) {
    if (error instanceof AppError && error.code === "MEDIA_BUY_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id } = await params;
  const { review } = await openReview(publisher, id);
  return { title: review.mediaBuy.name };
}

export default async function MediaBuyPage({ params }: Props) {
  const { publisher, id } = await params;
  const { page, review, delivered, feedback, now } = await openReview(publisher, id);
  const { mediaBuy } = review;
  const { timeZone } = page;
  const approval = review.openStep?.kind === "media_buy_approval" ? review.openStep : null;
  const isConfirmed = mediaBuy.confirmedAt !== null;
  const canDecide = page.can("media_buy.decide");
  return (
    <>
      <LiveRefresh topics={["media_buy"]} id={mediaBuy.id} />
      <nav aria-label="Breadcrumb" className="mb-1 text-[0.8125rem] text-ink-2">
        {approval ? <Link href={`/p/${publisher}/approvals`} className="rounded hover:underline">Approvals</Link> : <Link href={`/p/${publisher}/media-buys`} className="rounded hover:underline">Media buys</Link>}
      </nav>
      <PageHeader
        title={mediaBuy.name}
        description={`${review.buyer.name} · ${review.account.brandDomain}`}
        actions={<>{mediaBuy.isSandbox ? <Badge>Sandbox</Badge> : null}<MediaBuyStatusBadge status={mediaBuy.status} />{isConfirmed ? <ExecutionBadge fulfilments={review.fulfilments} /> : null}</>}
      />
      <div className="grid gap-4">
        <DecisionNotice review={review} now={now} timeZone={timeZone} />
        <OrderSummary review={review} now={now} timeZone={timeZone} />
        {approval ? <Checks checks={review.checks} /> : null}
        {review.governance ? <GovernanceCard governance={review.governance} steps={review.steps} action={canDecide ? resolveStopped : null} now={now} timeZone={timeZone} /> : null}
        <Packages review={review} publisher={publisher} timeZone={timeZone} />
        <PackageLists review={review} reread={page.can("media_buy.retry") ? reread : null} now={now} timeZone={timeZone} />
        {isConfirmed ? <Delivered packages={review.packages} totals={delivered} now={now} timeZone={timeZone} /> : null}
        <Feedback packages={review.packages} feedback={feedback} now={now} timeZone={timeZone} />
        {approval ? review.previews.map((preview) => <PlanPreview key={preview.adapterConfigId} preview={preview} title="What will be written to" />) : null}
        {isConfirmed ? (
          <section id="execution" tabIndex={-1} aria-label="Execution" className="grid gap-4 outline-none">
            {review.fulfilments.map((fulfilment) => (
              <Execution
                key={fulfilment.id}
                fulfilment={fulfilment}
                steps={review.steps}
                actions={{ resolveBlocked: resolve, retryFulfilment: retry }}
                canDecide={canDecide}
                canRetry={page.can("media_buy.retry")}
                now={now}
                timeZone={timeZone}
              />
            ))}
          </section>
        ) : null}
        {isConfirmed ? stoppedPreviews(review).map((preview) => <PlanPreview key={preview.adapterConfigId} preview={preview} title="Still to be written to" />) : null}
        <Deliveries deliveries={review.deliveries} replay={page.can("webhook.replay") ? replay : null} now={now} timeZone={timeZone} />
        <Timeline entries={review.timeline} now={now} timeZone={timeZone} />
        <RawRequest request={review.rawRequest} />
      </div>
      {canDecide ? (
        <DecisionBar
          question={approval ? { stepId: approval.id, shownHash: review.shownHash } : null}
          order={{ name: mediaBuy.name, amount: `${formatMoney(mediaBuy.budgetMicros, mediaBuy.currency)} ${mediaBuy.currency}`, buyer: review.buyer.name }}
          effects={effectsOf(review)}
          blocks={review.checks.filter(({ outcome }) => outcome === "block").map(({ message }) => message)}
          action={decide}
        />
      ) : approval ? <p className="mt-5 text-ink-2">Your role may read this order, not decide on it.</p> : null}
    </>
  );
}

/** What a stopped ad server has yet to receive: what trying again would do. */
function stoppedPreviews({ previews, fulfilments }: Review): Review["previews"] {
  const stopped = new Set(fulfilments.filter(({ state }) => state === "blocked" || state === "failed").map(({ adapterConfigId }) => adapterConfigId));
  return previews.filter(({ adapterConfigId, plan }) => stopped.has(adapterConfigId) && plan.outcome === "operations" && plan.operations.length > 0);
}

function effectsOf({ previews }: Review): string[] {
  return previews.flatMap(({ connectionName, plan }) => (plan.outcome === "operations" ? [`${connectionName}: ${plan.operations.map(({ summary }) => summary).join(", ")}`] : []));
}
