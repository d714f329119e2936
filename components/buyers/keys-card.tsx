"use client";

import { Plus, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { ActionButton } from "@/components/forms/action-button";
import { ActionForm } from "@/components/forms/action-form";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { TimeAgo } from "@/components/ui/time-ago";
import { type AdminAction } from "@/lib/auth/action-state";
import { type PrincipalView } from "@/lib/buyers/queries";

export type KeyActions = { register: AdminAction; revoke: AdminAction; require: AdminAction };

/** The public keys with which a buyer signs its requests. */
export function KeysCard({ buyer, actions, now, timeZone }: { buyer: Pick<PrincipalView, "id" | "keys" | "isSigningRequired">; actions: KeyActions | null; now: Date; timeZone: string }) {
  const hasKey = buyer.keys.some((key) => !key.revokedAt);
  return (
    <Card title="Request signing" description={buyer.isSigningRequired ? "Changes must be signed." : "Signatures are checked where there are any; none is required."} actions={actions ? <RegisterKeys action={actions.register} principalId={buyer.id} /> : undefined}>
      <div className="grid gap-3">
        {buyer.keys.length === 0 ? <p className="text-ink-2">No public key is registered.</p> : (
          <ul className="grid gap-3">
            {buyer.keys.map((key) => (
              <li key={key.id} className="flex flex-wrap items-center gap-x-3 gap-y-1">
                <code className="font-mono text-[0.8125rem] break-all">{key.kid}</code>
                <StatusBadge tone={key.revokedAt ? "neutral" : "success"}>{key.revokedAt ? "Revoked" : "Valid"}</StatusBadge>
                <span className="text-[0.8125rem] text-ink-2">{key.algorithm}, {key.lastUsedAt ? <>last used <TimeAgo at={key.lastUsedAt} now={now} timeZone={timeZone} /></> : "never used"}</span>
                {actions && !key.revokedAt ? (
                  <ConfirmAction
                    action={actions.revoke} fields={{ keyId: key.id }} title={`Revoke ${key.kid}?`} confirmLabel="Revoke key" description="What is signed with it is refused from now on. A revoked key cannot come back; the buyer needs one with another id."
                    trigger={<Button size="small" variant="ghost" aria-label={`Revoke key ${key.kid}`}>Revoke</Button>}
                  />
                ) : null}
              </li>
            ))}
          </ul>
        )}
        {actions && (hasKey || buyer.isSigningRequired) ? (
          <div className="border-t border-line pt-3">
            <ActionButton action={actions.require} fields={{ principalId: buyer.id, isRequired: String(!buyer.isSigningRequired) }} size="small"><ShieldCheck aria-hidden />{buyer.isSigningRequired ? "Accept unsigned changes again" : "Require signatures on changes"}</ActionButton>
          </div>
        ) : null}
      </div>
    </Card>
  );
}

function RegisterKeys({ action, principalId }: { action: AdminAction; principalId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title="Register public keys" description="A JWK or a JWK set, as the buyer publishes it. Never a private key." trigger={<Button size="small"><Plus aria-hidden />Register keys</Button>}>
      <ActionForm action={action} onOk={() => setOpen(false)}>
        {({ isPending, error, value }) => (
          <div className="grid gap-4">
            <input type="hidden" name="principalId" value={principalId} />
            <Field label="Keys as JSON" name="keys" required error={error("keys")}>
              {(control) => <Textarea {...control} rows={8} spellCheck={false} className="font-mono text-[0.8125rem]" defaultValue={value("keys", "")} placeholder={'{"kid": "…", "kty": "OKP", "crv": "Ed25519", "x": "…"}'} />}
            </Field>
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Register</Button></div>
          </div>
        )}
      </ActionForm>
    </Dialog>
  );
}
