import { type Metadata } from "next";
import { redirect } from "next/navigation";
import { GoogleButton } from "./google-button";
import { SignInForm } from "./sign-in-form";
import { Brand } from "@/components/shell/brand";
import { safeReturnPath } from "@/lib/auth/return-path";
import { readStaff } from "@/lib/auth/session";
import { env } from "@/lib/env";

export const metadata: Metadata = { title: "Sign in" };

type SearchParams = Promise<Record<string, string | string[] | undefined>>;

/** What next-auth says in the address after Google sent somebody back. */
const NOTICES: Record<string, string> = {
  AccessDenied: "This Google account belongs to nobody who works here. Ask an administrator of your publisher.",
};

export default async function SignInPage({ searchParams }: { searchParams: SearchParams }) {
  const { callbackUrl, error } = await searchParams;
  const returnPath = safeReturnPath(typeof callbackUrl === "string" ? callbackUrl : null);
  if (await readStaff()) redirect(returnPath);
  const notice = typeof error === "string" ? (NOTICES[error] ?? "Signing in with Google did not work. Try again.") : "";
  return (
    <main id="content" tabIndex={-1} className="grid flex-1 place-items-center p-4 outline-none">
      <div className="grid w-full max-w-sm gap-6">
        <Brand className="justify-center text-lg" />
        <div className="grid gap-5 rounded-lg border border-line bg-surface p-6 shadow-card">
          <h1 className="text-lg font-semibold">Sign in</h1>
          <SignInForm callbackUrl={returnPath} notice={notice} />
          {env().GOOGLE_CLIENT_ID ? <GoogleButton callbackUrl={returnPath} /> : null}
        </div>
      </div>
    </main>
  );
}
