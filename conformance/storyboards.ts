import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const sdk = path.dirname(createRequire(import.meta.url).resolve("@adcp/sdk/package.json"));
export const PUBLISHED = path.join(sdk, "compliance/cache/3.0.6");

/** Flights in the storyboards begin on this day at the earliest; what is dated before is meant to be past. */
const FIRST_FLIGHT = "2026-04-01";
const DATE = /\b(20\d\d)(-\d\d-\d\d)(?=T|\b)/g;

/**
 * The published storyboards in a folder of their own, for ADCP_COMPLIANCE_DIR, with flights that have passed moved by whole years. As
 * published the runner replaces a passed date by its own clock's, anew in every call: then a replay is another request than the first.
 */
export function prepareStoryboards(now = new Date()): string {
  const copy = path.resolve(".cache/storyboards");
  rmSync(copy, { recursive: true, force: true });
  cpSync(PUBLISHED, copy, { recursive: true });
  const years = yearsToMove(now);
  for (const file of years === 0 ? [] : readdirSync(copy, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"))) {
    const at = path.join(copy, file);
    writeFileSync(at, moveDates(readFileSync(at, "utf8"), years));
  }
  return copy;
}

/** So many that the first flight still lies ahead. */
export function yearsToMove(now: Date): number {
  const passed = now.getUTCFullYear() - Number(FIRST_FLIGHT.slice(0, 4));
  return Math.max(0, now.toISOString().slice(5, 10) >= FIRST_FLIGHT.slice(5) ? passed + 1 : passed);
}

export function moveDates(text: string, years: number): string {
  return text.replaceAll(DATE, (date, year: string, rest: string) => (date < FIRST_FLIGHT ? date : `${Number(year) + years}${rest}`));
}
