import { z } from "zod";

/** Sizes a list may have; anything else falls back to the first of them that a list names as its default. */
export const PAGE_SIZES = [10, 25, 50, 100] as const;
export type PageSize = (typeof PAGE_SIZES)[number];

export const pageSchema = { page: z.number().int().min(1).max(10_000).default(1), pageSize: z.literal(PAGE_SIZES).default(25) };

export type Page<Row> = { rows: Row[]; total: number; page: number; pageSize: number };

/** Pattern for ILIKE that finds `text` anywhere, taken literally. */
export function containsPattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
