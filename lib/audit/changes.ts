/** One field of something that changed; null: it was not there. */
export type FieldChange = { field: string; before: string | null; after: string | null };

/** What a person reads at once; the rest is counted. */
const CHANGES_MAX = 40;

/**
 * What differs between two states, field by field down to plain values: `prices.0.amount`. Of a state without a counterpart, all of it.
 * `left`: how many more there are than are listed.
 */
export function changesOf(before: Record<string, unknown> | null, after: Record<string, unknown> | null): { changes: FieldChange[]; left: number } {
  const [was, is] = [flatten(before), flatten(after)];
  const fields = [...new Set([...was.keys(), ...is.keys()])];
  const changes = fields.map((field) => ({ field, before: was.get(field) ?? null, after: is.get(field) ?? null })).filter((change) => change.before !== change.after);
  return { changes: changes.slice(0, CHANGES_MAX), left: Math.max(0, changes.length - CHANGES_MAX) };
}

function flatten(state: unknown, path: readonly string[] = [], found = new Map<string, string>()): Map<string, string> {
  if (isPlainList(state)) found.set(path.join("."), state.length === 0 ? "none" : state.map(String).join(", "));
  else if (typeof state === "object" && state !== null) for (const [key, value] of Object.entries(state)) flatten(value, [...path, key], found);
  else if (state !== null && state !== undefined) found.set(path.join("."), textOf(state));
  return found;
}

function isPlainList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
}

function textOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value === "" ? "(empty)" : String(value);
}

/** `isReviewRequired` as people read it: "is review required". Path parts stay apart. */
export function fieldWords(field: string): string {
  return field.split(".").map((part) => part.replaceAll("_", " ").replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()).join(" › ");
}
