"use client";

import { useActionState, useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { type LinkState, openLink } from "./actions";

const NOTHING: LinkState = { message: "", field: null, isGone: false };

/** A new password, typed twice, or (isConfirming) the present one. */
export function LinkForm({ token, email, isConfirming, charactersMin, submitLabel }: { token: string; email: string; isConfirming: boolean; charactersMin: number; submitLabel: string }) {
  const [state, action, isPending] = useActionState(openLink, NOTHING);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (state.field) form.current?.querySelector<HTMLElement>(`[name=${state.field}]`)?.focus();
  }, [state]);
  const error = (field: "password" | "repeated") => (state.field === field ? state.message : undefined);
  return (
    <form ref={form} action={action} className="grid gap-4">
      <input type="hidden" name="token" value={token} />
      {/* For password managers: whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <div role="alert" className="empty:-mb-4">{state.message && !state.field ? <Notice tone="danger">{state.message}{state.isGone ? " Ask an administrator for a new one." : ""}</Notice> : null}</div>
      <Field label={isConfirming ? "Password" : "New password"} name="password" error={error("password")} hint={isConfirming ? "The one that you sign in with already." : `At least ${charactersMin} characters. A few words are easy to remember and hard to guess.`}>
        {(control) => <Input {...control} type="password" autoComplete={isConfirming ? "current-password" : "new-password"} required />}
      </Field>
      {isConfirming ? null : (
        <Field label="The same again" name="repeated" error={error("repeated")}>
          {(control) => <Input {...control} type="password" autoComplete="new-password" required />}
        </Field>
      )}
      <Button type="submit" variant="primary" isPending={isPending}>{submitLabel}</Button>
    </form>
  );
}
