import { AppError } from "../errors";
import { addMs, MINUTE_MS } from "../time";
import { type Flight } from "./units";

/** Confirmation gives the ad servers this long before an order can begin. */
const LEAD_TIME_MS = 15 * MINUTE_MS;
/** A start this little in the past is a clock's difference, not a mistake. */
const START_TOLERANCE_MS = 5 * MINUTE_MS;
const WITH_ZONE = /(?:[zZ]|[+-]\d{2}:\d{2})$/;

/** An instant of the protocol: ISO 8601 with a zone. */
export function parseInstant(text: string, field: string): Date {
  const instant = new Date(text);
  if (!WITH_ZONE.test(text) || Number.isNaN(instant.getTime())) throw new AppError("VALIDATION_ERROR", "This is not a date and time with a zone.", { field, suggestion: "Use ISO 8601, such as 2027-03-01T00:00:00Z." });
  return instant;
}

/** A start: an instant, or `asap` for now. */
export function parseStart(text: string, now: Date, field: string): Date {
  return text === "asap" ? now : parseInstant(text, field);
}

export function assertForward(flight: Flight, field = "end_time"): void {
  if (flight.endsAt <= flight.startsAt) throw new AppError("VALIDATION_ERROR", "The flight ends before it starts.", { field, suggestion: "Send an end_time after the start_time." });
}

export function assertNotPast(startsAt: Date, now: Date, field = "start_time"): void {
  if (startsAt < addMs(now, -START_TOLERANCE_MS)) throw new AppError("VALIDATION_ERROR", "The start lies in the past.", { field, suggestion: 'Send a start_time in the future, or "asap".' });
}

/** The part of a flight that can still run when it is confirmed now. */
export function effectiveStart(startsAt: Date, now: Date): Date {
  const earliest = addMs(now, LEAD_TIME_MS);
  return startsAt > earliest ? startsAt : earliest;
}

export function assertTimeLeft(flight: Flight, now: Date, field = "end_time"): void {
  if (flight.endsAt > effectiveStart(flight.startsAt, now)) return;
  throw new AppError("VALIDATION_ERROR", "The flight would be over before it could begin.", { field, suggestion: `An order begins ${LEAD_TIME_MS / MINUTE_MS} minutes after its confirmation at the earliest.` });
}

export function assertWithin(flight: Flight, outer: Flight, path: string): void {
  const suggestion = "A package's flight lies within the media buy's.";
  if (flight.startsAt < outer.startsAt) throw new AppError("VALIDATION_ERROR", "The package starts before the media buy.", { field: `${path}.start_time`, suggestion });
  if (flight.endsAt > outer.endsAt) throw new AppError("VALIDATION_ERROR", "The package ends after the media buy.", { field: `${path}.end_time`, suggestion });
}
