import { Archive, PhoneIncoming } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { createLoader, createSerializer, type SearchParams } from "nuqs/server";
import { cache } from "react";
import { AccountsCard } from "@/components/buyers/accounts-card";
import { CallTable, ToolFilter } from "@/components/buyers/call-table";
import { CatalogueCard } from "@/components/buyers/catalogue-card";
import { KeysCard } from "@/components/buyers/keys-card";
import { LimitsCard } from "@/components/buyers/limits-card";
import { callParams } from "@/components/buyers/list-params";
import { ReceiversCard } from "@/components/buyers/receivers-card";
import { RenameBuyer } from "@/components/buyers/rename-buyer";
import { TokensCard } from "@/components/buyers/tokens-card";
import { FilterTabs } from "@/components/data-table/filter-tabs";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { LiveRefresh } from "@/components/shell/live";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyableId } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";
import { DescriptionList, EmptyState, PageHeader } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { listAccountsOfBuyer } from "@/lib/accounts/of-buyer";
import { requirePage } from "@/lib/auth/page";
import { loadAttention } from "@/lib/buyers/attention";
import { loadPrincipal } from "@/lib/buyers/queries";
import { loadRateUsage } from "@/lib/buyers/rate-queries";
import { listCalls } from "@/lib/call-log/queries";
import { AppError } from "@/lib/errors";
import { listProductVisibility } from "@/lib/products/visibility";
import { toWireId } from "@/lib/ids";
import { formatDate } from "@/lib/time";
import { listDeadLetters, listReceivers } from "@/lib/webhooks/receivers";
import {
  archiveBuyerAction, decideAccountAction, issueTokenAction, registerKeysAction, renameBuyerAction, replayAction, replayAllAction, requireSigningAction, revokeKeyAction, revokeTokenAction, rotateTokenAction, saveLimitsAction, setPricesAction,
} from "../actions";

type Props = { params: Promise<{ publisher: string; id: string }>; searchParams: Promise<SearchParams> };

const loadCallParams = createLoader(callParams);
const toQuery = createSerializer(callParams);

const load = cache(async (publisher: string, id: string) => {
  const page = await requirePage(publisher, "buyer.read");
  try {
    return { page, buyer: await page.run((ctx) => loadPrincipal(ctx, id)) };
  } catch (error) {
    if (error instanceof AppError && error.code === "REFERENCE_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id } = await params;
  return { title: (await load(publisher, id)).buyer.name };
}

export default async function BuyerPage({ params, searchParams }: Props) {
  const { publisher, id } = await params;
  const { page, buyer } = await load(publisher, id);
  const query = await loadCallParams(searchParams);
  const { calls, attention, accounts, receivers, deadLetters, rates, products } = await page.run(async (ctx) => ({
    calls: await listCalls(ctx, { ...query, principalId: id }), attention: (await loadAttention(ctx, [id])).get(id), accounts: await listAccountsOfBuyer(ctx, id),
    receivers: await listReceivers(ctx, id), deadLetters: await listDeadLetters(ctx, { principalId: id }), rates: await loadRateUsage(ctx, id), products: await listProductVisibility(ctx, id),
  }));
  const now = new Date();
  const { timeZone } = page;
  const isActive = buyer.archivedAt === null;
  const canEdit = page.can("buyer.edit") && isActive;
  const failure = attention?.calls.lastFailure;
  const tab = (show: "all" | "failed", label: string) => ({ label, href: `/p/${publisher}/buyers/${id}${toQuery({ tool: query.tool, show })}`, count: calls.counts[show], isCurrent: query.show === show });
  return (
    <>
      <LiveRefresh topics={["buyer"]} id={id} />
      <PageHeader
        title={buyer.name}
        description={(
          <span className="flex flex-wrap items-center gap-2">
            <Link href={`/p/${publisher}/buyers`} className="text-accent hover:underline">Buyers</Link>
            {buyer.isSandbox ? <Badge>Sandbox</Badge> : null}
            <StatusBadge tone={isActive ? "success" : "neutral"}>{isActive ? "Active" : "Archived"}</StatusBadge>
          </span>
        )}
        actions={canEdit ? (
          <>
            <RenameBuyer action={renameBuyerAction} id={id} name={buyer.name} />
            <ConfirmAction
              action={archiveBuyerAction} fields={{ id }} title={`Archive ${buyer.name}?`} confirmLabel="Archive" trigger={<Button><Archive aria-hidden />Archive</Button>}
              description="None of its tokens and keys works from then on. Its orders stay, and run on. This cannot be undone."
            />
          </>
        ) : undefined}
      />
      <div className="grid items-start gap-5">
        {page.can("buyer.edit") ? null : <Notice tone="info">You can look at buyers. Only administrators of this publisher can change them.</Notice>}
        {isActive ? null : <Notice tone="info">This buyer is archived: none of its tokens and keys works.</Notice>}
        <Card>
          <DescriptionList items={[
            { term: "Id", description: <CopyableId value={toWireId("principal", id)} label="Copy the buyer’s id" /> },
            { term: "Created", description: formatDate(buyer.createdAt, timeZone) },
            { term: "Calls in 24 hours", description: <span className="tabular">{(attention?.calls.calls ?? 0).toLocaleString("en-US")}</span> },
            { term: "Of them failed", description: <span className="tabular">{(attention?.calls.failed ?? 0).toLocaleString("en-US")}</span> },
            { term: "Last failure", description: failure ? <><code className="font-mono text-xs">{failure.outcome}</code> in <code className="font-mono text-xs">{failure.tool}</code>, <TimeAgo at={failure.at} now={now} timeZone={timeZone} /></> : "None in 24 hours" },
          ]} />
        </Card>
        <Card title="Calls" description="Each failure by itself, with what was sent. Answered reads are counted by the minute." flush>
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
            <FilterTabs label="Calls shown" tabs={[tab("all", "All"), tab("failed", "Failed")]} />
            <ToolFilter tools={calls.tools} />
          </div>
          <CallTable rows={calls.rows.map((row) => ({ ...row, now, timeZone }))} total={calls.total} empty={<EmptyState icon={PhoneIncoming} title={query.show === "failed" ? "No call failed" : query.tool ? "No such call is on record" : "It has not called yet"} />} />
        </Card>
        <TokensCard buyer={buyer} actions={canEdit ? { issue: issueTokenAction, rotate: rotateTokenAction, revoke: revokeTokenAction } : null} now={now} timeZone={timeZone} />
        <div className="grid items-start gap-5 xl:grid-cols-2">
          <KeysCard buyer={buyer} actions={canEdit ? { register: registerKeysAction, revoke: revokeKeyAction, require: requireSigningAction } : null} now={now} timeZone={timeZone} />
          <ReceiversCard principalId={id} receivers={receivers} deadLetters={deadLetters} actions={page.can("webhook.replay") ? { one: replayAction, all: replayAllAction } : null} now={now} timeZone={timeZone} />
        </div>
        <CatalogueCard principalId={id} name={buyer.name} arePricesHidden={buyer.arePricesHidden} products={products} publisher={publisher} setPrices={canEdit ? setPricesAction : null} />
        <AccountsCard accounts={accounts} publisher={publisher} decide={page.can("account.decide") ? decideAccountAction : null} now={now} timeZone={timeZone} />
        <LimitsCard principalId={id} {...rates} action={canEdit ? saveLimitsAction : null} />
      </div>
    </>
  );
}
