import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { Outcome } from "@/components/buyers/call-table";
import { ADVICE, REFUSALS, TRANSPORT_NAMES } from "@/components/buyers/words";
import { Card } from "@/components/ui/card";
import { CopyableId, CopyButton } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";
import { DescriptionList, PageHeader } from "@/components/ui/page";
import { ScrollRegion } from "@/components/ui/scroll-region";
import { requirePage } from "@/lib/auth/page";
import { loadPrincipal } from "@/lib/buyers/queries";
import { type CallView, loadCall } from "@/lib/call-log/queries";
import { OK } from "@/lib/call-log/schema";
import { AppError } from "@/lib/errors";
import { toWireId } from "@/lib/ids";
import { formatDateTime } from "@/lib/time";

type Props = { params: Promise<{ publisher: string; id: string; call: string }> };

const load = cache(async (publisher: string, id: string, callId: string) => {
  const page = await requirePage(publisher, "buyer.read");
  try {
    return { page, ...(await page.run(async (ctx) => ({ buyer: await loadPrincipal(ctx, id), call: await loadCall(ctx, { principalId: id, id: callId }) }))) };
  } catch (error) {
    if (error instanceof AppError && error.code === "REFERENCE_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id, call: callId } = await params;
  const { buyer, call } = await load(publisher, id, callId);
  return { title: `${call.tool} of ${buyer.name}` };
}

export default async function CallPage({ params }: Props) {
  const { publisher, id, call: callId } = await params;
  const { page, buyer, call } = await load(publisher, id, callId);
  const path = `/p/${publisher}/buyers/${id}`;
  return (
    <>
      <PageHeader
        title={<code className="font-mono">{call.tool}</code>}
        description={<span className="flex flex-wrap items-center gap-2"><Link href={`/p/${publisher}/buyers`} className="text-accent hover:underline">Buyers</Link><Link href={path} className="text-accent hover:underline">{buyer.name}</Link><Outcome outcome={call.outcome} /></span>}
      />
      <div className="grid gap-5">
        {call.outcome === OK ? null : <Why call={call} />}
        <Card title="The call">
          <DescriptionList items={[
            { term: "When", description: formatDateTime(call.at, page.timeZone) },
            { term: "By", description: TRANSPORT_NAMES[call.transport] },
            { term: "With", description: call.credential ? <code className="font-mono text-xs break-all">{call.credential}…</code> : "Nothing" },
            { term: call.calls > 1 ? "Took on average" : "Took", description: <span className="tabular">{call.durationMs.toFixed(1)} ms</span> },
            ...(call.calls > 1 ? [{ term: "Calls alike in that minute", description: <span className="tabular">{call.calls.toLocaleString("en-US")}</span> }] : []),
            ...(call.accountId ? [{ term: "Account", description: call.accountName ?? <>Not among its accounts: <CopyableId value={toWireId("account", call.accountId)} label="Copy the account’s id" /></> }] : []),
            ...(call.mediaBuyId ? [{ term: "Order", description: call.mediaBuyName === null ? <>Not among its orders: <CopyableId value={toWireId("mediaBuy", call.mediaBuyId)} label="Copy the order’s id" /></> : <Link href={`/p/${publisher}/media-buys/${toWireId("mediaBuy", call.mediaBuyId)}`} className="text-accent hover:underline">{call.mediaBuyName}</Link> }] : []),
            ...(call.requestId ? [{ term: "Id in the log", description: <CopyableId value={call.requestId} label="Copy the id in the log" /> }] : []),
          ]} />
        </Card>
        {call.request ? <Sent request={call.request} /> : call.outcome === OK || call.calls > 1 || call.refusal ? null : <p className="text-ink-2">What was sent is not kept.</p>}
      </div>
    </>
  );
}

function Why({ call }: { call: CallView }) {
  const advice = call.refusal ? REFUSALS[call.refusal].advice : ADVICE[call.outcome];
  return (
    <Card title="Why it failed">
      <div className="grid gap-4">
        <Notice tone="danger" title={call.refusal ? REFUSALS[call.refusal].short : (call.message ?? call.outcome)}>{advice}</Notice>
        <DescriptionList items={[
          ...(call.field ? [{ term: "Field", description: <code className="font-mono text-[0.8125rem] break-all">{call.field}</code> }] : []),
          ...(call.refusal && call.message ? [{ term: "What the buyer was told", description: call.message }] : []),
          ...(call.suggestion ? [{ term: "What the buyer was told to do", description: call.suggestion }] : []),
        ]} />
        {call.issues && call.issues.length > 0 ? (
          <details open={call.issues.length <= 5}>
            <summary className="text-[0.8125rem] font-medium">Every mistake in it ({call.issues.length})</summary>
            <ScrollRegion label="Mistakes" className="mt-2 rounded-md border border-line"><pre className="p-3 font-mono text-xs">{JSON.stringify(call.issues, null, 2)}</pre></ScrollRegion>
          </details>
        ) : null}
      </div>
    </Card>
  );
}

function Sent({ request }: { request: Record<string, unknown> }) {
  const text = JSON.stringify(request, null, 2);
  return (
    <Card title="What was sent" description="Without credentials; long texts and lists are cut." actions={<CopyButton value={text} label="Copy what was sent" />} flush>
      <ScrollRegion label="What was sent" className="max-h-[32rem] overflow-y-auto"><pre className="p-4 font-mono text-xs">{text}</pre></ScrollRegion>
    </Card>
  );
}
