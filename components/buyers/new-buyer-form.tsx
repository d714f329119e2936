"use client";

import { ActionForm } from "@/components/forms/action-form";
import { Button } from "@/components/ui/button";
import { Field, FieldGroup } from "@/components/ui/field";
import { Input, Radio } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";

export function NewBuyerForm({ action }: { action: AdminAction }) {
  return (
    <ActionForm action={action}>
      {({ isPending, error, value }) => (
        <div className="grid max-w-xl gap-5">
          <Field label="Name" name="name" required error={error("name")} hint="As your team knows it: an agency, or the agent of a brand.">
            {(control) => <Input {...control} autoComplete="off" maxLength={150} defaultValue={value("name", "")} />}
          </Field>
          <FieldGroup legend="What it works with" error={error("kind")} hint="This can never be changed: all its accounts and orders follow from it.">
            <Radio name="kind" value="real" label="Real orders" hint="They go to live ad servers and are billed." defaultChecked={value("kind", "real") === "real"} />
            <Radio name="kind" value="sandbox" label="Sandbox only" hint="For trying things out: its orders go to simulated ad servers." defaultChecked={value("kind") === "sandbox"} />
          </FieldGroup>
          <div><Button type="submit" variant="primary" isPending={isPending}>Create buyer</Button></div>
        </div>
      )}
    </ActionForm>
  );
}
