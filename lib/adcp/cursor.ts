import { createHmac } from "node:crypto";
import { z } from "zod";
import { deriveKey, isEqualConstantTime } from "../crypto";
import { required } from "../env";
import { AppError } from "../errors";

/** Pages of the protocol: at most 100 items, 50 unless asked. */
const paginationInput = z.looseObject({ max_results: z.number().int().min(1).max(100).default(50), cursor: z.string().optional() });

/**
 * Where a page begins: after the item with these sort values, the last of which is its id. Stable under inserts. Signed, so that what
 * comes back is what we gave out.
 */
export type Position = readonly (string | number)[];
const cursorContent = z.tuple([z.string(), z.array(z.union([z.string(), z.number()])).min(1)]);

/** A list in its order, and whose it is: a cursor of another list, order or owner is refused as any that we never gave out. */
export type List = { kind: string; owner: string };

export type PageRequest = { limit: number; after: Position | null; list: List };

/** A list that a buyer has to itself; without a buyer, what the publisher shows to everybody. */
export function listOf({ tenantId, session }: { tenantId: string; session: { principalId: string } | null }, kind: string): List {
  return { kind, owner: `${tenantId} ${session?.principalId ?? "visitor"}` };
}

export function readPage(input: Record<string, unknown>, list: List): PageRequest {
  const { max_results, cursor } = paginationInput.parse(input.pagination ?? {});
  return { limit: max_results, after: cursor === undefined ? null : decodeCursor(cursor, list), list };
}

function encodeCursor(list: List, position: Position): string {
  const content = Buffer.from(JSON.stringify([list.kind, position])).toString("base64url");
  return `${content}.${sign(content, list)}`;
}

function decodeCursor(cursor: string, list: List): Position {
  const [content = "", signature = ""] = cursor.split(".");
  if (isEqualConstantTime(signature, sign(content, list))) {
    const [kind, position] = cursorContent.parse(JSON.parse(Buffer.from(content, "base64url").toString("utf8")));
    if (kind === list.kind) return position;
  }
  throw new AppError("INVALID_REQUEST", "This cursor does not belong to this list.", { field: "pagination.cursor", suggestion: "Start again without a cursor." });
}

let key: Buffer | undefined;

function sign(content: string, { owner }: List): string {
  key ??= deriveKey(required("AUTH_SECRET"), "adcp cursors");
  return createHmac("sha256", key).update(`${owner}\n${content}`).digest("base64url").slice(0, 22);
}

/**
 * One page of rows that were read with one more than `limit`, with the protocol's `pagination`: `cursor` only when there is more.
 */
export function toPage<Row>(rows: Row[], { limit, list }: PageRequest, positionOf: (row: Row) => Position, totalCount?: number): { rows: Row[]; pagination: Record<string, unknown> } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    rows: page,
    pagination: {
      has_more: hasMore,
      ...(hasMore ? { cursor: encodeCursor(list, positionOf(last)) } : {}),
      ...(totalCount === undefined ? {} : { total_count: totalCount }),
    },
  };
}
