import { toWireId } from "../ids";
import { type accounts } from "./schema";

export type AccountRow = typeof accounts.$inferSelect;

/** An account as buyers see it (core/account.json). Bank details are never among it. */
export function presentAccount(account: AccountRow): Record<string, unknown> {
  return {
    account_id: toWireId("account", account.id),
    name: account.name,
    advertiser: account.brandDomain,
    status: account.status,
    brand: { domain: account.brandDomain, ...(account.brandId === null ? {} : { brand_id: account.brandId }) },
    operator: account.operator,
    account_scope: "operator_brand",
    ...(account.billing === null ? {} : { billing: account.billing }),
    ...(account.paymentTerms === null ? {} : { payment_terms: account.paymentTerms }),
    ...(account.details.billing_entity === undefined ? {} : { billing_entity: account.details.billing_entity }),
    ...(account.status === "pending_approval" ? { setup: { message: "The publisher is reviewing this account." } } : {}),
    sandbox: account.isSandbox,
    // The protocol has no field for why an account is as it is.
    ...(account.statusReason === null ? {} : { ext: { status_reason: account.statusReason } }),
  };
}
