import { Building2 } from "lucide-react";
import Link from "next/link";
import { AccountStatus } from "@/components/accounts/account-status";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/page";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type BuyerAccount } from "@/lib/accounts/of-buyer";
import { accountDecisions } from "@/lib/accounts/status";
import { type AdminAction } from "@/lib/auth/action-state";
import { AccountDecision } from "./account-decision";

/** A buyer's accounts with what stands in the way of their orders. */
export function AccountsCard({ accounts, publisher, decide, now, timeZone }: { accounts: BuyerAccount[]; publisher: string; /** null for whoever may only look. */ decide: AdminAction | null; now: Date; timeZone: string }) {
  return (
    <Card title="Accounts" description="Whom you bill for its orders." actions={<Link href={`/p/${publisher}/accounts`} className="text-[0.8125rem] text-accent hover:underline">All accounts and their advertisers</Link>} flush>
      {accounts.length === 0 ? <EmptyState icon={Building2} title="It has no account yet" className="py-8">Accounts come with its first order or sync.</EmptyState> : (
        <Table caption="Accounts">
          <TableHead><ColumnHeader>Account</ColumnHeader><ColumnHeader>Status</ColumnHeader><ColumnHeader>Governance</ColumnHeader><ColumnHeader>Opened</ColumnHeader></TableHead>
          <TableBody>
            {accounts.map((account) => (
              <TableRow key={account.id}>
                <RowHeader><span className="flex flex-wrap items-center gap-1.5">{account.name}{account.isSandbox ? <Badge>Sandbox</Badge> : null}</span><p className="font-normal break-words text-ink-2">{account.brandDomain} · by {account.operator}</p></RowHeader>
                <Cell>
                  <div className="flex flex-wrap items-center gap-2">
                    <AccountStatus account={account} />
                    {decide && accountDecisions(account.status).length > 0 ? <AccountDecision action={decide} account={account} choices={accountDecisions(account.status)} /> : null}
                  </div>
                </Cell>
                <Cell>{account.isGoverned ? "Its orders wait for its agents’ agreement" : <span className="text-ink-2">None</span>}</Cell>
                <Cell className="whitespace-nowrap"><TimeAgo at={account.createdAt} now={now} timeZone={timeZone} /></Cell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      )}
    </Card>
  );
}
