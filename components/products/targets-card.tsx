"use client";

import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { FieldError } from "@/components/ui/field";
import { Checkbox } from "@/components/ui/input";
import { type GamValues, NEW_GAM_VALUES } from "./editor-values";
import { GamTargetFields, type LineItemTypeChoice } from "./gam-target-fields";
import { type EditorPart } from "./product-cards";

export type EditorConnection = { id: string; name: string; mode: "live" | "simulated"; currency: string; status: "unverified" | "verified" | "failed" };

/** Which ad servers carry the product, and as what. */
export function TargetsCard({ connections, lineItemTypes, ...part }: EditorPart & { connections: EditorConnection[]; lineItemTypes: LineItemTypeChoice[] }) {
  return (
    <Card title="Ad servers" description="Where orders of this product are booked. Orders that exist keep what they were sold with.">
      <div className="grid gap-6">
        {part.isDisabled && part.values.targets.length === 0 ? <p className="text-ink-2">It is mapped to none.</p> : null}
        {connections.length === 0 ? <p className="text-ink-2">No ad server is connected yet, so orders of this product cannot be booked.</p> : null}
        {connections.map((connection) => <TargetSection key={connection.id} {...part} connection={connection} lineItemTypes={lineItemTypes} />)}
      </div>
    </Card>
  );
}

function TargetSection({ connection, lineItemTypes, values, isDisabled, error, change }: EditorPart & { connection: EditorConnection; lineItemTypes: LineItemTypeChoice[] }) {
  const index = values.targets.findIndex((target) => target.adapterConfigId === connection.id);
  const target = values.targets[index];
  const path = `targets.${index}`;
  const problem = target ? error(`${path}.adapterConfigId`) ?? error(`${path}.config`) : undefined;
  const isVerified = connection.status === "verified";
  if (isDisabled && !target) return null;
  const setTarget = (gam: GamValues) => change({ targets: values.targets.map((other) => (other.adapterConfigId === connection.id ? { ...other, gam } : other)) });
  return (
    <div className="grid gap-4 not-last:border-b not-last:border-line not-last:pb-6">
      <Checkbox
        label={<span className="inline-flex flex-wrap items-center gap-2 font-medium">{connection.name}<Badge>{connection.mode === "live" ? "Live" : "Simulated"}</Badge><Badge>{connection.currency}</Badge></span>}
        hint={isVerified ? undefined : "Its test has not passed: products can be mapped to it once it has."}
        checked={target !== undefined} disabled={isDisabled || (!isVerified && !target)} aria-invalid={problem ? true : undefined}
        onChange={(event) => change({ targets: event.target.checked ? [...values.targets, { adapterConfigId: connection.id, gam: NEW_GAM_VALUES }] : values.targets.filter((other) => other.adapterConfigId !== connection.id) })}
      />
      {problem ? <FieldError id={`target-error-${connection.id}`}>{problem}</FieldError> : null}
      {target ? (
        <div className="min-w-0 sm:pl-8">
          <GamTargetFields connectionId={connection.id} values={target.gam} types={lineItemTypes} isGuaranteed={values.deliveryType === "guaranteed"} isDisabled={isDisabled} error={(field) => error(`${path}.config.${field}`)} onChange={setTarget} />
        </div>
      ) : null}
    </div>
  );
}
