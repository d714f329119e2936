"use client";

import { type ReactNode } from "react";
import { Button, type ButtonProps } from "@/components/ui/button";
import { type AdminAction } from "@/lib/auth/action-state";
import { ActionForm } from "./action-form";

/** A button that is a whole form: `fields` are sent along. */
export function ActionButton({ action, fields, children, ...props }: Omit<ButtonProps, "action" | "type"> & { action: AdminAction; fields: Record<string, string>; children: ReactNode }) {
  return (
    <ActionForm action={action}>
      {({ isPending }) => (
        <>
          {Object.entries(fields).map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
          <Button type="submit" isPending={isPending} {...props}>{children}</Button>
        </>
      )}
    </ActionForm>
  );
}
