"use client";

import { useState } from "react";
import { useAdminAction } from "@/components/forms/action-form";
import { ActionStatus } from "@/components/forms/action-status";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { InventoryList } from "@/components/forms/inventory-list";
import { StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { type AdminAction } from "@/lib/auth/action-state";
import { type ShownAccount } from "./account-table";

type Entry = ShownAccount["advertisers"][number];

/** The advertiser that stands for an account in one connection, and the way to choose it. */
export function AdvertiserCell({ account, entry: { connection, advertiser } }: { account: ShownAccount; entry: Entry }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      <div className="min-w-40 flex-1">
        <p className="text-xs text-ink-2">{connection.name}</p>
        {advertiser ? (
          <p className="flex flex-wrap items-center gap-1.5">{advertiser.name} <span className="tabular text-[0.8125rem] text-ink-2">{advertiser.externalAdvertiserId}</span>{advertiser.isRetired ? <StatusBadge tone="warning">Retired in the ad server</StatusBadge> : null}</p>
        ) : account.isAdvertiserCreationAllowed ? <p className="text-ink-2">Made with the first order</p> : <StatusBadge tone="warning">No advertiser chosen</StatusBadge>}
      </div>
      {account.actions ? (
        <div className="flex gap-1.5">
          <ChooseAdvertiser action={account.actions.map} account={account} connection={connection} current={advertiser?.externalAdvertiserId} />
          {advertiser ? (
            <ConfirmAction
              action={account.actions.unmap} fields={{ accountId: account.id, adapterConfigId: connection.id, seen: advertiser.externalAdvertiserId }} confirmLabel="Forget advertiser"
              trigger={<Button variant="ghost" size="small" aria-label={`Forget the advertiser of ${account.name} in ${connection.name}`}>Forget</Button>}
              title={`Forget the advertiser of ${account.name}?`} description={`Orders that exist keep ${advertiser.name} in ${connection.name}. ${account.isAdvertiserCreationAllowed ? "The next order makes a new advertiser." : "The next order waits until one is chosen."}`}
            />
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

function ChooseAdvertiser({ action, account, connection, current }: { action: AdminAction; account: ShownAccount; connection: Entry["connection"]; current: string | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(current);
  const [seen, setSeen] = useState(current);
  const { state, isPending, submit } = useAdminAction(action, () => setOpen(false));
  return (
    <Dialog
      open={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        setChosen(current);
        setSeen(current);
      }}
      title={`Advertiser of ${account.name}`} description={`Who stands for this account in ${connection.name}. Orders that wait for it go on at once.`}
      trigger={<Button size="small" variant={current === undefined && !account.isAdvertiserCreationAllowed ? "primary" : "secondary"} aria-label={`${current === undefined ? "Choose" : "Change"} the advertiser of ${account.name} in ${connection.name}`}>{current === undefined ? "Choose" : "Change"}</Button>}
    >
      <InventoryList source={{ connectionId: connection.id, kind: "advertiser" }} noun="advertisers" isSingle chosenIds={chosen === undefined ? [] : [chosen]} onToggle={(choice) => setChosen(choice.externalId)} />
      <ActionStatus state={state} />
      <div className="flex flex-wrap justify-end gap-2 border-t border-line pt-4">
        <Button onClick={() => setOpen(false)}>Cancel</Button>
        <Button variant="primary" isPending={isPending} disabled={chosen === undefined || chosen === current} onClick={() => submit({ accountId: account.id, adapterConfigId: connection.id, externalAdvertiserId: chosen, seen: seen ?? null })}>Use this advertiser</Button>
      </div>
    </Dialog>
  );
}
