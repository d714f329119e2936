import { type Metadata } from "next";
import Link from "next/link";
import { NewBuyerForm } from "@/components/buyers/new-buyer-form";
import { Card } from "@/components/ui/card";
import { PageHeader } from "@/components/ui/page";
import { requirePage } from "@/lib/auth/page";
import { createBuyerAction } from "../actions";

export const metadata: Metadata = { title: "Create buyer" };

export default async function NewBuyerPage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  await requirePage(publisher, "buyer.edit");
  return (
    <>
      <PageHeader title="Create buyer" description={<Link href={`/p/${publisher}/buyers`} className="text-accent hover:underline">Buyers</Link>} />
      <Card><NewBuyerForm action={createBuyerAction} /></Card>
    </>
  );
}
