import { createHmac } from "node:crypto";
import { z } from "zod";
import { deriveKey, isEqualConstantTime } from "../crypto";
import { required } from "../env";
import { AppError } from "../errors";
import { canonicalHash } from "./canonical-json";

/** Pages of the protocol: at most 100 items, 50 unless asked. */
const paginationInput = z.looseObject({ max_results: z.number().int().min(1).max(100).default(50), cursor: z.string().optional() });

/** Where a page begins: after the item with these sort values, the last of which is its id. Stable under inserts. */
export type Position = readonly (string | number)[];
const cursorContent = z.array(z.union([z.string(), z.number()])).min(1);

/** The tool that lists, and who sees the list so. */
export type List = { tool: string; owner: string };

export type PageRequest = { limit: number; after: Position | null; list: List & { request: Record<string, unknown> } };

/** A list that a buyer has to itself; without a buyer, what the publisher shows to everybody. */
export function listOf({ tenantId, session }: { tenantId: string; session: { principalId: string } | null }, tool: string): List {
  return { tool, owner: `${tenantId} ${session?.principalId ?? "visitor"}` };
}

/** @throws AppError INVALID_REQUEST for any cursor that this list did not give out when it was asked the same: one answer for all of them */
export function readPage(request: Record<string, unknown>, list: List): PageRequest {
  const { max_results, cursor } = paginationInput.parse(request.pagination ?? {});
  const asked = { ...list, request };
  return { limit: max_results, after: cursor === undefined ? null : decodeCursor(cursor, asked), list: asked };
}

/** Cursors come in steps of this many bytes of content, so that their length tells nothing of the row at which a page ended. */
const CONTENT_BYTES = 96;

function encodeCursor(list: PageRequest["list"], position: Position): string {
  const text = Buffer.from(JSON.stringify(position));
  const content = Buffer.concat([text, Buffer.alloc((CONTENT_BYTES - (text.length % CONTENT_BYTES)) % CONTENT_BYTES, " ")]).toString("base64url");
  return `${content}.${sign(content, list)}`;
}

function decodeCursor(cursor: string, list: PageRequest["list"]): Position {
  const end = cursor.lastIndexOf(".");
  const content = cursor.slice(0, Math.max(0, end));
  if (isEqualConstantTime(cursor.slice(end + 1), sign(content, list))) return cursorContent.parse(JSON.parse(Buffer.from(content, "base64url").toString("utf8")));
  throw new AppError("INVALID_REQUEST", "This cursor does not belong to this list.", { field: "pagination.cursor", suggestion: "Send it with the request that it came with, or start again without a cursor." });
}

/** What a request says beside which items it wants: how they are shown, which page, and the protocol's envelope. */
const NOT_OF_THE_LIST = ["pagination", "fields", "include_history", "include_snapshot", "include_assignments", "context", "ext", "adcp_version", "adcp_major_version"];

let key: Buffer | undefined;

function sign(content: string, { tool, owner, request }: PageRequest["list"]): string {
  key ??= deriveKey(required("AUTH_SECRET"), "adcp cursors");
  const asked = canonicalHash(Object.fromEntries(Object.entries(request).filter(([name]) => !NOT_OF_THE_LIST.includes(name))));
  return createHmac("sha256", key).update(`${tool}\n${owner}\n${asked}\n${content}`).digest("base64url").slice(0, 22);
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
