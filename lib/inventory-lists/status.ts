import { and, eq, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { isTerminal, type MediaBuyRow } from "../media-buys/transitions";
import { type ListField } from "./fields";
import { inventoryLists, packageLists } from "./schema";

/**
 * How it stands with a list that packages keep to. first_reading: nobody has read it yet. unreadable: the last reading brought nothing, and there
 * is none before it that counts. The next three count as they were read last: due, because it is no longer valid and will be read again; rereading,
 * because that is under way; unanswered, because its agent was silent. ended: it is read no more, because the order is over.
 */
export type ListStatus = "first_reading" | "unreadable" | "read" | "due" | "rereading" | "unanswered" | "ended";

export type ListView = Pick<typeof inventoryLists.$inferSelect, "id" | "kind" | "agentUrl" | "listId" | "state" | "error" | "readAt" | "validUntil" | "requestedAt" | "updatedAt"> & {
  /** How much it holds; null: nobody knows. */
  size: number | null;
  status: ListStatus;
  /** Packages that keep to it, and how. */
  packages: { packageId: string; field: ListField }[];
};

/** The lists that packages of an order keep to, for the publisher's people: what became of reading them, and no token. */
export async function loadListViews(ctx: Ctx, buy: Pick<MediaBuyRow, "id" | "status">): Promise<ListView[]> {
  const rows = await ctx.db.select({
    packageId: packageLists.packageId, field: packageLists.field, id: inventoryLists.id, kind: inventoryLists.kind, agentUrl: inventoryLists.agentUrl, listId: inventoryLists.listId,
    state: inventoryLists.state, error: inventoryLists.error, readAt: inventoryLists.readAt, validUntil: inventoryLists.validUntil, requestedAt: inventoryLists.requestedAt, updatedAt: inventoryLists.updatedAt,
    size: sql<number | null>`cardinality(${inventoryLists.entries})`,
  }).from(packageLists)
    .innerJoin(inventoryLists, and(eq(inventoryLists.tenantId, packageLists.tenantId), eq(inventoryLists.id, packageLists.listId)))
    .where(and(eq(packageLists.tenantId, ctx.tenantId), eq(packageLists.mediaBuyId, buy.id)))
    .orderBy(inventoryLists.kind, inventoryLists.listId, inventoryLists.id, packageLists.packageId, packageLists.field);
  const views = new Map<string, ListView>();
  for (const { packageId, field, ...list } of rows) {
    const view = views.get(list.id) ?? { ...list, status: isTerminal(buy.status) ? "ended" : statusOf(list, ctx.now), packages: [] };
    view.packages.push({ packageId, field });
    views.set(list.id, view);
  }
  return [...views.values()];
}

function statusOf({ state, size, validUntil }: Pick<ListView, "state" | "size" | "validUntil">, now: Date): ListStatus {
  if (size === null) return state === "failed" ? "unreadable" : "first_reading";
  if (state === "reading") return "rereading";
  if (state === "failed") return "unanswered";
  return validUntil !== null && validUntil <= now ? "due" : "read";
}
