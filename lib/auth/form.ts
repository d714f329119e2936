import { type ActionInput } from "./action-state";

/** Fields whose text must not travel back to the browser. */
const SECRET_FIELD = /password|credential|secret|token/i;

/** Fields by name; a name that repeats gives an array. React's own fields are left out. */
export function readForm(form: FormData): { publisher: string; input: Record<string, FormDataEntryValue | FormDataEntryValue[]> } {
  const input: Record<string, FormDataEntryValue | FormDataEntryValue[]> = {};
  for (const name of new Set(form.keys())) {
    if (name.startsWith("$ACTION") || name === "publisher") continue;
    const [first, ...rest] = form.getAll(name);
    if (first !== undefined) input[name] = rest.length === 0 ? first : [first, ...rest];
  }
  const publisher = form.get("publisher");
  return { publisher: typeof publisher === "string" ? publisher : "", input };
}

/** What was typed, to be shown again. A form driven by a script keeps its own values. */
export function typedValues(raw: ActionInput): Record<string, string | string[]> {
  if (!(raw instanceof FormData)) return {};
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(readForm(raw).input)) {
    if (SECRET_FIELD.test(name)) continue;
    if (typeof value === "string") values[name] = value;
    else if (Array.isArray(value)) values[name] = value.filter((item) => typeof item === "string");
  }
  return values;
}
