"use client";

import { useRouter } from "next/navigation";
import { useActionState, useEffect, useRef } from "react";
import { showToast } from "@/components/ui/toast";
import { type ActionInput, type ActionState, type AdminAction, IDLE } from "@/lib/auth/action-state";

/**
 * useActionState whose result is never lost: a success is a passing message, wherever the screen goes next; a refusal is the caller's
 * to show, but becomes a message too when the screen has changed meanwhile and the form is gone (somebody else was first).
 */
export function useReportedAction(action: AdminAction, onResult?: (result: ActionState) => void): [ActionState, (input: ActionInput) => void, boolean] {
  const router = useRouter();
  const latest = useRef(onResult);
  useEffect(() => { latest.current = onResult; });
  const unseen = useRef<string | null>(null);
  const [state, dispatch, isPending] = useActionState(async (previous: ActionState, input: ActionInput) => {
    const result = await action(previous, input);
    if (result.status === "ok") {
      showToast("success", result.message);
      if (result.redirectTo) router.push(result.redirectTo);
    } else if (result.status !== "idle") {
      unseen.current = result.message;
    }
    latest.current?.(result);
    return result;
  }, IDLE);
  useEffect(() => { unseen.current = null; }, [state]);
  useEffect(() => () => {
    if (unseen.current !== null) showToast("error", unseen.current);
  }, []);
  return [state, dispatch, isPending];
}
