"use client";

import { Plus, RefreshCw } from "lucide-react";
import { useState } from "react";
import { ActionForm, type FormView } from "@/components/forms/action-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, FieldGroup } from "@/components/ui/field";
import { Checkbox, Input, Radio, Select } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";
import { type TokenState } from "@/lib/buyers/queries";
import { SCOPES } from "@/lib/buyers/scopes";
import { ShownSecret } from "./secret";

const LIFETIMES = [["30", "30 days"], ["90", "90 days"], ["365", "A year"], ["never", "It does not end by itself"]] as const;
const OVERLAPS = [["0", "Not at all: it ends at once"], ["1", "An hour"], ["24", "A day"], ["72", "Three days"], ["168", "A week"], ["720", "30 days"]] as const;

/** Issues a token and shows it, once. */
export function IssueToken({ action, principalId, isSandbox }: { action: AdminAction; principalId: string; isSandbox: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const [isEverything, setEverything] = useState(true);
  return (
    <Dialog
      open={isOpen} onOpenChange={(open) => { setOpen(open); setEverything(true); }} className="max-w-xl" title="Issue a token" description="The buyer’s agent sends it with every call."
      trigger={<Button size="small" variant="primary"><Plus aria-hidden />Issue token</Button>}
    >
      <ActionForm action={action}>
        {(form) => (form.state.status === "ok" && form.state.secret ? <Issued secret={form.state.secret} onDone={() => setOpen(false)} /> : (
          <div className="grid gap-4">
            <input type="hidden" name="principalId" value={principalId} />
            <Field label="Name" name="name" error={form.error("name")} hint="To tell it from others: “Production”, “Test of March”.">
              {(control) => <Input {...control} autoComplete="off" maxLength={100} defaultValue={form.value("name", "")} />}
            </Field>
            <FieldGroup legend="What it may do" error={form.error("scopes")}>
              <Radio name="access" value="everything" label="Everything a buyer can do" checked={isEverything} onChange={() => setEverything(true)} />
              <Radio name="access" value="chosen" label="Only what is ticked" checked={!isEverything} onChange={() => setEverything(false)} />
              {isEverything ? null : (
                <div role="group" aria-label="Permissions" className="ml-8 grid gap-2">
                  {Object.entries(SCOPES).filter(([scope]) => isSandbox || scope !== "testing:write").map(([scope, label]) => <Checkbox key={scope} name="scopes" value={scope} label={label} />)}
                </div>
              )}
            </FieldGroup>
            <Lifetime form={form} />
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={form.isPending}>Issue token</Button></div>
          </div>
        ))}
      </ActionForm>
    </Dialog>
  );
}

/** Replaces a token by a new one, while the old one works on for a while. Stays on the screen once it has: the new token is in its dialog. */
export function RotateToken({ action, token }: { action: AdminAction; token: { id: string; prefix: string; state: TokenState } }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog
      open={isOpen} onOpenChange={setOpen} title={`Rotate ${token.prefix}…`} description="A new token with the same permissions takes its place."
      trigger={token.state === "working" ? <Button size="small" aria-label={`Rotate token ${token.prefix}`}><RefreshCw aria-hidden />Rotate</Button> : undefined}
    >
      <ActionForm action={action}>
        {(form) => (form.state.status === "ok" && form.state.secret ? <Issued secret={form.state.secret} onDone={() => setOpen(false)} /> : (
          <div className="grid gap-4">
            <input type="hidden" name="tokenId" value={token.id} />
            <Field label="How long the old one still works" name="overlapHours" error={form.error("overlapHours")} hint="Long enough for the buyer to put the new one in place. Never longer than it would have worked anyway.">
              {(control) => <Select {...control} defaultValue="72">{OVERLAPS.map(([hours, label]) => <option key={hours} value={hours}>{label}</option>)}</Select>}
            </Field>
            <Lifetime form={form} />
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={form.isPending}>Rotate token</Button></div>
          </div>
        ))}
      </ActionForm>
    </Dialog>
  );
}

function Lifetime({ form }: { form: FormView }) {
  return (
    <Field label="How long the new token works" name="lifetimeDays" error={form.error("expiresAt") ?? form.error("lifetimeDays")}>
      {(control) => <Select {...control} defaultValue="365">{LIFETIMES.map(([days, label]) => <option key={days} value={days}>{label}</option>)}</Select>}
    </Field>
  );
}

function Issued({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <ShownSecret label="The new token" secret={secret}>
      <p className="text-ink-2">The buyer sends it as <code className="font-mono">Authorization: Bearer …</code> or <code className="font-mono">x-adcp-auth</code>.</p>
      <div className="flex justify-end"><Button variant="primary" onClick={onDone}>Done, I have copied it</Button></div>
    </ShownSecret>
  );
}
