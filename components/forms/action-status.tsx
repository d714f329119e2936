import { type ActionState } from "@/lib/auth/action-state";
import { Notice } from "@/components/ui/notice";

/** Where an action's result is said when it did not succeed. Present, and empty, beforehand: only then is it announced. */
export function ActionStatus({ state, className }: { state: ActionState; className?: string }) {
  const isShown = state.status !== "idle" && state.status !== "ok";
  return (
    <div role="status" className={isShown ? className : undefined}>
      {isShown ? <Notice tone={state.status === "invalid" ? "warning" : "danger"}>{state.message}</Notice> : null}
    </div>
  );
}
