"use client";

import { Pencil } from "lucide-react";
import { useState } from "react";
import { ActionForm } from "@/components/forms/action-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { type AdminAction } from "@/lib/auth/action-state";

export function RenameBuyer({ action, id, name }: { action: AdminAction; id: string; name: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title={`Rename ${name}`} trigger={<Button><Pencil aria-hidden />Rename</Button>}>
      <NameForm action={action} id={id} name={name} onClose={() => setOpen(false)} />
    </Dialog>
  );
}

/** Made anew with each opening: `seen` is the name that the person changed. */
function NameForm({ action, id, name, onClose }: { action: AdminAction; id: string; name: string; onClose: () => void }) {
  const [seen] = useState(name);
  return (
    <ActionForm action={action} onOk={onClose}>
      {({ isPending, error, value }) => (
        <div className="grid gap-4">
          <input type="hidden" name="id" value={id} />
          <input type="hidden" name="seen" value={seen} />
          <Field label="Name" name="name" required error={error("name")}>{(control) => <Input {...control} autoComplete="off" maxLength={150} defaultValue={value("name", seen)} />}</Field>
          <div className="flex flex-wrap justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Save name</Button></div>
        </div>
      )}
    </ActionForm>
  );
}
