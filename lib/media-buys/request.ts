import { z } from "zod";
import { AppError } from "../errors";

/** What the services read of the protocol's requests. The dispatcher has checked the whole schema, and that it can be stored; further fields pass through. */

const formatId = z.looseObject({ agent_url: z.string(), id: z.string() });
const anyObject = z.record(z.string(), z.unknown());
const pacing = z.enum(["even", "asap", "front_loaded"]);

const creativeAssignment = z.looseObject({ creative_id: z.string(), weight: z.number().optional() });
const creativeUpload = z.looseObject({ creative_id: z.string(), format_id: formatId, weight: z.number().optional() });

const packageRequest = z.looseObject({
  product_id: z.string(),
  pricing_option_id: z.string(),
  budget: z.number(),
  bid_price: z.number().optional(),
  impressions: z.number().optional(),
  pacing: pacing.optional(),
  start_time: z.string().optional(),
  end_time: z.string().optional(),
  paused: z.boolean().optional(),
  format_ids: z.array(formatId).optional(),
  targeting_overlay: anyObject.optional(),
  creative_assignments: z.array(creativeAssignment).optional(),
  creatives: z.array(creativeUpload).optional(),
  agency_estimate_number: z.string().optional(),
  context: anyObject.optional(),
});

const createRequest = z.looseObject({
  packages: z.array(packageRequest).optional(),
  proposal_id: z.string().optional(),
  total_budget: z.object({ amount: z.number(), currency: z.string() }).optional(),
  po_number: z.string().optional(),
  start_time: z.string(),
  end_time: z.string(),
  push_notification_config: anyObject.optional(),
  reporting_webhook: anyObject.optional(),
  context: anyObject.optional(),
});

const packageUpdate = z.looseObject({
  package_id: z.string(),
  budget: z.number().optional(),
  bid_price: z.number().optional(),
  impressions: z.number().optional(),
  pacing: pacing.optional(),
  start_time: z.string().optional(),
  end_time: z.string().optional(),
  paused: z.boolean().optional(),
  canceled: z.literal(true).optional(),
  cancellation_reason: z.string().optional(),
  targeting_overlay: anyObject.optional(),
  creative_assignments: z.array(creativeAssignment).optional(),
  creatives: z.array(creativeUpload).optional(),
  context: anyObject.optional(),
});

const updateRequest = z.looseObject({
  media_buy_id: z.string(),
  revision: z.number().int().optional(),
  paused: z.boolean().optional(),
  canceled: z.literal(true).optional(),
  cancellation_reason: z.string().optional(),
  start_time: z.string().optional(),
  end_time: z.string().optional(),
  name: z.string().trim().min(1).max(200).optional(),
  po_number: z.string().trim().min(1).max(255).optional(),
  packages: z.array(packageUpdate).optional(),
  new_packages: z.array(packageRequest).optional(),
  push_notification_config: anyObject.optional(),
  reporting_webhook: anyObject.optional(),
  context: anyObject.optional(),
});

/** More packages than an ad server takes in one order. */
const PACKAGES_MAX = 450;

export function refuseTooMany(count: number, field: string): void {
  if (count > PACKAGES_MAX) throw new AppError("VALIDATION_ERROR", `A media buy has at most ${PACKAGES_MAX} packages.`, { field, suggestion: "Place several media buys." });
}

export type CreateRequest = z.infer<typeof createRequest>;
export type PackageRequest = z.infer<typeof packageRequest>;
export type UpdateRequest = z.infer<typeof updateRequest>;
export type PackageUpdate = z.infer<typeof packageUpdate>;
export type CreativeUpload = z.infer<typeof creativeUpload>;
export type CreativeAssignment = z.infer<typeof creativeAssignment>;

export const parseCreateRequest = (input: unknown): CreateRequest => parse(createRequest, input);
export const parseUpdateRequest = (input: unknown): UpdateRequest => parse(updateRequest, input);

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError("VALIDATION_ERROR", issue?.message ?? "The request is not valid.", { field: issue && fieldPath(issue.path) });
}

/** `["packages", 0, "budget"]` → `packages[0].budget`. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index > 0 ? "." : ""}${String(part)}`)).join("");
}

const SECRET_KEYS = new Set(["credentials", "token", "auth_token", "access_token", "refresh_token", "api_key", "secret", "client_secret", "password", "authorization", "private_key", "governance_context"]);

/** The request as it may be stored and shown: no credential of the buyer's, at any depth. */
export function withoutCredentials(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !SECRET_KEYS.has(key.toLowerCase())).map(([key, item]) => [key, strip(item)]));
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  return isRecord(value) ? withoutCredentials(value) : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Refuses each field of `input` that `isSupported` does not know, by its name. */
export function refuseUnsupported(input: Record<string, unknown>, isUnsupported: (field: string) => boolean, path = ""): void {
  for (const [field, value] of Object.entries(input)) {
    if (value === undefined || !isUnsupported(field)) continue;
    throw new AppError("UNSUPPORTED_FEATURE", `This publisher does not support ${field} here.`, { field: path ? `${path}.${field}` : field, suggestion: "Send the request without it." });
  }
}
