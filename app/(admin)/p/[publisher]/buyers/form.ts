import { z } from "zod";
import { principalInput, ROTATION_OVERLAP_HOURS } from "@/lib/buyers/input";
import { ALL_SCOPES } from "@/lib/buyers/scopes";

/** Fields of the forms about buyers, as the services take them. */

const lifetimeDays = z.enum(["30", "90", "365", "never"]).transform((days) => (days === "never" ? null : Number(days)));
const several = z.preprocess((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]), z.array(z.string()));

/** A box that is not ticked is absent. */
export const buyerForm = z.strictObject({ name: principalInput.shape.name, kind: z.enum(["real", "sandbox"]) }).transform(({ name, kind }) => ({ name, isSandbox: kind === "sandbox" }));

export const issueForm = z.strictObject({ principalId: z.uuid(), name: z.string(), access: z.enum(["everything", "chosen"]), scopes: several, lifetimeDays })
  .refine(({ access, scopes }) => access === "everything" || scopes.length > 0, { path: ["scopes"], message: "Choose at least one permission." })
  .transform(({ access, scopes, ...rest }) => ({ ...rest, scopes: access === "everything" ? [ALL_SCOPES] : scopes }));

export const rotateForm = z.strictObject({
  tokenId: z.uuid(), lifetimeDays,
  overlapHours: z.coerce.number().refine((hours) => ROTATION_OVERLAP_HOURS.some((choice) => choice === hours), "Choose how long."),
});

const perSecond = z.string().trim().transform((text, context) => {
  if (text === "") return null;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  context.addIssue({ code: "custom", message: "Enter a number, such as 20, or leave it empty." });
  return z.NEVER;
});

export const limitsForm = z.strictObject({ principalId: z.uuid(), version: z.string(), readPerSecond: perSecond, writePerSecond: perSecond });

export const signingForm = z.strictObject({ principalId: z.uuid(), isRequired: z.enum(["true", "false"]).transform((text) => text === "true") });
