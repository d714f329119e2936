import Link from "next/link";
import { ConfirmAction } from "@/components/forms/confirm-action";
import { Badge, StatusBadge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { type AdminAction } from "@/lib/auth/action-state";
import { type StaffMember } from "@/lib/staff/queries";
import { ChangeRole, NewLink } from "./person-dialogs";
import { ROLES, STATES } from "./words";

export type PersonActions = { changeRole: AdminAction; newLink: AdminAction; deactivate: AdminAction; reactivate: AdminAction };
type Props = { people: StaffMember[]; publisher: string; ownId: string; actions: PersonActions; linkHours: number; isGoogleOffered: boolean; now: Date; timeZone: string };

/** Everybody of a publisher with what can be done about them. Nobody changes their own row. */
export function PeopleTable({ people, publisher, ownId, actions, linkHours, isGoogleOffered, now, timeZone }: Props) {
  return (
    <Table caption="People">
      <TableHead><ColumnHeader>Person</ColumnHeader><ColumnHeader>Role</ColumnHeader><ColumnHeader>State</ColumnHeader><ColumnHeader>Since</ColumnHeader><ColumnHeader><span className="sr-only">Actions</span></ColumnHeader></TableHead>
      <TableBody>
        {people.map((person) => {
          const isSelf = person.userId === ownId;
          return (
            <TableRow key={person.userId}>
              <RowHeader className="min-w-44">
                <span className="flex flex-wrap items-center gap-1.5">{person.name}{isSelf ? <Badge>You</Badge> : null}</span>
                <p className="font-normal break-all text-ink-2">{person.email}</p>
              </RowHeader>
              <Cell>
                <span className="flex flex-wrap items-center gap-2">{ROLES[person.role].label}{isSelf || person.state === "deactivated" ? null : <ChangeRole action={actions.changeRole} person={person} />}</span>
              </Cell>
              <Cell><State person={person} now={now} timeZone={timeZone} /></Cell>
              <Cell className="whitespace-nowrap"><TimeAgo at={person.createdAt} now={now} timeZone={timeZone} /></Cell>
              <Cell>
                <div className="flex flex-wrap items-center justify-end gap-2">
                  <Link href={`/p/${publisher}/audit?who=person:${person.userId}`} aria-label={`What ${person.name} did`} className="text-[0.8125rem] text-accent hover:underline">What they did</Link>
                  {isSelf ? null : <Decide person={person} actions={actions} linkHours={linkHours} isGoogleOffered={isGoogleOffered} />}
                </div>
              </Cell>
            </TableRow>
          );
        })}
      </TableBody>
    </Table>
  );
}

function State({ person, now, timeZone }: { person: StaffMember; now: Date; timeZone: string }) {
  const { tone, label } = STATES[person.state];
  return (
    <div className="grid justify-items-start gap-0.5">
      <StatusBadge tone={tone}>{label}</StatusBadge>
      {person.state === "deactivated" ? null : person.linkUntil
        ? <p className="text-[0.8125rem] text-ink-2">A link works, until <TimeAgo at={person.linkUntil} now={now} timeZone={timeZone} /></p>
        : person.state === "invited" ? <p className="text-[0.8125rem] text-ink-2">The link has ended</p> : null}
    </div>
  );
}

function Decide({ person, actions, linkHours, isGoogleOffered }: { person: StaffMember } & Pick<Props, "actions" | "linkHours" | "isGoogleOffered">) {
  const fields = { userId: person.userId };
  if (person.state === "deactivated") {
    return (
      <ConfirmAction
        action={actions.reactivate} fields={fields} title={`Reactivate ${person.name}?`} confirmLabel="Reactivate" variant="primary" trigger={<Button size="small" aria-label={`Reactivate ${person.name}`}>Reactivate</Button>}
        description={person.activatedAt === null ? "They are invited again. Make them a new link afterwards." : `They can sign in again, as ${ROLES[person.role].label.toLowerCase()}.`}
      />
    );
  }
  return (
    <>
      <NewLink action={actions.newLink} person={person} linkHours={linkHours} isGoogleOffered={isGoogleOffered} />
      <ConfirmAction
        action={actions.deactivate} fields={fields} title={`Deactivate ${person.name}?`} confirmLabel="Deactivate" trigger={<Button size="small" aria-label={`Deactivate ${person.name}`}>Deactivate</Button>}
        description="Nothing of this publisher is open to them from this moment on, and their links stop working. What they did stays on record."
      />
    </>
  );
}
