import { z } from "zod";

/** Where a package's targeting names a list of another agent (core/targeting.json). */
export const LIST_FIELDS = ["property_list", "collection_list", "collection_list_exclude"] as const;
export type ListField = (typeof LIST_FIELDS)[number];

export type ListKind = "property" | "collection";
export const KIND_OF = { property_list: "property", collection_list: "collection", collection_list_exclude: "collection" } as const satisfies Record<ListField, ListKind>;
export const LIST_WORDS = { property: "property list", collection: "collection list" } as const satisfies Record<ListKind, string>;

/** core/property-list-ref.json, core/collection-list-ref.json */
export const listRef = z.looseObject({ agent_url: z.string().max(2_000), list_id: z.string().min(1).max(500).regex(/^[^<>]*$/), auth_token: z.string().max(10_000).optional() });

/** Why a package stands still although its order runs: what its buyer and staff read. */
export type PackageHold = {
  field: ListField;
  /** unread: its agent is being asked. unreadable: the agent was asked in vain. The others: what the list, as it was read last, leaves no room for. */
  reason: "unread" | "unreadable" | "no_match" | "partial_match" | "excluded";
  message: string;
};

/** The targeting as it is stored and shown: a token for a list is the list's. */
export function withoutListTokens(targeting: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(targeting).map(([name, value]) => {
    const parsed = isListField(name) ? listRef.safeParse(value) : undefined;
    return [name, parsed?.success ? { agent_url: parsed.data.agent_url, list_id: parsed.data.list_id } : value];
  }));
}

/** The part of the targeting that an ad server must express: it never sees a list. */
export function adServerTargeting(targeting: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(targeting).filter(([name]) => !isListField(name)));
}

export function namesList(targeting: Record<string, unknown>): boolean {
  return LIST_FIELDS.some((field) => targeting[field] !== undefined);
}

function isListField(name: string): name is ListField {
  return (LIST_FIELDS as readonly string[]).includes(name);
}
