"use client";

import { useActionState, useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { signIn } from "./actions";

export function SignInForm({ callbackUrl, notice }: { callbackUrl: string; notice: string }) {
  const [state, action, isPending] = useActionState(signIn, { message: notice, email: "" });
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (state.email) password.current?.focus();
  }, [state]);
  return (
    <form action={action} className="grid gap-4">
      <input type="hidden" name="callbackUrl" value={callbackUrl} />
      <div role="alert" className="empty:-mb-4">{state.message ? <Notice tone="danger">{state.message}</Notice> : null}</div>
      <Field label="E-mail address" name="email">
        {(control) => <Input {...control} type="email" autoComplete="username" required defaultValue={state.email} key={state.email} />}
      </Field>
      <Field label="Password" name="password">
        {(control) => <Input {...control} ref={password} type="password" autoComplete="current-password" required />}
      </Field>
      <Button type="submit" variant="primary" isPending={isPending}>Sign in</Button>
    </form>
  );
}
