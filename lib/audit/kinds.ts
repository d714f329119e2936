/** Kinds of things that the audit log tells of: its entries' `object_kind`. */
export const AUDITED_KINDS = ["media_buy", "product", "connection", "buyer", "account", "creative", "audience", "staff", "publisher", "fulfilment", "sync_job", "webhook_delivery", "inventory_list"] as const;
export type AuditedKind = (typeof AUDITED_KINDS)[number];
