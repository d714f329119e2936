import { and, asc, eq, inArray, isNull } from "drizzle-orm";
import { type Tx } from "../db/client";
import { publisherPartners } from "./schema";

/** The domains whose inventory this publisher may sell; of `domains` only, when given. */
export async function listPartners(db: Tx, tenantId: string, domains: string[] | undefined): Promise<{ publisherDomain: string; tags: string[]; properties: Record<string, unknown>[] }[]> {
  return db.select({ publisherDomain: publisherPartners.publisherDomain, tags: publisherPartners.tags, properties: publisherPartners.properties }).from(publisherPartners)
    .where(and(eq(publisherPartners.tenantId, tenantId), isNull(publisherPartners.archivedAt), domains ? inArray(publisherPartners.publisherDomain, domains) : undefined))
    .orderBy(asc(publisherPartners.publisherDomain));
}
