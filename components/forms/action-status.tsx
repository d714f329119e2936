import { type ActionState } from "@/lib/auth/action-state";
import { Notice } from "@/components/ui/notice";

const TONES = { ok: "success", invalid: "warning", denied: "danger", failed: "danger" } as const;

/**
 * Where an action's result is said. Present, and empty, beforehand: only then is it announced. Successes are passing messages
 * elsewhere, unless `hasSuccess`.
 */
export function ActionStatus({ state, className, hasSuccess = false }: { state: ActionState; className?: string; hasSuccess?: boolean }) {
  const isShown = state.status !== "idle" && (state.status !== "ok" || hasSuccess);
  return (
    <div role="status" className={isShown ? className : undefined}>
      {isShown ? <Notice tone={TONES[state.status]}>{state.message}</Notice> : null}
    </div>
  );
}
