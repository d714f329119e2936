import { and, eq, inArray, isNull, or, type SQL } from "drizzle-orm";
import { fromWireId, toWireId } from "../ids";
import { mediaBuys } from "./schema";

/** The id by which the buyer knows an order: ours, unless the buyer's test controller seeded it under another. */
export function mediaBuyWireId({ id, handle }: { id: string; handle: string | null }): string {
  return handle ?? toWireId("mediaBuy", id);
}

/** Rows that a buyer may mean by these ids; whose they are is the caller's condition. Most ids are ours: nothing else is looked for then. */
export function matchMediaBuys(wireIds: readonly string[]): SQL | undefined {
  const own = wireIds.flatMap((wireId) => fromWireId("mediaBuy", wireId) ?? []);
  const handles = wireIds.filter((wireId) => fromWireId("mediaBuy", wireId) === undefined);
  const byId = and(own.length === 1 && own[0] !== undefined ? eq(mediaBuys.id, own[0]) : inArray(mediaBuys.id, own), isNull(mediaBuys.handle));
  return handles.length === 0 ? byId : or(byId, inArray(mediaBuys.handle, handles));
}
