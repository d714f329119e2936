/** Which part of a list is wanted. Addresses are parsed by the list's parameters (components/data-table), which bound both. */
export type PageQuery = { page: number; pageSize: number };

export function pageWindow({ page, pageSize }: PageQuery): { limit: number; offset: number } {
  return { limit: pageSize, offset: (page - 1) * pageSize };
}

/** Pattern for ILIKE that finds `text` anywhere, taken literally. */
export function containsPattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
