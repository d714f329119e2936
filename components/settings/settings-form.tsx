"use client";

import { ActionForm } from "@/components/forms/action-form";
import { TimeZoneInput } from "@/components/forms/time-zone-input";
import { useOpened } from "@/components/forms/use-opened";
import { Button } from "@/components/ui/button";
import { Field, FieldGroup } from "@/components/ui/field";
import { Checkbox, Input, Radio } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type AdminAction } from "@/lib/auth/action-state";

export type ShownSettings = { timeZone: string; isReviewRequired: boolean; creativeReview: "none" | "third_party" | "all"; isAdvertiserCreationAllowed: boolean; isOverbookingAllowed: boolean; decisionTimeMinutes: number; version: string };

export function SettingsForm({ action, settings: stored, canEdit }: { action: AdminAction; /** As they are stored now. */ settings: ShownSettings; canEdit: boolean }) {
  const { opened: settings, hasMoved, markSaved } = useOpened(stored, ({ version }) => version);
  return (
    <ActionForm action={action} onOk={markSaved}>
      {({ isPending, error, value }) => (
        <fieldset key={settings.version} disabled={!canEdit} className="grid gap-5">
          <legend className="sr-only">Publisher&apos;s settings</legend>
          {hasMoved ? <Notice tone="warning" title="Somebody saved the settings while you had them open">Reload the page to see them as they are now. What you typed is still here, and cannot be saved over theirs.</Notice> : null}
          <input type="hidden" name="version" value={settings.version} />
          <FieldGroup legend="New orders" error={error("isReviewRequired")} hint="A product can have a rule of its own.">
            <Radio name="isReviewRequired" value="true" label="A person reviews every order" defaultChecked={settings.isReviewRequired} />
            <Radio name="isReviewRequired" value="false" label="Orders are accepted at once" defaultChecked={!settings.isReviewRequired} />
          </FieldGroup>
          <FieldGroup legend="New creatives, and new content of known ones" error={error("creativeReview")} hint="What waits for a review already goes on waiting.">
            <Radio name="creativeReview" value="none" label="Creatives that fit their format are approved at once" defaultChecked={settings.creativeReview === "none"} />
            <Radio name="creativeReview" value="third_party" label="A person reviews tags of third parties" hint="HTML and VAST: what they show can change after the review." defaultChecked={settings.creativeReview === "third_party"} />
            <Radio name="creativeReview" value="all" label="A person reviews every creative" defaultChecked={settings.creativeReview === "all"} />
          </FieldGroup>
          <Field label="Hours to decide on an order" name="decisionHours" required error={error("decisionTimeMinutes")} hint="Shown with each order that waits. Nothing is rejected by itself." className="max-w-xs">
            {(control) => <Input {...control} inputMode="decimal" autoComplete="off" className="tabular text-right" defaultValue={value("decisionHours", String(settings.decisionTimeMinutes / 60))} />}
          </Field>
          <FieldGroup legend="In the ad server">
            <Checkbox name="isAdvertiserCreationAllowed" label="Make an advertiser for an account that has none" hint="Otherwise its first order waits until somebody chooses one." defaultChecked={settings.isAdvertiserCreationAllowed} />
            <Checkbox name="isOverbookingAllowed" label="Book orders although inventory is short" hint="Otherwise such an order waits for a person." defaultChecked={settings.isOverbookingAllowed} />
          </FieldGroup>
          <Field label="Time zone of these screens" name="timeZone" required error={error("timeZone")} hint="Days of delivery are counted in the zone of each ad server." className="max-w-xs">
            {(control) => <TimeZoneInput {...control} defaultValue={value("timeZone", settings.timeZone)} />}
          </Field>
          {canEdit ? <div><Button type="submit" variant="primary" isPending={isPending}>Save settings</Button></div> : null}
        </fieldset>
      )}
    </ActionForm>
  );
}
