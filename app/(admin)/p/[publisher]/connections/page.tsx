import { Cable, Plus } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { ConnectionStatus, ModeBadge } from "@/components/connections/status";
import { LiveRefresh } from "@/components/shell/live";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, PageHeader } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { listConnections } from "@/lib/ad-servers/connection-queries";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { requirePage } from "@/lib/auth/page";

export const metadata: Metadata = { title: "Connections" };

export default async function ConnectionsPage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "connection.read");
  const connections = await page.run((ctx) => listConnections(ctx));
  const canEdit = page.can("connection.edit");
  const now = new Date();
  const add = <Button variant="primary" asChild><Link href={`/p/${publisher}/connections/new`}><Plus aria-hidden />Add connection</Link></Button>;
  return (
    <>
      <LiveRefresh topics={["connection", "sync_job"]} />
      <PageHeader title="Connections" description="The ad servers that carry this publisher's orders." actions={canEdit ? add : undefined} />
      {connections.length === 0 ? (
        <Card>
          <EmptyState icon={Cable} title="No ad server is connected yet" action={canEdit ? add : undefined}>
            {canEdit ? "Orders can be taken once an ad server is connected, its test has passed and products are mapped to it." : "An administrator can connect one."}
          </EmptyState>
        </Card>
      ) : (
        <Card flush>
          <Table caption="Ad-server connections">
            <TableHead>
              <ColumnHeader>Connection</ColumnHeader><ColumnHeader>Status</ColumnHeader><ColumnHeader>Network</ColumnHeader><ColumnHeader>Currency and zone</ColumnHeader>
              <ColumnHeader>Inventory</ColumnHeader><ColumnHeader isNumeric>Products</ColumnHeader><ColumnHeader isNumeric>Running orders</ColumnHeader>
            </TableHead>
            <TableBody>
              {connections.map((connection) => {
                const adUnits = connection.inventory.find((item) => item.kind === "ad_unit")?.count ?? 0;
                return (
                  <TableRow key={connection.id}>
                    <RowHeader>
                      <Link href={`/p/${publisher}/connections/${connection.id}`} className="text-accent hover:underline">{connection.name}</Link>
                      <p className="flex flex-wrap items-center gap-1.5 font-normal whitespace-nowrap text-ink-2">{adServerDeclaration(connection.kind).label} <ModeBadge mode={connection.mode} /></p>
                    </RowHeader>
                    <Cell><ConnectionStatus status={connection.status} testJob={connection.lastTestJob} /></Cell>
                    <Cell>
                      <p>{connection.networkName ?? "Not tested yet"}</p>
                      <p className="tabular text-ink-2">{adServerDeclaration(connection.kind).networkKey(connection.config)}</p>
                    </Cell>
                    <Cell><p>{connection.currency}</p><p className="whitespace-nowrap text-ink-2">{connection.timeZone}</p></Cell>
                    <Cell className="whitespace-nowrap">
                      {connection.inventorySyncedAt ? (
                        <><p className="tabular">{adUnits.toLocaleString("en-US")} ad units</p><p className="text-ink-2">synced <TimeAgo at={connection.inventorySyncedAt} now={now} timeZone={page.timeZone} /></p></>
                      ) : <span className="text-ink-2">Never synced</span>}
                    </Cell>
                    <Cell isNumeric>{connection.productCount}</Cell>
                    <Cell isNumeric>{connection.openOrderCount}</Cell>
                  </TableRow>
                );
              })}
            </TableBody>
          </Table>
        </Card>
      )}
    </>
  );
}
