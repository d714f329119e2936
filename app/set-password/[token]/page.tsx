import { LinkIcon } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { type ReactNode } from "react";
import { Brand } from "@/components/shell/brand";
import { Notice } from "@/components/ui/notice";
import { PASSWORD_CHARACTERS_MIN } from "@/lib/auth/passwords";
import { env } from "@/lib/env";
import { readStaffLink, type StaffLink } from "@/lib/staff/join";
import { GoogleButton } from "../../sign-in/google-button";
import { LinkForm } from "./link-form";

export const metadata: Metadata = { title: "Your sign-in", robots: { index: false } };

/** Where a link that an administrator made leads. Looking at it uses nothing up: mail programs look at links too. */
export default async function SetPasswordPage({ params }: { params: Promise<{ token: string }> }) {
  const { token } = await params;
  const link = await readStaffLink(token);
  if (!link) {
    return (
      <Frame title="This link does not work any more">
        <p className="flex items-start gap-2.5 text-ink-2"><LinkIcon aria-hidden className="mt-0.5 size-4 shrink-0" />It was used, replaced by a newer one, or its time is over. Ask an administrator of your publisher for a new one.</p>
        <Link href="/sign-in" className="text-accent hover:underline">To the sign-in page</Link>
      </Frame>
    );
  }
  return (
    <Frame title={link.kind === "join" ? `Join ${link.publisher.name}` : "Choose a new password"}>
      <p className="text-ink-2">{link.kind === "join" ? `You are invited as ${link.person.role}: ` : "For "}<strong className="font-medium break-all text-ink">{link.person.name}, {link.person.email}</strong></p>
      <Way token={token} link={link} />
    </Frame>
  );
}

function Way({ token, link }: { token: string; link: StaffLink }) {
  const { kind, way, person, publisher } = link;
  const isGoogleOffered = Boolean(env().GOOGLE_CLIENT_ID);
  const google = <GoogleButton callbackUrl={`/p/${publisher.slug}/approvals`} />;
  if (way === "blocked") return <Notice tone="warning">Your password opens another publisher too, so this link cannot replace it. Whoever runs this installation can.</Notice>;
  if (way === "google") return isGoogleOffered ? google : <Notice tone="warning">You sign in with Google, which is not set up here at the moment. Ask whoever runs this installation.</Notice>;
  const submitLabel = way === "confirm" ? `Join ${publisher.name}` : kind === "join" ? "Save and join" : "Save and sign in";
  return (
    <>
      <LinkForm token={token} email={person.email} isConfirming={way === "confirm"} charactersMin={PASSWORD_CHARACTERS_MIN} submitLabel={submitLabel} />
      {kind === "join" && way === "set_password" && isGoogleOffered ? google : null}
    </>
  );
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main id="content" tabIndex={-1} className="grid flex-1 place-items-center p-4 outline-none">
      <div className="grid w-full max-w-sm gap-6">
        <Brand className="justify-center text-lg" />
        <div className="grid gap-4 rounded-lg border border-line bg-surface p-6 shadow-card">
          <h1 className="text-lg font-semibold break-words">{title}</h1>
          {children}
        </div>
      </div>
    </main>
  );
}
