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

export type PageRequest = { limit: number; after: Position | null };

/** @param kind names the list and its order: a cursor of another list or order is refused. */
export function readPage(input: Record<string, unknown>, kind: string): PageRequest {
  const { max_results, cursor } = paginationInput.parse(input.pagination ?? {});
  return { limit: max_results, after: cursor === undefined ? null : decodeCursor(cursor, kind) };
}

function encodeCursor(kind: string, position: Position): string {
  const content = Buffer.from(JSON.stringify([kind, position])).toString("base64url");
  return `${content}.${sign(content)}`;
}

function decodeCursor(cursor: string, kind: string): Position {
  const [content = "", signature = ""] = cursor.split(".");
  if (isEqualConstantTime(signature, sign(content))) {
    const [list, position] = cursorContent.parse(JSON.parse(Buffer.from(content, "base64url").toString("utf8")));
    if (list === kind) return position;
  }
  throw new AppError("INVALID_REQUEST", "This cursor does not belong to this list.", { field: "pagination.cursor", suggestion: "Start again without a cursor." });
}

let key: Buffer | undefined;

function sign(content: string): string {
  key ??= deriveKey(required("AUTH_SECRET"), "adcp cursors");
  return createHmac("sha256", key).update(content).digest("base64url").slice(0, 22);
}

/**
 * One page of rows that were read with one more than `limit`, with the protocol's `pagination`: `cursor` only when there is more.
 */
export function toPage<Row>(rows: Row[], { limit }: PageRequest, kind: string, positionOf: (row: Row) => Position, totalCount?: number): { rows: Row[]; pagination: Record<string, unknown> } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    rows: page,
    pagination: {
      has_more: hasMore,
      ...(hasMore ? { cursor: encodeCursor(kind, positionOf(last)) } : {}),
      ...(totalCount === undefined ? {} : { total_count: totalCount }),
    },
  };
}
