import { AppError, type ErrorCode } from "../errors";
import { type AccountRow } from "./present";
import { type ACCOUNT_STATUSES } from "./schema";

type AccountStatus = (typeof ACCOUNT_STATUSES)[number];
/** What a call of a tool meets: nothing in its way, or the error that it is answered with. */
export type Gate = "allowed" | Extract<ErrorCode, `ACCOUNT_${"SETUP_REQUIRED" | "PAYMENT_REQUIRED" | "SUSPENDED"}`>;
type Gates = Readonly<Record<AccountStatus, Gate>>;

/** Reading one's own orders and reports, and the account's standing itself, is never shut. */
const OPEN: Gates = { active: "allowed", pending_approval: "allowed", payment_required: "allowed", suspended: "allowed", rejected: "allowed", closed: "allowed" };
/** Changes that sell nothing new: an account that was stopped for good or for now makes none. */
const CHANGE: Gates = { ...OPEN, suspended: "ACCOUNT_SUSPENDED", rejected: "ACCOUNT_SUSPENDED", closed: "ACCOUNT_SUSPENDED" };
/** New business. */
const ORDER: Gates = { ...CHANGE, pending_approval: "ACCOUNT_SETUP_REQUIRED", payment_required: "ACCOUNT_PAYMENT_REQUIRED" };

/**
 * Every tool whose request can name an account, by the account's status; the others (sync_accounts, list_accounts, tasks) tell of the account itself,
 * or of no one account. A test calls each pair over the wire, and fails on a tool that is missing here. The protocol has one code for what is stopped (ACCOUNT_SUSPENDED): `details.account_status` tells a suspension from a rejection or an end.
 */
export const ACCOUNT_GATES = {
  create_media_buy: ORDER,
  update_media_buy: CHANGE,
  sync_creatives: CHANGE,
  sync_audiences: CHANGE,
  sync_governance: CHANGE,
  get_products: OPEN,
  list_creatives: OPEN,
  get_media_buys: OPEN,
  get_media_buy_delivery: OPEN,
  get_creative_delivery: OPEN,
  get_task_status: OPEN,
  list_tasks: OPEN,
  comply_test_controller: OPEN,
} as const satisfies Record<string, Gates>;

export type GatedTool = keyof typeof ACCOUNT_GATES;

const MESSAGES: Record<Exclude<AccountStatus, "active">, string> = {
  pending_approval: "The publisher is still reviewing this account.",
  payment_required: "This account has a payment outstanding.",
  suspended: "The publisher has suspended this account.",
  rejected: "The publisher has declined this account.",
  closed: "This account is closed.",
};

/** Throws what the table says for this tool and the account's status, with the publisher's reason where it gave one. */
export function assertAccountAllows(tool: GatedTool, account: Pick<AccountRow, "status" | "statusReason">): void {
  const gate = ACCOUNT_GATES[tool][account.status];
  if (gate === "allowed" || account.status === "active") return;
  const message = MESSAGES[account.status];
  throw new AppError(gate, account.statusReason === null ? message : `${message} Its reason: ${account.statusReason}`, {
    field: "account", details: { account_status: account.status, ...(account.statusReason === null ? {} : { status_reason: account.statusReason }) },
  });
}
