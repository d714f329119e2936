/** What every product here can report, unless its own details say otherwise (core/reporting-capabilities.json). */

export const REPORTING_FREQUENCIES = ["hourly", "daily", "monthly"] as const;
export type ReportingFrequency = (typeof REPORTING_FREQUENCIES)[number];

/** Impressions and spend are always among them. */
export const REPORTED_METRICS = ["impressions", "spend", "clicks", "ctr", "cost_per_click", "completed_views", "completion_rate", "conversions", "cost_per_acquisition"] as const;

/** A day's or month's report is due so long after its end: ad servers count on for a while. */
export const REPORT_DELAY_MINUTES = 240;

export function reportingCapabilities(timeZone: string): Record<string, unknown> {
  return {
    available_reporting_frequencies: [...REPORTING_FREQUENCIES], expected_delay_minutes: REPORT_DELAY_MINUTES, timezone: timeZone, supports_webhooks: true,
    available_metrics: ["impressions", "spend", "clicks", "ctr", "cost_per_click"], date_range_support: "date_range",
    supports_creative_breakdown: true, supports_geo_breakdown: { country: true },
  };
}
