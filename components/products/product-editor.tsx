"use client";

import { type ReactNode, useEffect, useRef, useState } from "react";
import { ActionStatus } from "@/components/forms/action-status";
import { useAdminAction } from "@/components/forms/action-form";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field, FieldError, FieldGroup } from "@/components/ui/field";
import { Checkbox, Input, Radio, Textarea } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type AdminAction } from "@/lib/auth/action-state";
import { channelName, CHANNELS } from "@/lib/products/channels";
import { type EditorValues, NEW_GAM_VALUES, toGamConfig } from "./editor-values";
import { GamTargetFields, type LineItemTypeChoice } from "./gam-target-fields";
import { PriceFields } from "./price-fields";

export type EditorConnection = { id: string; name: string; mode: "live" | "simulated"; currency: string; status: "unverified" | "verified" | "failed" };
export type EditorFormat = { id: string; name: string; kind: "display" | "video" | "native" | "audio" };

const KINDS = { display: "Display", video: "Video", native: "Native", audio: "Audio" } as const;

/** Makes a product, or changes the one it was opened with. What was typed survives whatever happens on the server. */
export function ProductEditor({ action, saved, version, id, formats, connections, lineItemTypes, defaultCurrency, isReviewedByDefault, canEdit }: {
  action: AdminAction;
  /** As it is stored now. */
  saved: EditorValues;
  version?: number;
  id?: string;
  formats: EditorFormat[];
  connections: EditorConnection[];
  lineItemTypes: LineItemTypeChoice[];
  defaultCurrency: string;
  isReviewedByDefault: boolean;
  canEdit: boolean;
}) {
  const [values, setValues] = useState(saved);
  const [baseVersion, setBaseVersion] = useState(version);
  const form = useRef<HTMLFormElement>(null);
  const { state, isPending, submit } = useAdminAction(action, () => {
    setValues(saved);
    setBaseVersion(version);
  });
  useEffect(() => {
    if (state.status === "invalid") form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [state]);

  const error = (path: string) => (state.status === "invalid" ? state.fieldErrors[path] : undefined);
  const change = (changes: Partial<EditorValues>) => setValues((before) => ({ ...before, ...changes }));
  const toggle = <Item,>(list: Item[], item: Item, isOn: boolean) => (isOn ? [...list, item] : list.filter((other) => other !== item));
  const isDisabled = !canEdit;

  return (
    <form
      ref={form}
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (isPending) return;
        submit({
          ...values, ...(id === undefined ? {} : { id, version: baseVersion }),
          pricingOptions: values.pricingOptions.map(({ rowKey: _key, ...price }) => price),
          targets: values.targets.map(({ adapterConfigId, gam }) => ({ adapterConfigId, config: toGamConfig(gam) })),
        });
      }}
    >
      {version !== baseVersion ? <Notice tone="warning" title="Somebody saved this product while you had it open">Reload the page to see it as it is now. What you typed is still here, and cannot be saved over it.</Notice> : null}
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title="What buyers see">
          <div className="grid gap-4">
            <Field label="Name" name="name" required error={error("name")}>{(control) => <Input {...control} disabled={isDisabled} value={values.name} maxLength={150} onChange={(event) => change({ name: event.target.value })} />}</Field>
            <Field label="Id for buyers" name="productId" error={error("productId")} hint={id === undefined ? "Empty: made from the name. It cannot change later." : "Buyers know this product by it: it cannot change."}>
              {(control) => <Input {...control} disabled={isDisabled} readOnly={id !== undefined} value={values.productId} maxLength={64} autoComplete="off" spellCheck={false} className="font-mono text-xs" onChange={(event) => change({ productId: event.target.value })} />}
            </Field>
            <Field label="Description" name="description" required error={error("description")} hint="Buying agents read this to decide: say where it runs, who sees it, and what is special.">
              {(control) => <Textarea {...control} disabled={isDisabled} rows={5} value={values.description} maxLength={4_000} onChange={(event) => change({ description: event.target.value })} />}
            </Field>
            <FieldGroup legend="Channels" error={error("channels")} disabled={isDisabled}>
              <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2 lg:grid-cols-3">
                {CHANNELS.map((channel) => <Checkbox key={channel} label={channelName(channel)} checked={values.channels.includes(channel)} onChange={(event) => change({ channels: toggle(values.channels, channel, event.target.checked) })} />)}
              </div>
            </FieldGroup>
          </div>
        </Card>
        <div className="grid gap-5">
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
          <Card title="Creative formats">
            <FieldGroup legend={<span className="sr-only">Creative formats</span>} error={error("formatIds")} disabled={isDisabled} className="gap-4">
              {(["display", "video", "native", "audio"] as const).map((kind) => (
                <div key={kind} className="grid gap-1.5">
                  <p className="text-xs text-ink-2">{KINDS[kind]}</p>
                  <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2">
                    {formats.filter((format) => format.kind === kind).map((format) => <Checkbox key={format.id} label={format.name} checked={values.formatIds.includes(format.id)} onChange={(event) => change({ formatIds: toggle(values.formatIds, format.id, event.target.checked) })} />)}
                  </div>
                </div>
              ))}
            </FieldGroup>
          </Card>
        </div>
      </div>
      <Card title="Prices" description="A price that was sold is kept as it was: changing it makes a new one with an id of its own.">
        <PriceFields prices={values.pricingOptions} defaultCurrency={defaultCurrency} isDisabled={isDisabled} error={error} onChange={(pricingOptions) => change({ pricingOptions })} />
      </Card>
      <Card title="Ad servers" description="Where orders of this product are booked. Orders that exist keep what they were sold with.">
        <div className="grid gap-6">
          {connections.length === 0 ? <p className="text-ink-2">No ad server is connected yet, so orders of this product cannot be booked.</p> : null}
          {connections.map((connection) => {
            const index = values.targets.findIndex((target) => target.adapterConfigId === connection.id);
            const target = values.targets[index];
            const path = `targets.${index}`;
            return (
              <ConnectionSection
                key={connection.id} connection={connection} isMapped={target !== undefined} isDisabled={isDisabled}
                error={target ? error(`${path}.adapterConfigId`) ?? error(`${path}.config`) : undefined}
                onToggle={(isOn) => change({ targets: isOn ? [...values.targets, { adapterConfigId: connection.id, gam: NEW_GAM_VALUES }] : values.targets.filter((other) => other.adapterConfigId !== connection.id) })}
              >
                {target ? (
                  <GamTargetFields
                    connectionId={connection.id} values={target.gam} types={lineItemTypes} isGuaranteed={values.deliveryType === "guaranteed"} isDisabled={isDisabled} error={(field) => error(`${path}.config.${field}`)}
                    onChange={(gam) => setValues((before) => ({ ...before, targets: before.targets.map((other) => (other.adapterConfigId === connection.id ? { ...other, gam } : other)) }))}
                  />
                ) : null}
              </ConnectionSection>
            );
          })}
        </div>
      </Card>
      <div className={canEdit ? "sticky bottom-0 z-10 -mx-4 grid gap-3 border-t border-line bg-canvas px-4 py-3 lg:-mx-6 lg:px-6" : undefined}>
        <ActionStatus state={state} />
        {canEdit ? <div><Button type="submit" variant="primary" isPending={isPending}>{id === undefined ? "Create product" : "Save"}</Button></div> : null}
      </div>
    </form>
  );
}

function ConnectionSection({ connection, isMapped, isDisabled, error, onToggle, children }: { connection: EditorConnection; isMapped: boolean; isDisabled: boolean; error?: string; onToggle: (isOn: boolean) => void; children: ReactNode }) {
  const isVerified = connection.status === "verified";
  return (
    <div className="grid gap-4 not-last:border-b not-last:border-line not-last:pb-6">
      <Checkbox
        label={<span className="inline-flex flex-wrap items-center gap-2 font-medium">{connection.name}<Badge>{connection.mode === "live" ? "Live" : "Simulated"}</Badge><Badge>{connection.currency}</Badge></span>}
        hint={isVerified ? undefined : "Its test has not passed: products can be mapped to it once it has."}
        checked={isMapped} disabled={isDisabled || (!isVerified && !isMapped)} aria-invalid={error ? true : undefined} onChange={(event) => onToggle(event.target.checked)}
      />
      {error ? <FieldError id={`target-error-${connection.id}`}>{error}</FieldError> : null}
      {children ? <div className="min-w-0 sm:pl-8">{children}</div> : null}
    </div>
  );
}
