import { type Metadata } from "next";
import { SettingsForm } from "@/components/settings/settings-form";
import { WebhookForm } from "@/components/settings/webhook-form";
import { RefreshWhile } from "@/components/settings/refresh-while";
import { StatusBadge, type Tone } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Notice } from "@/components/ui/notice";
import { DescriptionList, PageHeader } from "@/components/ui/page";
import { TimeAgo } from "@/components/ui/time-ago";
import { requirePage } from "@/lib/auth/page";
import { listStaffDeliveries, loadSettings, type StaffDelivery } from "@/lib/tenants/settings";
import { removeStaffWebhookAction, saveSettingsAction, saveStaffWebhookAction, sendStaffTestAction } from "./actions";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage({ params }: { params: Promise<{ publisher: string }> }) {
  const { publisher } = await params;
  const page = await requirePage(publisher, "settings.read");
  const { settings, deliveries } = await page.run(async (ctx) => ({ settings: await loadSettings(ctx), deliveries: await listStaffDeliveries(ctx) }));
  const canEdit = page.can("settings.edit");
  return (
    <>
      <PageHeader title="Settings" description={settings.name} />
      {canEdit ? null : <Notice tone="info" className="mb-5">You can look at the settings. Only administrators of this publisher can change them.</Notice>}
      <div className="grid items-start gap-5 xl:grid-cols-2">
        <Card title="Orders and screens"><SettingsForm action={saveSettingsAction} settings={settings} canEdit={canEdit} /></Card>
        <div className="grid gap-5">
          <Card title="Staff webhook" description="Where your team is told that an order waits for a decision or is blocked.">
            <div className="grid gap-4">
              {canEdit ? <WebhookForm hint={settings.staffWebhookHint} save={saveStaffWebhookAction} remove={removeStaffWebhookAction} test={sendStaffTestAction} /> : <p>{settings.staffWebhookHint ? `Messages go to ${settings.staffWebhookHint}` : "None is set up."}</p>}
              <RefreshWhile isWaiting={deliveries.some((delivery) => delivery.state === "pending")} />
              {deliveries.length > 0 ? <Deliveries deliveries={deliveries} now={new Date()} timeZone={settings.timeZone} /> : null}
            </div>
          </Card>
          <Card title="Publisher">
            <DescriptionList items={[{ term: "Name", description: settings.name }, { term: "Address of its screens", description: `/p/${settings.slug}` }, { term: "Default currency", description: settings.defaultCurrency }]} />
          </Card>
        </div>
      </div>
    </>
  );
}

const STATES: Record<StaffDelivery["state"], { tone: Tone; label: string }> = {
  pending: { tone: "waiting", label: "On its way" },
  delivered: { tone: "success", label: "Delivered" },
  dead: { tone: "danger", label: "Given up" },
};

function Deliveries({ deliveries, now, timeZone }: { deliveries: StaffDelivery[]; now: Date; timeZone: string }) {
  return (
    <div className="border-t border-line pt-3">
      <h3 className="mb-2 text-[0.8125rem] font-medium">Last messages</h3>
      <ul className="grid gap-2">
        {deliveries.map((delivery) => (
          <li key={delivery.id} className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StatusBadge tone={STATES[delivery.state].tone}>{STATES[delivery.state].label}</StatusBadge>
            <span>{delivery.eventKey.startsWith("staff-test:") ? "Test message" : "Notice"}</span>
            <span className="text-ink-2"><TimeAgo at={delivery.createdAt} now={now} timeZone={timeZone} />{delivery.attempts > 1 ? `, ${delivery.attempts} attempts` : ""}</span>
            {delivery.lastError && delivery.state !== "delivered" ? <span className="w-full break-words text-[0.8125rem] text-danger">{delivery.lastError}</span> : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
