import { and, eq } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { announceChange } from "../live";
import { mediaBuys } from "../media-buys/schema";
import { isTerminal } from "../media-buys/transitions";
import { LIST_WORDS } from "./fields";
import { inventoryLists, packageLists } from "./schema";
import { requestReading } from "./use";

/**
 * Has a list that packages of an order keep to read again now, for staff who would otherwise wait for its hour.
 * Throws REFERENCE_NOT_FOUND when no package of the order keeps to it, CONFLICT while it is being read and once the order is over.
 */
export async function rereadList(ctx: Ctx, input: { mediaBuyId: string; listId: string }): Promise<void> {
  requirePermission(ctx.actor, "media_buy.retry");
  const list = isUuid(input.mediaBuyId) && isUuid(input.listId) ? await lockList(ctx, input) : undefined;
  if (!list) throw new AppError("REFERENCE_NOT_FOUND", "No package of this order keeps to this list.", { field: "listId", suggestion: "Reload to see the order's lists." });
  if (isTerminal(list.orderStatus)) throw new AppError("CONFLICT", "The order is over: its lists are read no more.");
  if (list.state === "reading") throw new AppError("CONFLICT", "The list is being read already.", { suggestion: "What becomes of it is shown here by itself." });
  await requestReading(ctx, input.listId, {});
  await recordAudit(ctx, {
    action: "inventory_list.reread", objectKind: "inventory_list", objectId: input.listId, mediaBuyId: input.mediaBuyId, summary: `Had the ${LIST_WORDS[list.kind]} “${list.listId}” read again`,
  });
  announceChange(ctx, "media_buy", input.mediaBuyId);
}

async function lockList(ctx: Ctx, { mediaBuyId, listId }: { mediaBuyId: string; listId: string }) {
  const [row] = await ctx.db.select({ state: inventoryLists.state, kind: inventoryLists.kind, listId: inventoryLists.listId, orderStatus: mediaBuys.status }).from(packageLists)
    .innerJoin(inventoryLists, and(eq(inventoryLists.tenantId, packageLists.tenantId), eq(inventoryLists.id, packageLists.listId)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, packageLists.tenantId), eq(mediaBuys.id, packageLists.mediaBuyId)))
    .where(and(eq(packageLists.tenantId, ctx.tenantId), eq(packageLists.mediaBuyId, mediaBuyId), eq(packageLists.listId, listId)))
    .limit(1).for("update", { of: inventoryLists });
  return row;
}
