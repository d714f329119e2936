import { z } from "zod";
import { AppError } from "../errors";
import { type TermsPolicy } from "../products/schema";
import { type PackageRequest } from "./request";

const termsInput = z.looseObject({
  billing_measurement: z.looseObject({ vendor: z.looseObject({ domain: z.string() }), max_variance_percent: z.number().optional(), measurement_window: z.string().optional() }).optional(),
  makegood_policy: z.looseObject({ available_remedies: z.array(z.string()) }).optional(),
});

/**
 * The terms that a package is measured and made good by, as both sides agree: the buyer's, where the product's policy takes them. Throws
 * TERMS_REJECTED with the field at fault and what would be accepted. undefined: the publisher's own.
 */
export function agreeMeasurement(request: PackageRequest, policy: TermsPolicy | null, path: string): Record<string, unknown> | undefined {
  if (request.performance_standards !== undefined) {
    throw new AppError("TERMS_REJECTED", "This publisher guarantees no performance standards.", { field: `${path}.performance_standards`, suggestion: "Leave performance_standards out to accept the product's." });
  }
  if (request.measurement_terms === undefined) return undefined;
  const field = `${path}.measurement_terms`;
  if (!policy) throw new AppError("TERMS_REJECTED", "This product is sold on the publisher's own measurement terms.", { field, suggestion: "Leave measurement_terms out to accept them." });
  const parsed = termsInput.safeParse(request.measurement_terms);
  if (!parsed.success) throw new AppError("INVALID_REQUEST", "The measurement terms are not valid.", { field });
  const { billing_measurement: billing, makegood_policy: makegood } = parsed.data;
  const refuse = (at: string, message: string): never => {
    throw new AppError("TERMS_REJECTED", message, {
      field: `${field}.${at}`, suggestion: "Send terms within what is accepted, or leave measurement_terms out.",
      details: { accepted: { vendors: policy.vendors, measurement_windows: policy.windows, min_variance_percent: policy.minVariancePercent, remedies: policy.remedies } },
    });
  };
  if (billing && !policy.vendors.includes(billing.vendor.domain.toLowerCase())) refuse("billing_measurement.vendor", "Invoices do not follow this vendor's count.");
  if (billing?.measurement_window !== undefined && !policy.windows.includes(billing.measurement_window)) refuse("billing_measurement.measurement_window", "Nothing is reconciled against this measurement window.");
  if (billing?.max_variance_percent !== undefined && billing.max_variance_percent < policy.minVariancePercent) refuse("billing_measurement.max_variance_percent", `Counts that differ by less than ${policy.minVariancePercent} percent are not resolved.`);
  if (makegood && !makegood.available_remedies.some((remedy) => policy.remedies.includes(remedy))) refuse("makegood_policy.available_remedies", "None of these remedies is offered.");
  return {
    ...(billing ? { billing_measurement: billing } : {}),
    ...(makegood ? { makegood_policy: { available_remedies: makegood.available_remedies.filter((remedy) => policy.remedies.includes(remedy)) } } : {}),
  };
}
