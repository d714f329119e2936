"use client";

import { useParams } from "next/navigation";
import { type ReactNode, startTransition, useEffect, useRef } from "react";
import { type ActionState, type AdminAction } from "@/lib/auth/action-state";
import { ActionStatus } from "./action-status";
import { useReportedAction } from "./use-reported-action";

export type FormView = {
  state: ActionState;
  isPending: boolean;
  /** What is wrong with a field, by its path. */
  error(field: string): string | undefined;
  /** What was typed before, else `initial`. */
  value(field: string, initial?: string): string | undefined;
};

/**
 * A form whose action came through adminAction. Sends the publisher of the address along; says the result in a region that exists
 * beforehand; moves focus to the first field at fault.
 */
export function ActionForm({ action, children, className, onOk, isSilent = false }: {
  action: AdminAction;
  children: (form: FormView) => ReactNode;
  className?: string;
  onOk?: () => void;
  /** The caller shows the result itself. */
  isSilent?: boolean;
}) {
  const { publisher } = useParams<{ publisher: string }>();
  const [state, dispatch, isPending] = useReportedAction(action, (result) => { if (result.status === "ok") onOk?.(); });
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (state.status === "invalid") form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [state]);

  return (
    <form
      ref={form}
      action={dispatch}
      className={className}
      onSubmit={(event) => {
        // Sent by hand, because React would empty the form afterwards.
        event.preventDefault();
        if (isPending) return;
        const submitter = event.nativeEvent instanceof SubmitEvent ? event.nativeEvent.submitter : null;
        const data = new FormData(event.currentTarget, submitter);
        startTransition(() => dispatch(data));
      }}
    >
      <input type="hidden" name="publisher" value={publisher} />
      {children({
        state,
        isPending,
        error: (field) => (state.status === "invalid" ? state.fieldErrors[field] : undefined),
        value: (field, initial) => {
          const typed = state.status === "invalid" ? state.values[field] : undefined;
          return typeof typed === "string" ? typed : initial;
        },
      })}
      {isSilent ? null : <ActionStatus state={state} className="mt-3" />}
    </form>
  );
}

/** The same for a form that keeps its values itself: `submit(input)` sends an object. */
export function useAdminAction(action: AdminAction, onOk?: () => void): { state: ActionState; isPending: boolean; submit(input: unknown): void } {
  const { publisher } = useParams<{ publisher: string }>();
  const [state, dispatch, isPending] = useReportedAction(action, (result) => { if (result.status === "ok") onOk?.(); });
  return { state, isPending, submit: (input) => startTransition(() => dispatch({ publisher, input })) };
}
