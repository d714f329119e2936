import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { measure, type Measured } from "./statistics";

type Rows = { table: string; row: Record<string, unknown> }[];

/**
 * The rows that one create_media_buy left behind, read from the database itself, and inserted again under new ids by bare postgres.js in
 * one transaction per order: what the database alone costs. Warm when it resolves.
 */
export async function prepareBareInsert(adminUrl: string, appUrl: string, width: number): Promise<{ measure(total: number): Promise<Measured>; end(): Promise<void> }> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  const [buy] = await admin`select * from media_buys order by created_at desc limit 1`;
  if (!buy) throw new Error("There is no media buy to copy.");
  const template: Rows = [{ table: "media_buys", row: buy }];
  for (const row of await admin`select * from media_packages where media_buy_id = ${buy.id}`) template.push({ table: "media_packages", row });
  for (const row of await admin`select * from fulfilments where media_buy_id = ${buy.id}`) template.push({ table: "fulfilments", row });
  for (const row of await admin`select * from idempotency_keys where key = ${String(buy.raw_request.idempotency_key)}`) template.push({ table: "idempotency_keys", row });
  for (const row of await admin`select * from audit_log where media_buy_id = ${buy.id} limit 1`) template.push({ table: "audit_log", row });
  for (const row of await admin`select * from outbox where data->>'mediaBuyId' = ${buy.id} limit 1`) template.push({ table: "outbox", row: { ...row, sent_at: new Date(), lease_owner: null, lease_until: null } });
  await admin.end();

  const client = postgres(appUrl, { max: width, onnotice: () => undefined });
  await Promise.all(Array.from({ length: width }, () => client`select 1`));
  const insertOnce = async () => {
    const ids = new Map<string, string>();
    const fresh = (id: string) => ids.get(id) ?? ids.set(id, randomUUID()).get(id) ?? id;
    await client.begin(async (tx) => {
      await tx`select set_config('app.tenant_id', ${buy.tenant_id}, true)`;
      for (const { table, row } of template) {
        const { id, ...rest } = row;
        const copy: Record<string, unknown> = { ...rest, ...(table === "audit_log" || table === "outbox" ? {} : { id: fresh(String(id)) }) };
        if (copy.media_buy_id) copy.media_buy_id = fresh(String(copy.media_buy_id));
        if (copy.key) copy.key = randomUUID();
        if (copy.event_id) copy.event_id = randomUUID();
        for (const [name, value] of Object.entries(copy)) if (value !== null && typeof value === "object" && !(value instanceof Date)) copy[name] = tx.json(value as postgres.JSONValue);
        await tx`insert into ${tx(table)} ${tx(copy)}`;
      }
    });
  };
  await measure(500, width, insertOnce);
  return { measure: (total) => measure(total, width, insertOnce), end: () => client.end() };
}
