import { addDays, dayIn, startOfDay } from "../delivery/days";
import { type DayRange } from "../delivery/queries";
import { addMs, HOUR_MS, MINUTE_MS } from "../time";
import { REPORT_DELAY_MINUTES, type ReportingFrequency } from "./capabilities";

/** The spans of time that are reported one by one: hours, and days and months of a zone. */
export type Window = { startsAt: Date; endsAt: Date; /** When its report is due. */ dueAt: Date; /** The days that it reports; an hour reports its day so far, since days are what is known. */ range: Required<DayRange> };

/** The window of this frequency in which the instant lies. */
export function windowAt(instant: Date, frequency: ReportingFrequency, timeZone: string): Window {
  if (frequency === "hourly") {
    const startsAt = new Date(Math.floor(instant.getTime() / HOUR_MS) * HOUR_MS);
    const endsAt = addMs(startsAt, HOUR_MS);
    const day = dayIn(startsAt, timeZone);
    return { startsAt, endsAt, dueAt: endsAt, range: { from: day, to: day } };
  }
  const day = dayIn(instant, timeZone);
  const from = frequency === "daily" ? day : `${day.slice(0, 8)}01`;
  const next = frequency === "daily" ? addDays(day, 1) : nextMonth(from);
  const endsAt = startOfDay(next, timeZone);
  return { startsAt: startOfDay(from, timeZone), endsAt, dueAt: addMs(endsAt, REPORT_DELAY_MINUTES * MINUTE_MS), range: { from, to: addDays(next, -1) } };
}

export function windowAfter(window: Window, frequency: ReportingFrequency, timeZone: string): Window {
  return windowAt(window.endsAt, frequency, timeZone);
}

/** Of the first day of a month. */
function nextMonth(first: string): string {
  return `${addDays(first, 31).slice(0, 8)}01`;
}
