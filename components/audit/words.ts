import { type AuditedKind } from "@/lib/audit/kinds";

export const KINDS: Record<AuditedKind, string> = {
  media_buy: "Orders", product: "Products", connection: "Connections", buyer: "Buyers", account: "Accounts", creative: "Creatives", audience: "Audiences", staff: "People", publisher: "Settings",
  fulfilment: "Execution of orders", sync_job: "Sync jobs", webhook_delivery: "Notifications", inventory_list: "Buyers’ lists",
};

export const ACTOR_KINDS = { user: "Staff", principal: "Buyer", system: "Greenlight" } as const;
