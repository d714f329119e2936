/** What of a failed request is kept: enough to see what was sent, nothing that opens a door, and never much. */

const SECRET_KEY = /token|secret|password|passwd|credential|authorization|api_?key|private_?key|cookie|signature|governance_context/i;
/** Our own tokens, and what is written like a credential, wherever it stands. */
const SECRET_TEXT = /\bgl_[A-Za-z0-9_-]{16,}|\bdemo-[a-z0-9-]+-v\d+|Bearer\s+[A-Za-z0-9._~+/=-]{8,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** User name and password in an address. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]+@/gi;
/** Values of a query: a signed address is a credential. */
const QUERY_VALUE = /([?&][^=&#\s]{1,100}=)[^&#\s]+/g;

const REMOVED = "[removed]";
const TEXT_MAX = 500;
const ITEMS_MAX = 20;
const KEYS_MAX = 60;
const DEPTH_MAX = 8;
const NODES_MAX = 600;
/** Of the whole, as JSON. */
const SIZE_MAX = 16_384;

export function redactRequest(input: unknown): Record<string, unknown> {
  const kept = shorten(input, 0, { nodes: NODES_MAX });
  const request = typeof kept === "object" && kept !== null && !Array.isArray(kept) ? { ...kept } : { value: kept };
  if (JSON.stringify(request).length <= SIZE_MAX) return request;
  return { ...shortFields(request), truncated: `The request is too long to be kept whole. Its fields: ${Object.keys(request).join(", ")}`.slice(0, TEXT_MAX) };
}

/** The plain fields of a request that is too long. */
function shortFields(request: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => typeof value !== "object" || value === null).slice(0, ITEMS_MAX));
}

/** Text that may be stored and shown: no credential, no character that Postgres refuses, at most `longest` characters. */
export function redactText(text: string, longest = TEXT_MAX): string {
  // Cut first, with room to recognise what the cut would split, so that a long text costs no more than a short one.
  const cut = text.length > longest * 2 ? text.slice(0, longest * 2) : text;
  const clean = cut.replaceAll("\0", "�").replace(/\p{Cs}/gu, "�").replace(SECRET_TEXT, REMOVED).replace(USER_INFO, `$1${REMOVED}@`).replace(QUERY_VALUE, `$1${REMOVED}`);
  return clean.length > longest || cut.length < text.length ? `${clean.slice(0, longest)}… (${text.length.toLocaleString("en-US")} characters)` : clean;
}

function shorten(value: unknown, depth: number, budget: { nodes: number }): unknown {
  budget.nodes -= 1;
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX || budget.nodes <= 0) return "[cut]";
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => shorten(item, depth + 1, budget));
    return value.length > ITEMS_MAX ? [...items, `[${value.length - ITEMS_MAX} more]`] : items;
  }
  const entries = Object.entries(value);
  const kept = entries.slice(0, KEYS_MAX).map(([key, item]) => [redactText(key, 100), isSecret(key, item) ? REMOVED : shorten(item, depth + 1, budget)] as const);
  return Object.fromEntries(entries.length > KEYS_MAX ? [...kept, ["[cut]", `${entries.length - KEYS_MAX} more fields`]] : kept);
}

function isSecret(key: string, value: unknown): boolean {
  return SECRET_KEY.test(key) && typeof value !== "boolean" && typeof value !== "number" && value !== null;
}
