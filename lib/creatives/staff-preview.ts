import { createHmac } from "node:crypto";
import { and, eq } from "drizzle-orm";
import { deriveKey, isEqualConstantTime } from "../crypto";
import { withTenant } from "../db/client";
import { required } from "../env";
import { isUuid } from "../ids";
import { HOUR_MS } from "../time";
import { findFormat } from "./formats";
import { PREVIEW_PATH } from "./preview";
import { renderPreview } from "./render-preview";
import { creatives } from "./schema";
import { type CreativeRow } from "./to-desired";

/**
 * Where staff see a creative of the library: an address that is signed and not stored, good for one to two hours and the same within each, so
 * that a screen which is read anew does not load the creative anew. It moves with the creative's version.
 */
export function staffPreviewPath(creative: Pick<CreativeRow, "tenantId" | "id" | "version">, now: Date): string {
  const endsAtHour = Math.floor(now.getTime() / HOUR_MS) + 2;
  const content = [creative.tenantId, creative.id, creative.version, endsAtHour].join(".");
  return `${PREVIEW_PATH}${content}.${sign(content)}`;
}

/** The page at such an address, or undefined when nobody signed it, it has ended, or there is nothing (any more) that can be shown. */
export async function findStaffPreview(token: string, now: Date): Promise<string | undefined> {
  const [tenantId = "", id = "", version = "", endsAtHour = "", signature = ""] = token.split(".");
  if (!isEqualConstantTime(signature, sign([tenantId, id, version, endsAtHour].join(".")))) return undefined;
  if (!isUuid(tenantId) || !isUuid(id) || now.getTime() >= Number(endsAtHour) * HOUR_MS) return undefined;
  const [creative] = await withTenant(tenantId, (db) => db.select().from(creatives).where(and(eq(creatives.tenantId, tenantId), eq(creatives.id, id))));
  return creative && String(creative.version) === version ? renderCreative(creative) : undefined;
}

/** A creative of the library as a page, or undefined when nothing of it can be shown. */
export function renderCreative({ formatId, assets, name }: Pick<CreativeRow, "formatId" | "assets" | "name">): string | undefined {
  const format = findFormat(formatId.id);
  return format && renderPreview(format, assets, { name });
}

let key: Buffer | undefined;

function sign(content: string): string {
  key ??= deriveKey(required("AUTH_SECRET"), "previews of staff");
  return createHmac("sha256", key).update(content).digest("base64url");
}
