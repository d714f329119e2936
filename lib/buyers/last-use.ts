import { sql } from "drizzle-orm";
import { withWorkerRole } from "../db/client";
import { log } from "../log";
import { MINUTE_MS, SECOND_MS } from "../time";

/** A token's or key's last use is known to the minute, and written for all of them together, after their answers. */
const FLUSH_AFTER_MS = 2 * SECOND_MS;
const KNOWN_MAX = 10_000;

/** When each was last noted, by id. */
const noted = new Map<string, number>();
const pending = new Map<string, { tenantId: string; usedAtMs: number }>();
let timer: NodeJS.Timeout | undefined;

/** Costs the caller a look into memory. */
export function noteUse(tenantId: string, ids: readonly string[], nowMs: number): void {
  for (const id of ids) {
    if (nowMs - (noted.get(id) ?? 0) < MINUTE_MS) continue;
    if (noted.size >= KNOWN_MAX) noted.clear();
    noted.set(id, nowMs);
    pending.set(id, { tenantId, usedAtMs: nowMs });
  }
  if (pending.size === 0 || timer) return;
  timer = setTimeout(() => void flushUses(), FLUSH_AFTER_MS);
  timer.unref();
}

export async function flushUses(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  if (pending.size === 0) return;
  const uses = JSON.stringify([...pending].map(([id, { tenantId, usedAtMs }]) => ({ tenant_id: tenantId, id, used_at: new Date(usedAtMs).toISOString() })));
  pending.clear();
  try {
    await withWorkerRole(async (tx) => {
      const used = sql`from jsonb_to_recordset(${uses}::text::jsonb) as used(tenant_id uuid, id uuid, used_at timestamptz)`;
      await tx.execute(sql`update principal_tokens t set last_used_at = greatest(t.last_used_at, used.used_at) ${used} where t.tenant_id = used.tenant_id and t.id = used.id`);
      await tx.execute(sql`update buyer_signing_keys k set last_used_at = greatest(k.last_used_at, used.used_at) ${used} where k.tenant_id = used.tenant_id and k.id = used.id`);
    });
  } catch (error) {
    log.warn("The last use of tokens could not be noted.", { error });
  }
}
