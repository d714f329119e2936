import { AppError } from "../errors";
import { isObject } from "./schemas";

/** NUL, and halves of surrogate pairs, as JSON writes them: Postgres stores neither. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;
/** Control characters other than tab and line ends, as JSON writes them; a text that quotes such an escape is told apart by `CONTROL`. */
const MAYBE_CONTROL = /\\u00(?:0[0-9a-f]|1[0-9a-f])|\\[bf]|[\u007f-\u009f]/;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** Fields that name something: they are shown in lists, files and other systems, and hold no markup. */
const NAME = /(?:^|_)(?:ids?|name|operator|domain|number)$/;
/** Other short facts, which hold no markup either. */
const FACT = /^(?:value|keyword|street|city|country|regulation|account_holder|verified_by)$/;
/**
 * What a browser reads as a tag or a comment: a closed tag; one left open that carries an address, a style or a handler, as what is written after
 * it would close it; and elements that swallow what follows. "A < B", "a<b" and "ROAS <goal" are text.
 */
const MARKUP = new RegExp([
  /<!(?:--|\[|doctype)/, /<\?[a-z]/, /<\/[a-z][^<>]*>/, /<[a-z][a-z0-9:-]*\s*\/?>/, /<[a-z][a-z0-9:-]*[\s/][^<>]*=[^<>]*>/,
  /<[a-z][a-z0-9:-]*[\s/](?:[^<>]*[\s/"'])?(?:on[a-z]+|src|srcdoc|href|style|action|formaction|data)\s*=/, /<(?:script|iframe|svg)[\s/>]/,
].map(({ source }) => source).join("|"), "i");
const NAME_LENGTH_MAX = 500;

/** Longer texts are the content of an asset, such as a third-party tag, which its format limits. */
const TEXT_LENGTH_MAX = 50_000;
const CONTENT = "content";

/** Opaque to us, and given back as they came. */
const OPAQUE = new Set(["context", "ext"]);

type Text = { pointer: string; key: string; text: string };

/**
 * Throws INVALID_REQUEST for characters that cannot be stored, and, outside what the buyer gets back as it came, for control characters
 * and endless texts, and in what is going to be stored for markup in names and other short facts. Names the field.
 */
export function assertPlainText(input: Record<string, unknown>, isChange: boolean): void {
  const json = JSON.stringify(input);
  if (UNSTORABLE.test(json)) throw refusal(firstText(input, ({ text }) => UNSTORABLE.test(JSON.stringify(text)), new Set()), "holds characters that cannot be stored: NUL, or half of a surrogate pair");
  if (MAYBE_CONTROL.test(json)) {
    const found = firstText(input, ({ text }) => CONTROL.test(text), OPAQUE);
    if (found) throw refusal(found, "holds control characters");
  }
  const long = json.length <= NAME_LENGTH_MAX ? undefined : firstText(input, ({ key, text }) => text.length > (NAME.test(key) ? NAME_LENGTH_MAX : TEXT_LENGTH_MAX) && key !== CONTENT, OPAQUE);
  if (long) throw refusal(long, `is longer than ${NAME.test(long.key) ? NAME_LENGTH_MAX : TEXT_LENGTH_MAX} characters`);
  const marked = !isChange ? undefined : firstText(input, ({ key, text }) => (NAME.test(key) || FACT.test(key)) && MARKUP.test(text), OPAQUE);
  if (marked) throw refusal(marked, "holds markup, and is shown as plain text");
}

function refusal(found: Text | undefined, problem: string): AppError {
  const field = found?.pointer.split("/").slice(1).map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index > 0 ? "." : ""}${part}`)).join("");
  return new AppError("INVALID_REQUEST", `${field ?? "The request"} ${problem}.`, found ? { field, details: { issues: [{ pointer: found.pointer, message: problem, keyword: "pattern" }] } } : {});
}

/** The first text of which this is true. An element of a list goes by the list's name. */
function firstText(value: unknown, isWrong: (text: Text) => boolean, skipped: ReadonlySet<string>, pointer = "", key = ""): Text | undefined {
  if (typeof value === "string") return isWrong({ pointer, key, text: value }) ? { pointer, key, text: value } : undefined;
  const children = Array.isArray(value) ? value.map((item: unknown, index) => [String(index), item, key] as const) : isObject(value) ? Object.entries(value).map(([name, item]) => [name, item, name] as const) : [];
  for (const [part, item, name] of children) {
    const found = skipped.has(part) && !Array.isArray(value) ? undefined : firstText(item, isWrong, skipped, `${pointer}/${part}`, name);
    if (found) return found;
  }
  return undefined;
}
