/** What a token may be limited to, in the words that staff choose from. */
export const SCOPES = {
  "products:read": "See products, prices, proposals and availability",
  "accounts:read": "List accounts",
  "accounts:write": "Open accounts and change their settings",
  "creatives:read": "List and preview creatives",
  "creatives:write": "Send and change creatives",
  "orders:read": "Read orders and tasks",
  "orders:write": "Place, change and cancel orders",
  "reports:read": "Read delivery reports",
  "performance:write": "Send performance feedback",
  "audiences:write": "Send audiences",
  "testing:write": "Drive test scenarios (sandbox buyers only)",
} as const satisfies Record<string, string>;

export type Scope = keyof typeof SCOPES;

export const ALL_SCOPES = "*";

export function isScope(text: string): text is Scope {
  return Object.hasOwn(SCOPES, text);
}

/** Whether a token with these scopes may do what `scope` names. None at all stands for everything, as `*` does; unknown ones grant nothing. */
export function hasScope(scopes: readonly string[], scope: Scope | undefined): boolean {
  return scopes.length === 0 || scopes.includes(ALL_SCOPES) || (scope !== undefined && scopes.includes(scope));
}
