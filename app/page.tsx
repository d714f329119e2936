import { redirect } from "next/navigation";
import { readStaff } from "@/lib/auth/session";

/** The start: the work that waits, of the first publisher somebody works for. */
export default async function StartPage(): Promise<never> {
  const staff = await readStaff();
  const [first] = staff?.memberships ?? [];
  redirect(first ? `/p/${first.slug}/approvals` : "/sign-in");
}
