import { redirect } from "next/navigation";
import { requirePage } from "@/lib/auth/page";

export default async function PublisherPage({ params }: { params: Promise<{ publisher: string }> }): Promise<never> {
  const { publisher } = await params;
  await requirePage(publisher, "media_buy.read");
  redirect(`/p/${publisher}/approvals`);
}
