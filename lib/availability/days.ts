import { dayIn } from "../delivery/days";
import { addMs, DAY_MS } from "../time";

/** How often an ad server is asked. */
export const AVAILABILITY_INTERVAL_MS = DAY_MS;
/** Two syncs in a row have failed by then: figures are kept for staff, and are nothing to plan by. */
export const AVAILABILITY_OLD_MS = 2 * AVAILABILITY_INTERVAL_MS;

/** Impressions that nobody has reserved, by day from `firstDay`, a day of `timeZone`. */
export type AvailableDays = { firstDay: string; timeZone: string; available: number[]; generatedAt: Date };

/** What is left of figures now: the days that are not over; null when they are too old. */
export function asOf(days: AvailableDays, now: Date): AvailableDays | null {
  if (days.generatedAt < addMs(now, -AVAILABILITY_OLD_MS)) return null;
  const today = dayIn(now, days.timeZone);
  return today <= days.firstDay ? days : { ...days, firstDay: today, available: days.available.slice(daysBetween(days.firstDay, today)) };
}

/** A stretch of days, both included. */
export type Window = { from: string; to: string };

/** How many impressions are free on these days; null: not all of them are known. */
export function availableIn({ firstDay, available }: AvailableDays, { from, to }: Window): number | null {
  const [start, end] = [daysBetween(firstDay, from), daysBetween(firstDay, to)];
  if (!(start >= 0 && end >= start && end < available.length)) return null;
  return available.slice(start, end + 1).reduce((sum, count) => sum + count, 0);
}

/** What get_products shows (core/delivery-forecast.json): one point per window that is known whole. undefined: none is. */
export function presentForecast(days: AvailableDays, currency: string, windows: readonly Window[]): Record<string, unknown> | undefined {
  const points = windows.flatMap((window) => {
    const impressions = availableIn(days, window);
    return impressions === null ? [] : [{ label: `${window.from} to ${window.to}`, metrics: { impressions: { mid: impressions } } }];
  });
  if (points.length === 0) return undefined;
  return {
    points, forecast_range_unit: "availability", method: "modeled", currency,
    generated_at: days.generatedAt.toISOString(), valid_until: addMs(days.generatedAt, AVAILABILITY_INTERVAL_MS).toISOString(),
  };
}

/** The stretches that are shown to who asks for no dates: 30 days and all that is known. */
export function usualWindows({ firstDay, available }: AvailableDays): Window[] {
  return [30, available.length].filter((length, index, all) => length > 0 && length <= available.length && all.indexOf(length) === index).map((length) => ({ from: firstDay, to: plusDays(firstDay, length - 1) }));
}

function plusDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}
