import { type Metadata } from "next";
import Link from "next/link";
import { ConnectionForm } from "@/components/connections/connection-form";
import { Card } from "@/components/ui/card";
import { PageHeader } from "@/components/ui/page";
import { AD_SERVER_KINDS, adServerDeclaration } from "@/lib/ad-servers/registry";
import { requirePage } from "@/lib/auth/page";
import { env } from "@/lib/env";
import { loadSettings } from "@/lib/tenants/settings";
import { saveConnectionAction } from "../actions";

export const metadata: Metadata = { title: "Add connection" };

export default async function NewConnectionPage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "connection.edit");
  const settings = await page.run(loadSettings);
  const isDemo = settings.isDemo || env().DEMO;
  return (
    <>
      <PageHeader title="Add connection" description={<Link href={`/p/${publisher}/connections`} className="text-accent hover:underline">Connections</Link>} />
      <Card title="Connection" description="It is stored as not verified, and tested at once. Products can be mapped to it when the test has passed.">
        <ConnectionForm
          action={saveConnectionAction}
          kinds={AD_SERVER_KINDS.map((kind) => ({ kind, label: adServerDeclaration(kind).label }))}
          defaults={{ currency: settings.defaultCurrency, timeZone: settings.timeZone }}
          modes={isDemo ? ["simulated"] : ["live", "simulated"]}
        />
      </Card>
    </>
  );
}
