"use client";

import { KeyRound, UserPlus } from "lucide-react";
import { useState } from "react";
import { ShownSecret } from "@/components/buyers/secret";
import { ActionForm } from "@/components/forms/action-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, FieldGroup } from "@/components/ui/field";
import { Input, Radio } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";
import { type StaffMember } from "@/lib/staff/queries";
import { ROLE_ORDER, ROLES } from "./words";

type Role = StaffMember["role"];

/** Invites somebody and shows their link, once. */
export function InvitePerson({ action, linkHours, isGoogleOffered }: { action: AdminAction; linkHours: number; isGoogleOffered: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog
      open={isOpen} onOpenChange={setOpen} title="Invite a person" description="You get a link to pass on. Nothing is sent by itself."
      trigger={<Button variant="primary"><UserPlus aria-hidden />Invite a person</Button>}
    >
      <ActionForm action={action}>
        {({ state, isPending, error, value }) => (state.status === "ok" && state.secret ? <Link link={state.secret} hours={linkHours} isGoogleOffered={isGoogleOffered} onDone={() => setOpen(false)} /> : (
          <div className="grid gap-4">
            <Field label="E-mail address" name="email" required error={error("email")} hint="What they sign in with.">{(control) => <Input {...control} type="email" autoComplete="off" spellCheck={false} maxLength={254} defaultValue={value("email", "")} />}</Field>
            <Field label="Name" name="name" required error={error("name")} hint="As colleagues see it.">{(control) => <Input {...control} autoComplete="off" maxLength={150} defaultValue={value("name", "")} />}</Field>
            <RoleChoice initial="viewer" error={error("role")} />
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Make the link</Button></div>
          </div>
        ))}
      </ActionForm>
    </Dialog>
  );
}

/** Makes a new link for somebody, in place of those before it, and shows it once. */
export function NewLink({ action, person, linkHours, isGoogleOffered }: { action: AdminAction; person: Pick<StaffMember, "userId" | "name" | "state">; linkHours: number; isGoogleOffered: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const isInvited = person.state === "invited";
  return (
    <Dialog
      open={isOpen} onOpenChange={setOpen} title={isInvited ? `New link for ${person.name}` : `Reset the password of ${person.name}`}
      description={isInvited ? "The link that was made before stops working." : "You get a link to pass on, with which they choose a new password. The present one works until then; afterwards they are signed out everywhere."}
      trigger={<Button size="small" aria-label={isInvited ? `New invitation link for ${person.name}` : `Reset the password of ${person.name}`}><KeyRound aria-hidden />{isInvited ? "New link" : "Reset password"}</Button>}
    >
      <ActionForm action={action}>
        {({ state, isPending }) => (state.status === "ok" && state.secret ? <Link link={state.secret} hours={linkHours} isGoogleOffered={isInvited && isGoogleOffered} onDone={() => setOpen(false)} /> : (
          <>
            <input type="hidden" name="userId" value={person.userId} />
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Make the link</Button></div>
          </>
        ))}
      </ActionForm>
    </Dialog>
  );
}

function Link({ link, hours, isGoogleOffered, onDone }: { link: string; hours: number; isGoogleOffered: boolean; onDone: () => void }) {
  return (
    <ShownSecret label="The link" secret={link}>
      <p className="text-ink-2">Give it to nobody else: whoever opens it first can use it. It works once, for {hours} hours.{isGoogleOffered ? " Instead, they can sign in with Google under this address." : ""}</p>
      <div className="flex justify-end"><Button variant="primary" onClick={onDone}>Done, I have copied it</Button></div>
    </ShownSecret>
  );
}

export function ChangeRole({ action, person }: { action: AdminAction; person: Pick<StaffMember, "userId" | "name" | "role"> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title={`Role of ${person.name}`} description="It holds from their next click." trigger={<Button size="small" aria-label={`Change the role of ${person.name}`}>Change</Button>}>
      <RoleForm action={action} person={person} onClose={() => setOpen(false)} />
    </Dialog>
  );
}

/** Made anew with each opening: `seen` is the role that the person changed, whatever the screen behind shows by now. */
function RoleForm({ action, person, onClose }: { action: AdminAction; person: Pick<StaffMember, "userId" | "role">; onClose: () => void }) {
  const [seen] = useState(person.role);
  return (
    <ActionForm action={action} onOk={onClose}>
      {({ isPending, error }) => (
        <div className="grid gap-4">
          <input type="hidden" name="userId" value={person.userId} />
          <input type="hidden" name="seen" value={seen} />
          <RoleChoice initial={seen} error={error("role")} />
          <div className="flex flex-wrap justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Change role</Button></div>
        </div>
      )}
    </ActionForm>
  );
}

function RoleChoice({ initial, error }: { initial: Role; error: string | undefined }) {
  return (
    <FieldGroup legend="Role" error={error}>
      {ROLE_ORDER.map((role) => <Radio key={role} name="role" value={role} required label={ROLES[role].label} hint={ROLES[role].hint} defaultChecked={role === initial} />)}
    </FieldGroup>
  );
}
