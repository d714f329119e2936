import { randomBytes } from "node:crypto";
import { refresh } from "next/cache";
import { headers } from "next/headers";
import { unstable_rethrow } from "next/navigation";
import { type z } from "zod";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { fieldMessages } from "../field-errors";
import { log } from "../log";
import { type ActionInput, type ActionState, type AdminAction } from "./action-state";
import { readForm, typedValues } from "./form";
import { isSameOrigin } from "./origin";
import { runAs } from "./page";
import { hasPermission, type Permission } from "./permissions";
import { readStaff } from "./session";

/** `message` is shown and announced; `redirectTo` is a path to go to instead of staying; `secret` is for the form that asked, once. */
export type ActionResult = { message: string; redirectTo?: string; secret?: string };

/**
 * The only door to a change by staff: origin, session, membership, permission, input, one transaction, errors in words. The screen
 * is rendered anew with the answer. Services check the permission again, whoever calls them.
 */
export function adminAction<S extends z.ZodType>(permission: Permission, schema: S, perform: (ctx: Ctx, input: z.output<S>, publisher: string) => Promise<ActionResult>): AdminAction {
  return async (_previous, raw) => {
    let state: ActionState;
    try {
      state = await performAction(permission, schema, perform, raw);
    } catch (error) {
      unstable_rethrow(error);
      state = describeFailure(error, raw);
    }
    refresh();
    return state;
  };
}

async function performAction<S extends z.ZodType>(permission: Permission, schema: S, perform: (ctx: Ctx, input: z.output<S>, publisher: string) => Promise<ActionResult>, raw: ActionInput): Promise<ActionState> {
  if (!isSameOrigin(await headers())) return { status: "denied", message: "This form was sent from another site." };
  const staff = await readStaff();
  if (!staff) return { status: "denied", message: "Your session has ended. Sign in again; nothing was changed." };
  const { publisher: slug, input } = raw instanceof FormData ? readForm(raw) : raw;
  const publisher = staff.memberships.find((membership) => membership.slug === slug);
  if (!publisher || !hasPermission(publisher.role, permission)) return { status: "denied", message: "Your role does not allow this. Ask an administrator of this publisher." };

  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const fieldErrors = Object.fromEntries(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]).reverse());
    return { status: "invalid", message: "Nothing was changed: see what is marked.", fieldErrors, values: typedValues(raw) };
  }
  const { message, redirectTo, secret } = await runAs(staff, publisher, (ctx) => perform(ctx, parsed.data, publisher.slug));
  return { status: "ok", message, ...(redirectTo ? { redirectTo } : {}), ...(secret ? { secret } : {}) };
}

function describeFailure(error: unknown, raw: ActionInput): ActionState {
  if (error instanceof AppError && error.code === "PERMISSION_DENIED") return { status: "denied", message: sentence(error) };
  if (error instanceof AppError && error.code !== "INTERNAL_ERROR") return { status: "invalid", message: sentence(error), fieldErrors: fieldMessages(error), values: typedValues(raw) };
  const errorId = `err_${randomBytes(6).toString("hex")}`;
  log.error("An action of staff failed.", { errorId, error });
  return { status: "failed", errorId, message: `Something went wrong. Look at what the screen shows now before trying again; if it happens again, report error ${errorId}.` };
}

function sentence(error: AppError): string {
  // What others did meanwhile is on the screen already: it was rendered anew with this answer.
  if (error.code === "CONFLICT" && error.details?.hasChangedSinceOpened !== true) return `${error.userMessage} The screen shows it as it is now.`;
  return [error.userMessage, error.suggestion].filter(Boolean).join(" ");
}
