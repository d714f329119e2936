/** Times are instants (Date, timestamptz); text for people always names its zone. */

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs a hundred times as much as using it. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formatters.set(key, made);
  return made;
}

export function formatDateTime(instant: Date, timeZone: string): string {
  return formatter("en-GB", { timeZone, dateStyle: "medium", timeStyle: "short" }).format(instant) + ` ${zoneName(instant, timeZone)}`;
}

export function formatDate(instant: Date, timeZone: string): string {
  return formatter("en-GB", { timeZone, dateStyle: "medium" }).format(instant);
}

function zoneName(instant: Date, timeZone: string): string {
  const parts = formatter("en-US", { timeZone, timeZoneName: "short" }).formatToParts(instant);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? timeZone;
}

/** Age or distance in words: "4 min ago", "in 30 hr", "in 3 days". Hours up to two days: whoever must answer by then counts them. */
export function formatRelative(instant: Date, now: Date): string {
  const seconds = Math.round((instant.getTime() - now.getTime()) / 1000);
  const units = [["day", 86_400, 172_800], ["hour", 3_600, 3_600], ["minute", 60, 60]] as const;
  const formatter = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  for (const [unit, size, from] of units) if (Math.abs(seconds) >= from) return formatter.format(Math.trunc(seconds / size), unit);
  return formatter.format(seconds, "second");
}

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Days from one instant to another, begun ones included; at least 1. An hour more begins none: a flight over the night when clocks go back has no day more. */
export function countDays(from: Date | string, to: Date | string): bigint {
  return BigInt(Math.max(1, Math.ceil((new Date(to).getTime() - new Date(from).getTime() - HOUR_MS) / DAY_MS)));
}

export function addMs(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

/** Whether `name` is a time zone that Intl and PostgreSQL know by name; offsets such as "+01:00" are not zones. */
export function isTimeZone(name: string): boolean {
  if (name !== "UTC" && !/^[A-Z][A-Za-z_]+(\/[A-Za-z0-9_+-]+){1,2}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** How long something took: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10 * SECOND_MS) return `${(Math.max(0, durationMs) / SECOND_MS).toFixed(1)} s`;
  const seconds = Math.round(durationMs / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
