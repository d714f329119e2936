import { canonicalHash } from "./adcp/canonical-json";
import { AppError } from "./errors";

/**
 * Names the state that a form was opened on, for things that carry no version of their own: equal states, equal names. A form sends it back,
 * so that two people who save at once do not overwrite one another unseen.
 */
export function versionOf(state: unknown): string {
  return canonicalHash(state).slice(0, 16);
}

/** Throws CONFLICT when `opened`, the version that a form was opened on, is not the present one. Compare under a lock. @param what as a sentence begins: "The settings" */
export function assertUnchanged(what: string, opened: string, present: string): void {
  if (opened !== present) throw changedSinceOpened(what);
}

/** The error of a form that was overtaken. What was typed stays in it. */
export function changedSinceOpened(what: string): AppError {
  return new AppError("CONFLICT", `${what} changed since you opened this form, so nothing was saved. What you typed is still here.`, { suggestion: "Reload the page to see it as it is now.", details: { hasChangedSinceOpened: true } });
}
