import { type FieldMessages } from "../field-errors";

/** What a form shows after its action. `values` echoes what was typed (never secrets or files): React empties a form after its action. */
export type ActionState =
  | { status: "idle" }
  | { status: "invalid"; message: string; fieldErrors: FieldMessages; values: Record<string, string | string[]> }
  | { status: "denied"; message: string }
  | { status: "failed"; message: string; errorId: string }
  | { status: "ok"; message: string; /** A path of this site to go on to. */ redirectTo?: string; /** Shown this once: it is stored nowhere. */ secret?: string };

export const IDLE: ActionState = { status: "idle" };

/** A form (with the publisher's slug in a field `publisher`), or an object from a script-driven form. */
export type ActionInput = FormData | { publisher: string; input: unknown };

/** In the form that useActionState takes. */
export type AdminAction = (previous: ActionState, input: ActionInput) => Promise<ActionState>;
