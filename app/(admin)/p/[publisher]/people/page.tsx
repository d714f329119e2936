import { type Metadata } from "next";
import { LiveRefresh } from "@/components/shell/live";
import { PeopleTable } from "@/components/staff/people-table";
import { InvitePerson } from "@/components/staff/person-dialogs";
import { Card } from "@/components/ui/card";
import { PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { env } from "@/lib/env";
import { listStaff } from "@/lib/staff/queries";
import { LINK_HOURS } from "@/lib/staff/service";
import { changeRoleAction, deactivateAction, invitePersonAction, newLinkAction, reactivateAction } from "./actions";

export const metadata: Metadata = { title: "People" };

export default async function PeoplePage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "staff.read");
  const people = await page.run(listStaff);
  const isGoogleOffered = Boolean(env().GOOGLE_CLIENT_ID);
  return (
    <>
      <LiveRefresh topics={["staff"]} />
      <PageHeader title="People" description="Who works here, and what they may do." actions={<InvitePerson action={invitePersonAction} linkHours={LINK_HOURS} isGoogleOffered={isGoogleOffered} />} />
      <Card flush>
        <PeopleTable
          people={people} publisher={publisher} ownId={page.staff.userId} linkHours={LINK_HOURS} isGoogleOffered={isGoogleOffered} now={new Date()} timeZone={page.timeZone}
          actions={{ changeRole: changeRoleAction, newLink: newLinkAction, deactivate: deactivateAction, reactivate: reactivateAction }}
        />
      </Card>
    </>
  );
}
