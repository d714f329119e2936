import { describe, expect, test } from "vitest";
import { agreeMeasurement } from "./measurement-terms";

const POLICY = { vendors: ["admanager.google.com", "meter.example"], windows: ["c7"], minVariancePercent: 10, remedies: ["additional_delivery", "credit"] };
const ask = (billing: Record<string, unknown>, remedies = ["credit"]) => ({ product_id: "p", pricing_option_id: "o", budget: 1, measurement_terms: { billing_measurement: { vendor: { domain: "meter.example" }, ...billing }, makegood_policy: { available_remedies: remedies } } });

describe("measurement terms", () => {
  test("the buyer's are agreed where the product's policy takes them", () => {
    expect(agreeMeasurement(ask({ measurement_window: "c7", max_variance_percent: 12 }, ["credit", "refund"]), POLICY, "packages[0]")).toEqual({
      billing_measurement: { vendor: { domain: "meter.example" }, measurement_window: "c7", max_variance_percent: 12 }, makegood_policy: { available_remedies: ["credit"] },
    });
    expect(agreeMeasurement({ product_id: "p", pricing_option_id: "o", budget: 1 }, null, "packages[0]")).toBeUndefined();
  });

  test.each([
    ["another vendor's count", ask({ vendor: { domain: "other.example" } }), POLICY, "billing_measurement.vendor"],
    ["a window that is not offered", ask({ measurement_window: "c30" }), POLICY, "billing_measurement.measurement_window"],
    ["a tighter variance", ask({ max_variance_percent: 0 }), POLICY, "billing_measurement.max_variance_percent"],
    ["no remedy in common", ask({}, ["refund"]), POLICY, "makegood_policy.available_remedies"],
  ])("%s is refused, with what would be accepted", (_what, request, policy, field) => {
    expect(() => agreeMeasurement(request, policy, "packages[0]")).toThrow(expect.objectContaining({ code: "TERMS_REJECTED", field: `packages[0].measurement_terms.${field}`, details: { accepted: expect.objectContaining({ min_variance_percent: 10 }) as unknown } }) as Error);
  });

  test("a product without a policy, and performance standards, stay the publisher's", () => {
    expect(() => agreeMeasurement(ask({}), null, "packages[0]")).toThrow(expect.objectContaining({ code: "TERMS_REJECTED", field: "packages[0].measurement_terms" }) as Error);
    expect(() => agreeMeasurement({ ...ask({}), performance_standards: [] }, POLICY, "packages[0]")).toThrow(expect.objectContaining({ field: "packages[0].performance_standards" }) as Error);
  });
});
