import { type z } from "zod";
import { AppError } from "./errors";

/** Messages for a form by the path of the field at fault: `pricingOptions.0.rate`. */
export type FieldMessages = Record<string, string>;

/** Collects the mistakes of one input, so that a person sees all of them at once. The first message of a path stands. */
export class FieldErrors {
  readonly messages: FieldMessages = {};

  add(path: string, message: string): void {
    this.messages[path] ??= message;
  }

  /** Takes over what a schema found, below `prefix`. */
  addIssues(prefix: string, error: z.ZodError): void {
    for (const issue of error.issues) this.add([prefix, ...issue.path.map(String)].filter(Boolean).join("."), issue.message);
  }

  /** Takes over what another check threw about one field; anything that is not about input is thrown on. */
  addError(path: string, error: unknown): void {
    if (!(error instanceof AppError) || error.code !== "VALIDATION_ERROR") throw error;
    this.add(path, error.userMessage);
  }

  /** Throws one VALIDATION_ERROR whose `details.fieldErrors` holds every message; `field` is the first path. */
  throwIfAny(): void {
    const [first] = Object.entries(this.messages);
    if (!first) return;
    throw new AppError("VALIDATION_ERROR", first[1], { field: first[0], details: { fieldErrors: this.messages } });
  }
}

/** The messages by path that a VALIDATION_ERROR carries; of one with a single field, that field's. */
export function fieldMessages(error: AppError): FieldMessages {
  const collected = error.details?.fieldErrors;
  if (isMessages(collected)) return collected;
  return error.field === undefined ? {} : { [error.field]: error.userMessage };
}

function isMessages(value: unknown): value is FieldMessages {
  return typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "string");
}
