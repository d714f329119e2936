import { DAY_MS } from "../time";

/** Delivery days are dates, `2027-03-01`, of a named time zone. */

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-CA", { timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  formatters.set(timeZone, made);
  return made;
}

/** The date on which this instant falls there. */
export function dayIn(instant: Date, timeZone: string): string {
  return wallClock(instant, timeZone).toISOString().slice(0, 10);
}

/** What a clock on the wall shows there, as if it were UTC. */
function wallClock(instant: Date, timeZone: string): Date {
  const part = Object.fromEntries(formatter(timeZone).formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  return new Date(Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day ?? 1, part.hour ?? 0, part.minute ?? 0, part.second ?? 0));
}

/** The instant at which this day begins there. Where clocks skip midnight, the first moment after the gap. */
export function startOfDay(day: string, timeZone: string): Date {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  const offsetAt = (instant: number) => wallClock(new Date(instant), timeZone).getTime() - Math.floor(instant / 1000) * 1000;
  const first = wanted - offsetAt(wanted);
  const second = wanted - offsetAt(first);
  return new Date(dayIn(new Date(second), timeZone) === day ? second : Math.max(first, second));
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Whether text is a date that the calendar has: `2027-02-30` is none. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && addDays(text, 0) === text;
}

/** From the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}
