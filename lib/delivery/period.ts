import { AppError } from "../errors";
import { addDays, dayIn, isDay, startOfDay } from "./days";
import { type DayRange } from "./queries";

/** The days of a request's `start_date` and `end_date`, both included. Throws VALIDATION_ERROR for what is no period. */
export function readRange({ start_date: from, end_date: to }: { start_date?: string; end_date?: string }): DayRange {
  for (const [field, day] of [["start_date", from], ["end_date", to]] as const) {
    if (day !== undefined && !isDay(day)) throw new AppError("VALIDATION_ERROR", "The calendar has no such date.", { field, suggestion: "Use YYYY-MM-DD." });
  }
  if (from !== undefined && to !== undefined && to < from) throw new AppError("VALIDATION_ERROR", "The period ends before it starts.", { field: "end_date", suggestion: "Send an end_date on or after the start_date." });
  return { from, to };
}

export type Period = { from: Date; to: Date };

/** A period as instants: whole days of this zone, open ends at the given ones, never beyond now. */
export function toPeriod(range: DayRange, timeZone: string, open: Period, now: Date): Period {
  const from = range.from === undefined ? open.from : startOfDay(range.from, timeZone);
  const end = range.to === undefined ? open.to : startOfDay(addDays(range.to, 1), timeZone);
  const to = end < now ? end : now;
  return { from: from < to ? from : to, to };
}

/** As the reports' period: whole days, since days are what is known; the last may be today so far. */
export function presentPeriod({ from, to }: Period, timeZone: string): { start: string; end: string } {
  const lastDay = dayIn(new Date(Math.max(from.getTime(), to.getTime() - 1)), timeZone);
  return { start: startOfDay(dayIn(from, timeZone), timeZone).toISOString(), end: startOfDay(addDays(lastDay, 1), timeZone).toISOString() };
}
