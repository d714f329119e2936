import { z } from "zod";
import { AppError } from "../../errors";

const PEM = /^-----BEGIN (RSA )?PRIVATE KEY-----\s[A-Za-z0-9+/=\s]+-----END (RSA )?PRIVATE KEY-----\s*$/;

const serviceAccountSchema = z.object({
  type: z.literal("service_account"),
  client_email: z.email(),
  private_key: z.string().regex(PEM),
  private_key_id: z.string().optional(),
});
export type ServiceAccountKey = z.infer<typeof serviceAccountSchema>;

/** Reads a service account's key file, in form only. Throws VALIDATION_ERROR whose message never repeats what was pasted. */
export function parseServiceAccountKey(text: string): ServiceAccountKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("This is not a JSON key file. In the Google Cloud console: the service account, Keys, Add key, JSON.");
  }
  const parsed = serviceAccountSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? "")))];
  if (fields.includes("type")) throw refuse("This is a JSON file, but no key of a service account (its “type” is not “service_account”).");
  throw refuse(`The key file is incomplete or damaged: check ${fields.map((field) => `“${field}”`).join(", ")}.`);
}

function refuse(message: string): AppError {
  return new AppError("VALIDATION_ERROR", message, { field: "credentials" });
}
