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
      <ActionForm action={action} onOk={() => setOpen(false)}>
        {({ isPending, error, value }) => (
          <div className="grid gap-4">
            <input type="hidden" name="id" value={id} />
            <Field label="Name" name="name" required error={error("name")}>{(control) => <Input {...control} autoComplete="off" maxLength={150} defaultValue={value("name", name)} />}</Field>
            <div className="flex flex-wrap justify-end gap-2"><Button onClick={() => setOpen(false)}>Cancel</Button><Button type="submit" variant="primary" isPending={isPending}>Save name</Button></div>
          </div>
        )}
      </ActionForm>
    </Dialog>
  );
}
