"use client";

import { ActionForm } from "@/components/forms/action-form";
import { TimeZoneInput } from "@/components/forms/time-zone-input";
import { useOpened } from "@/components/forms/use-opened";
import { Button } from "@/components/ui/button";
import { Field, FieldGroup } from "@/components/ui/field";
import { Input, Radio, Select, Textarea } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type AdminAction } from "@/lib/auth/action-state";

export type ShownConnection = {
  id: string;
  version: number;
  name: string;
  kind: string;
  mode: "live" | "simulated";
  currency: string;
  timeZone: string;
  networkCode: string;
  traffickerId: string;
  ratePerSecond: number;
  credentialsHint: string | null;
};

/** Makes a connection, or changes `connection`. What the key says stays on the server: it is sent, stored encrypted, and never shown. */
export function ConnectionForm({ action, connection: stored, kinds, defaults, modes }: {
  action: AdminAction;
  /** As it is stored now. */
  connection?: ShownConnection;
  kinds: { kind: string; label: string }[];
  defaults: { currency: string; timeZone: string };
  /** Modes that a new connection may have here. */
  modes: ("live" | "simulated")[];
}) {
  const { opened: connection, hasMoved, markSaved } = useOpened(stored, (thing) => thing?.version);
  return (
    <ActionForm action={action} onOk={markSaved}>
      {({ isPending, error, value }) => (
        <div key={connection?.version} className="grid gap-5">
          {hasMoved ? <Notice tone="warning" title="Somebody saved this connection while you had it open">Reload the page to see it as it is now.</Notice> : null}
          {connection ? <><input type="hidden" name="id" value={connection.id} /><input type="hidden" name="version" value={connection.version} /></> : null}
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="Name" name="name" required error={error("name")} hint="How your colleagues will know it.">{(control) => <Input {...control} defaultValue={value("name", connection?.name)} maxLength={100} />}</Field>
            {connection ? <input type="hidden" name="kind" value={connection.kind} /> : (
              <Field label="Ad server" name="kind" required error={error("kind")} hint="It cannot be changed later.">
                {(control) => <Select {...control} defaultValue={value("kind", kinds[0]?.kind)}>{kinds.map(({ kind, label }) => <option key={kind} value={kind}>{label}</option>)}</Select>}
              </Field>
            )}
          </div>
          {connection ? <input type="hidden" name="mode" value={connection.mode} /> : (
            <FieldGroup legend="What it is connected to" error={error("mode")} hint="For ever: a live connection never becomes a simulated one, or the other way round.">
              {modes.includes("live") ? <Radio name="mode" value="live" label="A live network" hint="Real orders run here. Sandbox orders never do." defaultChecked={value("mode", modes[0]) === "live"} /> : null}
              {modes.includes("simulated") ? <Radio name="mode" value="simulated" label="The simulator" hint="Orders of sandbox buyers run here, for trying things out." defaultChecked={value("mode", modes[0]) === "simulated"} /> : null}
            </FieldGroup>
          )}
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="Network code" name="config.networkCode" required error={error("config.networkCode") ?? error("config")} hint="Ad Manager: Admin, Global settings, Network settings.">
              {(control) => <Input {...control} inputMode="numeric" autoComplete="off" defaultValue={value("config.networkCode", connection?.networkCode)} />}
            </Field>
            <Field label="Trafficker's user id" name="config.traffickerId" error={error("config.traffickerId")} hint="Whom new orders name as their trafficker. Empty: the service account itself.">
              {(control) => <Input {...control} inputMode="numeric" autoComplete="off" defaultValue={value("config.traffickerId", connection?.traffickerId)} />}
            </Field>
            <Field label="Currency of the network" name="currency" required error={error("currency")} hint="Compared with what the network says.">
              {(control) => <Input {...control} maxLength={3} autoCapitalize="characters" autoComplete="off" className="uppercase" defaultValue={value("currency", connection?.currency ?? defaults.currency)} />}
            </Field>
            <Field label="Time zone of the network" name="timeZone" required error={error("timeZone")} hint="Flights and delivery days are counted in it.">
              {(control) => <TimeZoneInput {...control} defaultValue={value("timeZone", connection?.timeZone ?? defaults.timeZone)} />}
            </Field>
            <Field label="Calls per second" name="ratePerSecond" error={error("ratePerSecond")} hint="Shared by everything that talks to this network. Empty: the usual rate.">
              {(control) => <Input {...control} inputMode="decimal" autoComplete="off" defaultValue={value("ratePerSecond", connection ? String(connection.ratePerSecond) : "")} />}
            </Field>
          </div>
          <FieldGroup
            legend={connection?.credentialsHint ? "Replace the service account's key" : "Service account's key"}
            hint={connection?.credentialsHint ? <>The key of <strong className="font-medium text-ink">{connection.credentialsHint}</strong> is stored, encrypted, and is never shown again. Leave both fields empty to keep it.</> : "Stored encrypted, and never shown again. The service account must be a user of the network with API access."}
          >
            <div className="grid gap-4 sm:grid-cols-2">
              <Field label="Key file (JSON)" name="credentialsFile" error={error("credentialsFile")}>{(control) => <Input {...control} type="file" accept="application/json,.json" />}</Field>
              <Field label="Or paste the key file's contents" name="credentials" error={error("credentials")}>
                {(control) => <Textarea {...control} rows={4} autoComplete="off" spellCheck={false} placeholder='{ "type": "service_account", … }' className="font-mono text-xs" />}
              </Field>
            </div>
          </FieldGroup>
          <div className="flex items-center gap-3"><Button type="submit" variant="primary" isPending={isPending}>{connection ? "Save" : "Save and test"}</Button></div>
        </div>
      )}
    </ActionForm>
  );
}
