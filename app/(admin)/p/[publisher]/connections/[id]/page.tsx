import { Archive, PlugZap, RefreshCw } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { cache } from "react";
import { ConnectionForm } from "@/components/connections/connection-form";
import { JobProgress } from "@/components/connections/job-progress";
import { ConnectionStatus, ModeBadge } from "@/components/connections/status";
import { TestChecks } from "@/components/connections/test-result";
import { ActionButton } from "@/components/forms/action-button";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Notice } from "@/components/ui/notice";
import { DescriptionList, EmptyState, PageHeader } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { type ConnectionView, loadConnection } from "@/lib/ad-servers/connection-queries";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { type PageAccess, requirePage } from "@/lib/auth/page";
import { AppError } from "@/lib/errors";
import { type InventorySummary, summariseInventory } from "@/lib/inventory/queries";
import { DAY_MS } from "@/lib/time";
import { archiveConnectionAction, saveConnectionAction, syncInventoryAction, testConnectionAction } from "../actions";

type Props = { params: Promise<{ publisher: string; id: string }> };

const load = cache(async (publisher: string, id: string) => {
  const page = await requirePage(publisher, "connection.read");
  try {
    return { page, ...(await page.run(async (ctx) => ({ connection: await loadConnection(ctx, id), inventory: await summariseInventory(ctx, id) }))) };
  } catch (error) {
    if (error instanceof AppError && error.code === "REFERENCE_NOT_FOUND") notFound();
    throw error;
  }
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { publisher, id } = await params;
  return { title: (await load(publisher, id)).connection.name };
}

export default async function ConnectionPage({ params }: Props) {
  const { publisher, id } = await params;
  const { page, connection, inventory } = await load(publisher, id);
  const declaration = adServerDeclaration(connection.kind);
  const now = new Date();
  const canEdit = page.can("connection.edit") && !connection.archivedAt;
  return (
    <>
      <LiveRefresh topics={["connection", "sync_job"]} />
      <PageHeader
        title={connection.name}
        description={<span className="flex flex-wrap items-center gap-2"><Link href={`/p/${publisher}/connections`} className="text-accent hover:underline">Connections</Link><span>{declaration.label}</span><ModeBadge mode={connection.mode} /><ConnectionStatus status={connection.status} isArchived={connection.archivedAt !== null} testJob={connection.lastTestJob} /></span>}
        actions={canEdit ? (
          <ConfirmAction
            action={archiveConnectionAction} fields={{ id }} title={`Archive ${connection.name}?`} confirmLabel="Archive" trigger={<Button><Archive aria-hidden />Archive</Button>}
            description="No order goes through it any more. What it did stays on record. This is refused while products are mapped to it or orders run through it."
          />
        ) : undefined}
      />
      <div className="grid items-start gap-5 xl:grid-cols-2">
        <TestCard connection={connection} page={page} now={now} />
        <InventoryCard connection={connection} inventory={inventory} page={page} now={now} publisher={publisher} />
        <Card title="Settings" className="xl:col-span-2">
          {canEdit ? (
            <ConnectionForm
              action={saveConnectionAction} kinds={[]} modes={[]} defaults={{ currency: connection.currency, timeZone: connection.timeZone }}
              connection={{
                id, version: connection.version, name: connection.name, kind: connection.kind, mode: connection.mode, currency: connection.currency, timeZone: connection.timeZone, ratePerSecond: connection.ratePerSecond,
                credentialsHint: connection.credentialsHint, networkCode: declaration.networkKey(connection.config), traffickerId: textOf(connection.config.traffickerId),
              }}
            />
          ) : (
            <div className="grid gap-4">
              <Notice tone="info">{connection.archivedAt ? "This connection is archived: it is kept for the record." : "Only administrators of this publisher can change connections."}</Notice>
              <DescriptionList items={[
                { term: "Network code", description: declaration.networkKey(connection.config) }, { term: "Trafficker's user id", description: textOf(connection.config.traffickerId) || "The service account itself" },
                { term: "Currency", description: connection.currency }, { term: "Time zone", description: connection.timeZone },
                { term: "Credentials", description: connection.credentialsHint ?? "None stored" }, { term: "Calls per second", description: String(connection.ratePerSecond) },
              ]} />
            </div>
          )}
        </Card>
      </div>
    </>
  );
}

function TestCard({ connection, page, now }: { connection: ConnectionView; page: PageAccess; now: Date }) {
  const { lastTest, lastTestJob: job } = connection;
  const isRunning = job?.state === "queued" || job?.state === "running";
  // A test that reached the ad server left its findings, its failure among them.
  const isTold = lastTest !== null && job?.startedAt instanceof Date && new Date(lastTest.testedAt) >= job.startedAt;
  return (
    <Card
      title="Test"
      description={lastTest ? <>Last tested <TimeAgo at={new Date(lastTest.testedAt)} now={now} timeZone={page.timeZone} /></> : "What the ad server says about this connection."}
      actions={page.can("inventory.sync") && !connection.archivedAt ? <ActionButton action={testConnectionAction} fields={{ id: connection.id }} size="small" disabled={isRunning}><PlugZap aria-hidden />Test connection</ActionButton> : undefined}
    >
      <div className="grid gap-4">
        {isRunning || (job?.state === "failed" && !isTold) ? <JobProgress job={job} /> : null}
        {lastTest ? (
          <>
            {isRunning ? <p className="text-[0.8125rem] text-ink-2">Below is what the test before found.</p> : null}
            <TestChecks checks={lastTest.checks} />
            {lastTest.networkName ? <DescriptionList className="border-t border-line pt-3" items={[
              { term: "Network", description: lastTest.networkName }, { term: "Its currency", description: lastTest.currency ?? "Unknown" }, { term: "Its time zone", description: lastTest.timeZone ?? "Unknown" },
            ]} /> : null}
          </>
        ) : isRunning ? null : <EmptyState icon={PlugZap} title="Not tested yet" className="py-6" />}
      </div>
    </Card>
  );
}

const INVENTORY_NAMES = { ad_unit: "Ad units", placement: "Placements", targeting_key: "Targeting keys", targeting_value: "Targeting values", advertiser: "Advertisers" } as const;

function InventoryCard({ connection, inventory, page, now, publisher }: { connection: ConnectionView; inventory: InventorySummary; page: PageAccess; now: Date; publisher: string }) {
  const { lastInventoryJob: job, inventorySyncedAt } = connection;
  const isRunning = job?.state === "queued" || job?.state === "running";
  const isOld = inventorySyncedAt !== null && now.getTime() - inventorySyncedAt.getTime() > 2 * DAY_MS;
  return (
    <Card
      title="Inventory"
      description={inventorySyncedAt ? <>Synced <TimeAgo at={inventorySyncedAt} now={now} timeZone={page.timeZone} /></> : "What products can be mapped to."}
      actions={page.can("inventory.sync") && !connection.archivedAt ? <ActionButton action={syncInventoryAction} fields={{ id: connection.id }} size="small" disabled={isRunning || connection.status !== "verified"}><RefreshCw aria-hidden />Sync inventory</ActionButton> : undefined}
    >
      <div className="grid gap-4">
        {isRunning || job?.state === "failed" ? <JobProgress job={job} /> : null}
        {isOld && !isRunning ? <Notice tone="warning">This picture is more than two days old. What was added to the ad server since cannot be chosen yet.</Notice> : null}
        {connection.status !== "verified" && !isRunning && !inventorySyncedAt ? <p className="text-ink-2">It can be synced once the connection&apos;s test has passed.</p> : null}
        {inventory.some((row) => row.current + row.retired > 0) ? (
          <DescriptionList items={inventory.map((row) => ({
            term: INVENTORY_NAMES[row.kind],
            description: <span className="tabular">{row.current.toLocaleString("en-US")}{row.retired > 0 ? <span className="text-ink-2"> and {row.retired.toLocaleString("en-US")} retired</span> : null}</span>,
          }))} />
        ) : isRunning || !inventorySyncedAt ? null : <p className="text-ink-2">The ad server has no inventory that its service account can see.</p>}
        <p><Link href={`/p/${publisher}/sync-jobs?connection=${connection.id}`} className="text-accent hover:underline">All tests and syncs of this connection</Link></p>
      </div>
    </Card>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
