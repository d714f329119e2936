"use client";

import { Card } from "@/components/ui/card";
import { Field, FieldGroup } from "@/components/ui/field";
import { Checkbox, Input, Radio, Textarea } from "@/components/ui/input";
import { channelName, CHANNELS } from "@/lib/products/channels";
import { type EditorValues } from "./editor-values";

export type EditorFormat = { id: string; name: string; kind: "display" | "video" | "native" | "audio" };

/** What every part of the editor gets: the values, how to change them, and what is wrong with a path. */
export type EditorPart = { values: EditorValues; isDisabled: boolean; error: (path: string) => string | undefined; change: (changes: Partial<EditorValues>) => void };

const KINDS = [["display", "Display"], ["video", "Video"], ["native", "Native"], ["audio", "Audio"]] as const;

export function BuyerCard({ values, isDisabled, error, change, isNew }: EditorPart & { isNew: boolean }) {
  return (
    <Card title="What buyers see">
      <div className="grid gap-4">
        <Field label="Name" name="name" required error={error("name")}>
          {(control) => <Input {...control} disabled={isDisabled} value={values.name} maxLength={150} onChange={(event) => change({ name: event.target.value })} />}
        </Field>
        <Field label="Id for buyers" name="productId" error={error("productId")} hint={isNew ? "Empty: made from the name. It cannot change later." : "Buyers know this product by it: it cannot change."}>
          {(control) => <Input {...control} disabled={isDisabled} readOnly={!isNew} value={values.productId} maxLength={64} autoComplete="off" spellCheck={false} className="font-mono text-xs" onChange={(event) => change({ productId: event.target.value })} />}
        </Field>
        <Field label="Description" name="description" required error={error("description")} hint="Buying agents read this to decide: say where it runs, who sees it, and what is special.">
          {(control) => <Textarea {...control} disabled={isDisabled} rows={5} value={values.description} maxLength={4_000} onChange={(event) => change({ description: event.target.value })} />}
        </Field>
        <FieldGroup legend="Channels" error={error("channels")} disabled={isDisabled}>
          <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2 lg:grid-cols-3">
            {CHANNELS.map((channel, index) => (
              <Checkbox
                key={channel} label={channelName(channel)} checked={values.channels.includes(channel)} aria-invalid={index === 0 && error("channels") ? true : undefined}
                onChange={(event) => change({ channels: toggle(values.channels, channel, event.target.checked) })}
              />
            ))}
          </div>
        </FieldGroup>
        <Field label="Collections" name="collections" error={error("collections")} hint="Shows and series that it runs in, one a line: domain/collection_id | name | identifiers, such as news.example/trail_life | Trail Life | imdb_id:tt9100001. Buyers’ lists of collections are held against them.">
          {(control) => <Textarea {...control} disabled={isDisabled} rows={3} value={values.collections} maxLength={30_000} spellCheck={false} className="font-mono text-xs" onChange={(event) => change({ collections: event.target.value })} />}
        </Field>
      </div>
    </Card>
  );
}

export function SaleCard({ values, isDisabled, error, change, isReviewedByDefault }: EditorPart & { isReviewedByDefault: boolean }) {
  return (
    <Card title="How it is sold">
      <div className="grid gap-4">
        <FieldGroup legend="Delivery" error={error("deliveryType")} disabled={isDisabled}>
          <Radio name="deliveryType" label="Guaranteed" hint="Inventory is reserved for the order." checked={values.deliveryType === "guaranteed"} onChange={() => change({ deliveryType: "guaranteed" })} />
          <Radio name="deliveryType" label="Not guaranteed" hint="It delivers when nothing of higher priority does." checked={values.deliveryType === "non_guaranteed"} onChange={() => change({ deliveryType: "non_guaranteed" })} />
        </FieldGroup>
        <FieldGroup legend="Does a person review each order?" error={error("reviewRule")} disabled={isDisabled}>
          <Radio name="reviewRule" label="As the publisher's setting says" hint={isReviewedByDefault ? "Now: every order is reviewed." : "Now: orders are accepted at once."} checked={values.reviewRule === "inherit"} onChange={() => change({ reviewRule: "inherit" })} />
          <Radio name="reviewRule" label="Always" checked={values.reviewRule === "always"} onChange={() => change({ reviewRule: "always" })} />
          <Radio name="reviewRule" label="Never" checked={values.reviewRule === "never"} onChange={() => change({ reviewRule: "never" })} />
        </FieldGroup>
      </div>
    </Card>
  );
}

export function FormatsCard({ values, isDisabled, error, change, formats }: EditorPart & { formats: EditorFormat[] }) {
  return (
    <Card title="Creative formats">
      <FieldGroup legend={<span className="sr-only">Creative formats</span>} error={error("formatIds")} disabled={isDisabled} className="gap-4">
        {KINDS.map(([kind, label]) => (
          <div key={kind} className="grid gap-1.5">
            <p className="text-xs text-ink-2">{label}</p>
            <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2">
              {formats.filter((format) => format.kind === kind).map((format) => (
                <Checkbox
                  key={format.id} label={format.name} checked={values.formatIds.includes(format.id)} aria-invalid={format === formats[0] && error("formatIds") ? true : undefined}
                  onChange={(event) => change({ formatIds: toggle(values.formatIds, format.id, event.target.checked) })}
                />
              ))}
            </div>
          </div>
        ))}
      </FieldGroup>
    </Card>
  );
}

function toggle<Item>(list: Item[], item: Item, isOn: boolean): Item[] {
  return isOn ? [...list, item] : list.filter((other) => other !== item);
}
