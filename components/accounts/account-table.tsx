"use client";

import { type ReactNode } from "react";
import { DataTable, type DataColumn } from "@/components/data-table/data-table";
import { Badge } from "@/components/ui/badge";
import { type AdminAction } from "@/lib/auth/action-state";
import { type AccountRow } from "@/lib/accounts/advertisers";
import { AdvertiserCell } from "./advertiser-cell";
import { accountParams } from "./list-params";
import { AccountStatus } from "./account-status";

export type ShownAccount = AccountRow & {
  /** What the person who looks may do here, and what happens to an account without an advertiser. */
  actions: { map: AdminAction; unmap: AdminAction } | null;
  isAdvertiserCreationAllowed: boolean;
};

const COLUMNS: DataColumn<ShownAccount>[] = [
  {
    id: "name", header: "Account", meta: { isRowHeader: true }, accessorFn: (row) => row.name,
    cell: ({ row: { original: account } }) => (
      <>
        <span className="flex flex-wrap items-center gap-1.5">{account.name}{account.isSandbox ? <Badge>Sandbox</Badge> : null}</span>
        <p className="font-normal break-words text-ink-2">{account.brandDomain} · by {account.operator}</p>
      </>
    ),
  },
  { id: "buyer", header: "Buyer", accessorFn: (row) => row.principalName },
  { id: "status", header: "Status", enableSorting: false, accessorFn: (row) => row.status, cell: ({ row: { original: account } }) => <AccountStatus account={account} /> },
  {
    id: "advertiser", header: "Advertiser in the ad server", enableSorting: false, accessorFn: (row) => row.advertisers.length,
    cell: ({ row: { original: account } }) => (account.advertisers.length === 0 ? <span className="text-ink-2">No {account.isSandbox ? "simulated" : "live"} ad server is connected</span> : (
      <ul className="grid gap-2">
        {account.advertisers.map((entry) => <li key={entry.connection.id}><AdvertiserCell account={account} entry={entry} /></li>)}
      </ul>
    )),
  },
];

export function AccountTable({ rows, total, empty }: { rows: ShownAccount[]; total: number; empty: ReactNode }) {
  return <DataTable caption="Accounts and their advertisers" columns={COLUMNS} rows={rows} rowId={(row) => row.id} total={total} params={accountParams} empty={empty} />;
}
