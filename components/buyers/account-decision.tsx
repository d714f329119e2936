"use client";

import { useState } from "react";
import { ACCOUNT_STATUSES } from "@/components/accounts/status";
import { ActionForm } from "@/components/forms/action-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, FieldGroup } from "@/components/ui/field";
import { Radio, Textarea } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";
import { type BuyerAccount } from "@/lib/accounts/of-buyer";

type Status = BuyerAccount["status"];

const FOLLOWS: Record<Status, string> = {
  active: "Its orders are taken.",
  pending_approval: "Its orders are refused until somebody approves it.",
  rejected: "Its orders are refused, for ever.",
  payment_required: "New orders are refused until it has paid; what runs goes on.",
  suspended: "Its orders and changes are refused; what runs goes on.",
  closed: "Its orders are refused, for ever; what runs goes on.",
};

/** The publisher's word on an account. `choices` are the statuses that it can become. */
export function AccountDecision({ action, account, choices }: { action: AdminAction; account: { id: string; name: string; status: Status }; choices: readonly Status[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog
      open={isOpen} onOpenChange={setOpen} title={`Status of ${account.name}`} description="The buyer is told, if it has registered for that."
      trigger={<Button size="small" aria-label={`Change the status of ${account.name}`}>Change</Button>}
    >
      <Decision action={action} account={account} choices={choices} onClose={() => setOpen(false)} />
    </Dialog>
  );
}

/** Made anew with each opening: `seen` is what the person decided on, whatever the screen behind shows by now. */
function Decision({ action, account, choices, onClose }: { action: AdminAction; account: { id: string; status: Status }; choices: readonly Status[]; onClose: () => void }) {
  const [opened] = useState({ status: account.status, choices });
  return (
    <ActionForm action={action} onOk={onClose}>
      {({ isPending, error, value }) => (
        <div className="grid gap-4">
          <input type="hidden" name="accountId" value={account.id} />
          <input type="hidden" name="seen" value={opened.status} />
          <FieldGroup legend="New status" error={error("status")}>
            {opened.choices.map((status) => <Radio key={status} name="status" value={status} required label={ACCOUNT_STATUSES[status].label} hint={FOLLOWS[status]} />)}
          </FieldGroup>
          <Field label="Reason" name="reason" required error={error("reason")} hint="The buyer reads it, word for word.">{(control) => <Textarea {...control} rows={3} maxLength={500} defaultValue={value("reason", "")} />}</Field>
          <div className="flex flex-wrap justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Change status</Button></div>
        </div>
      )}
    </ActionForm>
  );
}
